"""Cells of arrays: stored integers cut into bit slices, and the value that each cell reads as on one draw of a chip.

Conductances are in units of the largest one. Level v of n bits is programmed to g = g_off + (1 - g_off) v / (2^n - 1),
with g_off = 1 / on_off_ratio. The share of g_off is subtracted from a column's sum, so a cell that reads as g' counts as
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
"""Part of the cache key of scores on non-ideal arrays: raised when the same options could score differently."""

WAN22 = {
    "1 s": (0.348, 16.030, -43.853, 45.393, -16.815),
    "1 d": (0.701, 22.086, -50.773, 47.095, -16.458),
    "2 d": (0.782, 20.274, -43.507, 37.062, -11.934),
}
"""Standard deviation in uS of NeuRRAM's conductance, by time since programming: coefficients of x^0 to x^4, x = g / 40 uS.

IBM's aihwkit (inference/noise/reram.py) fitted them to Wan et al., Nature 2022."""
WAN22_US = 40.0
"""Largest conductance of those measurements, uS; for another largest conductance the deviation scales in proportion."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One bit slice of one sign of a stored piece.

    Attributes:
        factor: weight of one unit of the slice's sums, its sign included.
        levels: stored levels, shape (outputs, inputs).
        deviation: read value of each cell minus its level, shape (outputs, inputs).
        flipped: whether a column holds its levels' complement, shape (row blocks, outputs); None without flip encoding.
        unit: read values of an output's extra column, whose cells hold 1, shape (outputs, inputs); None without it.
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
        nonideality: non-idealities of the arrays.
        geometry: geometry of the arrays (P = 1).
        draw: number of the draw.
    """

    def __init__(self, nonideality: Nonideality, geometry: Geometry, draw: int) -> None:
        self.nonideality, self._draw = nonideality, draw
        self._geometry = geometry
        self.rows, self._columns = int(geometry.rows[0]), int(geometry.usable_columns[0])
        self._bits = int(geometry.cell_bits[0])
        self.top = 2**self._bits - 1
        off = 1 / nonideality.on_off_ratio
        conductance = off + (1 - off) * np.arange(self.top + 1) / self.top
        measured = np.polynomial.polynomial.polyval(conductance, WAN22[nonideality.read_after]) / WAN22_US
        self._conductance = conductance.astype(np.float32)
        self._wan22 = (measured * nonideality.deviation).astype(np.float32)
        self._unit = np.float32(self.top / (1 - off))

    def program(self, stored: Stored, owner: str, key: Key) -> Stored:
        """Return a matrix's terms as they read: each code becomes the sum of its cells' read values.

        Args:
            stored: the matrix's terms from a compressor.
            owner: content digest of the owner.
            key: layer and matrix.
        """
        terms = tuple(self._term(term, (owner, *key, index)) for index, term in enumerate(stored.terms))
        return replace(stored, terms=terms, image=self._image(stored.image, (owner, *key, "image")))

    def planes(self, term: Term, place: tuple[object, ...]) -> Iterator[Plane]:
        """Yield the slices of both signs, the least significant first."""
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
        """Return the bias that is added to codes when one array holds both signs."""
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
        """Return whether a column's levels exceed half of their largest sum, shape (row blocks, outputs)."""
        starts = np.arange(0, levels.shape[1], self.rows)
        sums = np.add.reduceat(levels, starts, axis=1)
        most = np.diff(starts, append=levels.shape[1]) * self.top
        return np.asarray(2 * sums > most).T

    def by_row(self, blocks: Array, inputs: int) -> Array:
        """Repeat each row block's values (row blocks, outputs) for its inputs: (outputs, inputs)."""
        return np.asarray(blocks[np.arange(inputs) // self.rows].T)

    def _deviation(self, levels: Array, place: tuple[object, ...]) -> Array:
        """Draw the read values of cells at these levels, minus the levels."""
        nonideality, shape = self.nonideality, levels.shape
        deviation = np.zeros(shape, dtype=np.float32)
        if nonideality.deviation > 0:
            normal = _generator(nonideality, self._draw, "spread", place).standard_normal(shape, dtype=np.float32)
            programmed = self._conductance[levels]
            if nonideality.spread == "lognormal":
                deviation = programmed * np.expm1(np.float32(nonideality.deviation) * normal)
            else:
                deviation = np.maximum(self._wan22[levels] * normal, -programmed)  # no conductance is negative
            deviation *= self._unit
        if nonideality.stuck_on or nonideality.stuck_off:
            chance = _generator(nonideality, self._draw, "stuck", place).random(shape, dtype=np.float32)
            deviation = np.where(chance < nonideality.stuck_off, -levels, deviation)
            deviation = np.where(chance >= 1 - nonideality.stuck_on, self.top - levels, deviation)
        return deviation.astype(np.float32, copy=False)

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
        """Return an image as its cells read: blocks that are written over the base have draws of their own."""
        if image is None or not image.codes.numel():
            return image
        return replace(image, codes=self._term(Term(image.codes, image.scale, FULL_MAGNITUDE), place).codes)


def on_arrays(term: Term) -> bool:
    """Return whether a term has cells."""
    return bool(term.codes.numel() and term.magnitude) and not term.digital


def _generator(nonideality: Nonideality, draw: int, kind: str, place: tuple[object, ...]) -> np.random.Generator:
    """Return the random numbers of one draw at one place."""
    text = repr((nonideality.noise_seed, draw, kind, *place)).encode()
    return np.random.default_rng(int.from_bytes(hash_parts([text]), "big"))
