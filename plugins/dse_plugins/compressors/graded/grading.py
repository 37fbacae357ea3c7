"""The order in which blocks of columns get better forms, and the arrays that each prefix of it takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.compressors.graded.effects import BINARY, NONE, TERNARY
from dse_plugins.shared import ROUNDING, Array


@dataclass(frozen=True, slots=True)
class Placement:
    """Numbers that decide how many arrays a block of columns takes.

    Attributes:
        rows: number of wordlines of an array.
        columns: number of bitlines of an array that weights may take.
        binary: number of arrays of a block of binary columns.
        ternary: number of arrays of a block of ternary columns.
    """

    rows: int
    columns: int
    binary: float
    ternary: float

    @classmethod
    def of(cls, geometry: plugin.Geometry, point: int) -> "Placement":
        """Return the placement of one design among those of a geometry."""
        cell, separate = geometry.cell_bits[point], geometry.separate[point]
        signed = float(plugin.slices(np.array(1.0), cell, separate)) * (2 if separate else 1)
        plain = float(plugin.slices(np.array(1.0), cell, np.array(True)))
        return cls(int(geometry.rows[point]), int(geometry.usable_columns[point]), plain, signed)

    @property
    def forms(self) -> tuple[int, ...]:
        """Forms of a column in ascending order; binary is left out if ternary takes no more arrays."""
        return (NONE, BINARY, TERNARY) if self.binary < self.ternary else (NONE, TERNARY)

    def level(self, share: Array) -> NDArray[np.float64]:
        """Mean place in `forms` of columns that take a share (...) of the arrays of their ternary form."""
        if self.binary >= self.ternary:
            return share
        spent = share * self.ternary
        beyond = 1 + (spent - self.binary) / (self.ternary - self.binary)
        return np.asarray(np.where(spent <= self.binary, spent / self.binary, beyond))


@dataclass(frozen=True, slots=True)
class _Step:
    gain: float
    cost: float
    layer: int
    outputs: Array
    level: int


class Grading:
    """Forms of one task's columns for one placement.

    Args:
        encoder: shapes of the matrices.
        effects: mean square change of the logits, shape (forms, L, outputs of all matrices in order).
        placement: cost of blocks in arrays.

    Attributes:
        spent: number of arrays after each of K steps, shape (K + 1,).
        levels: form of each column after each step, int8 (K + 1, L, outputs of all matrices).
    """

    def __init__(self, encoder: plugin.Encoder, effects: Array, placement: Placement) -> None:
        steps: list[_Step] = []
        whole = 0.0
        for layer in range(encoder.layers):
            for rows, outputs in _groups(encoder):
                height = -(-rows // placement.rows)
                order = outputs[np.argsort(-effects[NONE, layer, outputs], kind="stable")]
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

    def steps(self, share: Array) -> NDArray[np.int64]:
        """Number of steps that fit into a share (...) of the arrays that all columns take in ternary."""
        return np.searchsorted(self.spent, share * self.whole + ROUNDING, side="right") - 1


def starts(encoder: plugin.Encoder) -> list[int]:
    """Index of each matrix's first output among those of all matrices, and the number of all outputs."""
    return [0, *np.cumsum([matrix.columns for matrix in encoder.matrices]).tolist()]


def _groups(encoder: plugin.Encoder) -> list[tuple[int, Array]]:
    """Rows and outputs of matrices with the same input, whose columns share arrays and are graded together."""
    begin = starts(encoder)
    groups: dict[str, list[int]] = {}
    for index, matrix in enumerate(encoder.matrices):
        groups.setdefault(matrix.input, []).append(index)
    outputs = [np.arange(begin[index], begin[index + 1]) for index in range(len(encoder.matrices))]
    return [
        (encoder.matrices[members[0]].rows, np.concatenate([outputs[index] for index in members]))
        for members in groups.values()
    ]


def _upgrades(layer: int, block: Array, effects: Array, height: int, placement: Placement) -> list[_Step]:
    """One or two steps from nothing to ternary; the second gains less per array than the first."""
    binary, ternary = height * placement.binary, height * placement.ternary
    first = effects[NONE] - effects[BINARY]
    second = effects[BINARY] - effects[TERNARY]
    if ternary > binary and first / binary >= second / (ternary - binary):
        return [
            _Step(first, binary, layer, block, BINARY),
            _Step(second, ternary - binary, layer, block, TERNARY),
        ]
    return [_Step(effects[NONE] - effects[TERNARY], ternary, layer, block, TERNARY)]
