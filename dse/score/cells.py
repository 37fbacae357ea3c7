"""Cells of arrays: stored integers cut into bit slices, and what each cell reads as on one draw of a chip.

Conductances are in units of the largest one. Level v of n bits is programmed to g = g_off + (1 - g_off) v / (2^n - 1),
with g_off = 1 / on_off_ratio; a column's sum has the share of g_off taken off, so a cell that reads as g' counts as
(g' - g_off) / (1 - g_off) (2^n - 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.cost.counts import FULL_MAGNITUDE, slices
from dse.files import hash_parts
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.stored import Image, Key, Stored, Term

Array = NDArray[Any]

CELLS_VERSION = 1
"""Part of the recipe of scores on non-ideal arrays: raised when the same options could score differently."""

WAN22 = {
    "1 s": (0.348, 16.030, -43.853, 45.393, -16.815),
    "1 d": (0.701, 22.086, -50.773, 47.095, -16.458),
    "2 d": (0.782, 20.274, -43.507, 37.062, -11.934),
}
"""Standard deviation in uS of NeuRRAM's conductance, by time since programming: coefficients of x^0 to x^4, x = g / 40 uS.

Fitted to Wan et al., Nature 2022, in IBM's aihwkit (inference/noise/reram.py)."""
WAN22_US = 40.0
"""Largest conductance of those measurements; for another one the deviation grows in proportion."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One bit slice of one sign of a stored piece.

    Attributes:
        factor: what a unit of its sums is worth, its sign included.
        levels: (outputs, inputs) as stored.
        deviation: (outputs, inputs) what cells read as, less their levels.
        flipped: (row blocks, outputs) columns that hold the complement of their levels; None without flip encoding.
        unit: (outputs, inputs) what the extra column beside an output, whose cells hold 1, reads as; None without one.
    """

    factor: float
    levels: Array
    deviation: Array
    flipped: Array | None = None
    unit: Array | None = None


class Cells:
    """The cells of one draw of a chip.

    A cell is drawn by its place (owner, layer, matrix, term, slice, sign, row, column), so it is the same for every task
    that uses it, in any order, and designs that differ elsewhere are compared on the same draws.

    Args:
        what: non-idealities.
        geometry: of the arrays (P = 1).
        draw: number of the draw.
    """

    def __init__(self, what: Nonideality, geometry: Geometry, draw: int) -> None:
        self.what, self._draw = what, draw
        self._geometry = geometry
        self.rows, self._columns = int(geometry.rows[0]), int(geometry.columns[0])
        self._bits = int(geometry.cell_bits[0])
        self.top = 2**self._bits - 1
        off = 1 / what.on_off_ratio
        conductance = off + (1 - off) * np.arange(self.top + 1) / self.top
        measured = np.polynomial.polynomial.polyval(conductance, WAN22[what.read_after]) / WAN22_US
        self._conductance = conductance.astype(np.float32)
        self._wan22 = (measured * what.deviation).astype(np.float32)
        self._unit = np.float32(self.top / (1 - off))

    def program(self, stored: Stored, owner: str, key: Key) -> Stored:
        """Give a matrix's terms as they read: whole codes become what their cells come to.

        Args:
            stored: as a compressor stored it.
            owner: content digest of whose it is.
            key: layer and matrix.
        """
        terms = tuple(self._term(term, (owner, *key, index)) for index, term in enumerate(stored.terms))
        return replace(stored, terms=terms, image=self._image(stored.image, (owner, *key, "image")))

    def planes(self, term: Term, place: tuple[object, ...]) -> Iterator[Plane]:
        """Slices of both signs, the least significant first."""
        codes = term.codes.numpy().astype(np.int32)
        one_sign = bool(self._geometry.separate[0]) or term.unsigned
        depth = int(slices(np.array([term.magnitude]), self._geometry.cell_bits, np.array([one_sign]))[0])
        signed: tuple[tuple[int, Array], ...] = ((1, codes + self.bias(term)),)
        if one_sign and not term.unsigned:
            signed = ((1, codes.clip(min=0)), (-1, (-codes).clip(min=0)))
        for sign, values in signed:
            held = values.clip(max=2 ** (depth * self._bits) - 1)
            for index in range(depth):
                levels = (held >> (index * self._bits)) & self.top
                yield self._plane(levels, sign * 2.0 ** (index * self._bits), term, (*place, sign, index))

    def bias(self, term: Term) -> int:
        """What is added to codes that share one array for both signs."""
        return 0 if term.unsigned or bool(self._geometry.separate[0]) else term.magnitude

    def _plane(self, levels: Array, factor: float, term: Term, place: tuple[object, ...]) -> Plane:
        flipped = unit = None
        if bool(self._geometry.flip[0]):
            flipped = self._mask_flipped(levels)
            levels = np.where(self.by_row(flipped, levels.shape[1]), self.top - levels, levels)
        if flipped is not None or term.offset is not None:
            blocks = -(-levels.shape[0] // self._columns)
            ones = np.ones((blocks, levels.shape[1]), dtype=levels.dtype)
            read = 1 + self._deviation(ones, (*place, "unit"))
            unit = np.repeat(read, self._columns, axis=0)[: levels.shape[0]]
        return Plane(factor, levels, self._deviation(levels, place), flipped, unit)

    def _mask_flipped(self, levels: Array) -> Array:
        """Columns (row blocks, outputs) whose levels come to more than half of what they could."""
        starts = np.arange(0, levels.shape[1], self.rows)
        sums = np.add.reduceat(levels, starts, axis=1)
        most = np.diff(starts, append=levels.shape[1]) * self.top
        return np.asarray(2 * sums > most).T

    def by_row(self, blocks: Array, inputs: int) -> Array:
        """Spread what each block of rows has (row blocks, outputs) over its inputs: (outputs, inputs)."""
        return np.asarray(blocks[np.arange(inputs) // self.rows].T)

    def _deviation(self, levels: Array, place: tuple[object, ...]) -> Array:
        """What cells at these levels read as, less the level."""
        what, shape = self.what, levels.shape
        found = np.zeros(shape, dtype=np.float32)
        if what.deviation > 0:
            normal = _generator(what, self._draw, "spread", place).standard_normal(shape, dtype=np.float32)
            programmed = self._conductance[levels]
            if what.spread == "lognormal":
                found = programmed * np.expm1(np.float32(what.deviation) * normal)
            else:
                found = np.maximum(self._wan22[levels] * normal, -programmed)  # no conductance is negative
            found *= self._unit
        if what.stuck_on or what.stuck_off:
            chance = _generator(what, self._draw, "stuck", place).random(shape, dtype=np.float32)
            found = np.where(chance < what.stuck_off, -levels, found)
            found = np.where(chance >= 1 - what.stuck_on, self.top - levels, found)
        return found.astype(np.float32, copy=False)

    def _term(self, term: Term, place: tuple[object, ...]) -> Term:
        import torch

        if not on_arrays(term):
            return term
        values = term.codes.numpy().astype(np.float32)
        for plane in self.planes(term, place):
            change = plane.deviation
            if plane.flipped is not None and plane.unit is not None:
                back = self.top * (plane.unit - 1) - change
                change = np.where(self.by_row(plane.flipped, change.shape[1]), back, change)
            values += np.float32(plane.factor) * change
            if term.offset is not None and plane.factor == 1 and plane.unit is not None:
                offset = term.offset.reshape(-1, 1) * torch.from_numpy(plane.unit)
                term = replace(term, offset=offset)
        return replace(term, codes=torch.from_numpy(values))

    def _image(self, image: Image | None, place: tuple[object, ...]) -> Image | None:
        """What is written over the base is programmed anew."""
        if image is None or not image.codes.numel():
            return image
        return replace(image, codes=self._term(Term(image.codes, image.scale, FULL_MAGNITUDE), place).codes)


def on_arrays(term: Term) -> bool:
    """Whether a term has cells."""
    return bool(term.codes.numel() and term.magnitude) and not term.digital


def _generator(what: Nonideality, draw: int, kind: str, place: tuple[object, ...]) -> np.random.Generator:
    """Random numbers of one draw at one place."""
    text = repr((what.noise_seed, draw, kind, *place)).encode()
    return np.random.default_rng(int.from_bytes(hash_parts([text]), "big"))
