"""The order in which blocks of columns are graded up, and what every prefix of it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from dse_plugins.compressors.graded.effects import BINARY, FORMS, NONE, SEVEN, TERNARY, TOPS

_ROUNDING = 1e-9
_NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Placement:
    """What decides how many arrays a block of columns takes.

    Attributes:
        rows: wordlines of an array.
        columns: bitlines of an array.
        arrays: what a block of columns takes in each form.
    """

    rows: int
    columns: int
    arrays: tuple[float, ...]

    @classmethod
    def of(cls, geometry: dse.Geometry, point: int) -> Placement:
        """Placement of one point of a batch."""
        cell, separate = geometry.cell_bits[point], geometry.separate[point]
        arrays = [0.0] * FORMS
        arrays[BINARY] = float(dse.slices(np.array(1.0), cell, np.array(True)))
        for form, top in TOPS.items():
            arrays[form] = float(dse.slices(np.array(float(top)), cell, separate)) * (2 if separate else 1)
        return cls(int(geometry.rows[point]), int(geometry.columns[point]), tuple(arrays))


@dataclass(frozen=True, slots=True)
class _Step:
    gain: float
    cost: float
    layer: int
    outputs: NDArray[Any]
    form: int
    late: bool


class Grading:
    """Grades of one task's columns for one placement.

    Args:
        encoder: shapes.
        effects: (forms, L, outputs of all matrices in order) mean square change of the logits.
        placement: what blocks cost.

    Attributes:
        whole: arrays that all columns take in ternary.
        spent: (K + 1,) arrays taken after each step.
        reached: (forms, L, outputs of all matrices) the step from which a column has a form.
    """

    def __init__(self, encoder: dse.Encoder, effects: NDArray[Any], placement: Placement) -> None:
        steps: list[_Step] = []
        whole = 0.0
        for layer in range(encoder.layers):
            for group in _groups(encoder):
                height = -(-group.rows // placement.rows)
                order = group.outputs[np.argsort(-effects[NONE, layer, group.outputs], kind="stable")]
                for start in range(0, len(order), placement.columns):
                    block = order[start : start + placement.columns]
                    steps += _upgrades(layer, block, effects[:, layer, block].sum(axis=1), height, placement)
                    whole += height * placement.arrays[TERNARY]
        steps.sort(key=lambda step: (step.late, -step.gain / step.cost))
        self.whole = whole
        self.spent = np.concatenate([[0.0], np.cumsum([step.cost for step in steps])])
        self.reached = np.full((FORMS, encoder.layers, effects.shape[-1]), _NEVER, dtype=np.int32)
        self.reached[NONE] = 0
        for number, step in enumerate(steps, 1):
            self.reached[step.form, step.layer, step.outputs] = number

    def forms(self, share: NDArray[Any]) -> NDArray[np.int8]:
        """Form (..., L, outputs) of each column at a share (...) of the arrays that all columns take in ternary."""
        steps = np.searchsorted(self.spent, share * self.whole + _ROUNDING, side="right") - 1
        found = np.zeros((*np.shape(share), *self.reached.shape[1:]), dtype=np.int8)
        for form in (BINARY, TERNARY, SEVEN):  # a later form takes more arrays, so that it comes later
            found[self.reached[form] <= steps[..., None, None]] = form
        return found


@dataclass(frozen=True, slots=True)
class _Group:
    rows: int
    outputs: NDArray[Any]


def starts(encoder: dse.Encoder) -> list[int]:
    """Where each matrix's outputs begin among those of all matrices, and where they end."""
    return [0, *np.cumsum([matrix.columns for matrix in encoder.matrices]).tolist()]


def _groups(encoder: dse.Encoder) -> list[_Group]:
    """Matrices driven by the same input share arrays, so their columns are graded together."""
    begin = starts(encoder)
    groups: dict[str, list[int]] = {}
    for index, matrix in enumerate(encoder.matrices):
        groups.setdefault(matrix.input, []).append(index)
    return [
        _Group(
            encoder.matrices[members[0]].rows,
            np.concatenate([np.arange(begin[index], begin[index + 1]) for index in members]),
        )
        for members in groups.values()
    ]


def _upgrades(layer: int, block: NDArray[Any], effects: NDArray[Any], height: int, placement: Placement) -> list[_Step]:
    """Steps from nothing to the form that takes most arrays, each doing less good for an array than the one before.

    Forms that take more arrays than ternary come last: effects are measured to first order, which overrates what is left to
    gain in a column that is nearly right beside one that is not there at all.
    """
    cost = height * np.array(placement.arrays)
    steps: list[_Step] = []
    at = NONE
    for most in (cost[TERNARY], cost.max()):
        while dearer := [
            form for form in range(FORMS) if cost[at] < cost[form] <= most and effects[form] < effects[at]
        ]:
            best = max(dearer, key=lambda form: (effects[at] - effects[form]) / (cost[form] - cost[at]))
            late = bool(cost[best] > cost[TERNARY])
            steps.append(_Step(effects[at] - effects[best], cost[best] - cost[at], layer, block, best, late))
            at = best
    return steps
