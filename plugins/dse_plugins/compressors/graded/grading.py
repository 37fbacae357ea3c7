"""The order in which blocks of columns are graded up, and what every prefix of it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.compressors.graded.effects import BINARY, NONE, TERNARY
from dse_plugins.compressors.shared.even import ROUNDING


@dataclass(frozen=True, slots=True)
class Placement:
    """What decides how many arrays a block of columns takes.

    Attributes:
        rows: wordlines of an array.
        columns: bitlines of an array.
        binary: arrays a block of binary columns takes.
        ternary: arrays a block of ternary columns takes.
    """

    rows: int
    columns: int
    binary: float
    ternary: float

    @classmethod
    def of(cls, geometry: plugin.Geometry, point: int) -> Placement:
        """Placement of one point of a batch."""
        cell, separate = geometry.cell_bits[point], geometry.separate[point]
        signed = float(plugin.slices(np.array(1.0), cell, separate)) * (2 if separate else 1)
        plain = float(plugin.slices(np.array(1.0), cell, np.array(True)))
        return cls(int(geometry.rows[point]), int(geometry.columns[point]), plain, signed)

    @property
    def forms(self) -> tuple[int, ...]:
        """Forms a column takes one after the other; there is no use for binary where ternary takes no more arrays."""
        return (NONE, BINARY, TERNARY) if self.binary < self.ternary else (NONE, TERNARY)

    def level(self, share: NDArray[Any]) -> NDArray[np.float64]:
        """Mean place in `forms` of all columns that take a share (...) of the arrays they would take in ternary."""
        if self.binary >= self.ternary:
            return share
        spent = share * self.ternary
        return np.asarray(
            np.where(
                spent <= self.binary, spent / self.binary, 1 + (spent - self.binary) / (self.ternary - self.binary)
            )
        )


@dataclass(frozen=True, slots=True)
class _Step:
    gain: float
    cost: float
    layer: int
    outputs: NDArray[Any]
    level: int


class Grading:
    """Grades of one task's columns for one placement.

    Args:
        encoder: shapes.
        effects: (forms, L, outputs of all matrices in order) mean square change of the logits.
        placement: what blocks cost.

    Attributes:
        spent: (K + 1,) arrays taken after each step.
        levels: (K + 1, L, outputs of all matrices) int8, the form of each column.
    """

    def __init__(self, encoder: plugin.Encoder, effects: NDArray[Any], placement: Placement) -> None:
        steps: list[_Step] = []
        whole = 0.0
        for layer in range(encoder.layers):
            for group in _groups(encoder):
                height = -(-group.rows // placement.rows)
                order = group.outputs[np.argsort(-effects[NONE, layer, group.outputs], kind="stable")]
                for start in range(0, len(order), placement.columns):
                    block = order[start : start + placement.columns]
                    steps += _upgrades(layer, block, effects[:, layer, block].sum(axis=1), height, placement)
                    whole += height * placement.ternary
        steps.sort(key=lambda step: -step.gain / step.cost)
        self.whole = whole
        self.spent = np.concatenate([[0.0], np.cumsum([step.cost for step in steps])])
        self.levels = np.zeros((len(steps) + 1, encoder.layers, effects.shape[-1]), dtype=np.int8)
        for number, step in enumerate(steps, 1):
            self.levels[number] = self.levels[number - 1]
            self.levels[number, step.layer, step.outputs] = step.level

    def steps(self, share: NDArray[Any]) -> NDArray[np.int64]:
        """Steps that fit into a share (...) of the arrays that all columns take in ternary."""
        return np.searchsorted(self.spent, share * self.whole + ROUNDING, side="right") - 1


@dataclass(frozen=True, slots=True)
class _Group:
    rows: int
    outputs: NDArray[Any]


def starts(encoder: plugin.Encoder) -> list[int]:
    """Where each matrix's outputs begin among those of all matrices, and where they end."""
    return [0, *np.cumsum([matrix.columns for matrix in encoder.matrices]).tolist()]


def _groups(encoder: plugin.Encoder) -> list[_Group]:
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
    """One or two steps from nothing to ternary, each doing less good for an array than the one before."""
    binary, ternary = height * placement.binary, height * placement.ternary
    first = effects[NONE] - effects[BINARY]
    second = effects[BINARY] - effects[TERNARY]
    if ternary > binary and first / binary >= second / (ternary - binary):
        return [
            _Step(first, binary, layer, block, BINARY),
            _Step(second, ternary - binary, layer, block, TERNARY),
        ]
    return [_Step(effects[NONE] - effects[TERNARY], ternary, layer, block, TERNARY)]
