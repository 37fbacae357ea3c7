"""Cells of arrays: stored integers cut into bit slices, and what each cell reads as, programmed and aged, on one draw of a chip.

Level v of n bits is programmed to g = g_min + (g_max - g_min) v / (2^n - 1). The share of g_min is subtracted from a column's sum,
so a cell that reads as g' counts as (2^n - 1) (g' - g_min) / (g_max - g_min).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.cost.counts import FULL_MAGNITUDE, slices
from dse.files import hash_parts
from dse.records.arrays import Tensor
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.stored import Image, Key, Stored, Term
from dse.score.array_effects import attenuate, compensate
from dse.score.device import Device
from dse.score.moments import code_moments

Array = NDArray[Any]

CELLS_VERSION = 3
"""Part of the cache key of scores on non-ideal arrays: raised when the same options could score differently."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One bit slice of one sign of a stored piece.

    Attributes:
        factor: weight of one unit of the slice's sums, its sign included.
        levels: stored levels, shape (outputs, inputs).
        deviation: read value of each cell minus its level, shape (outputs, inputs).
        variance: variance of one read of each cell; None if reads are exact.
        flipped: whether a column holds its levels' complement, shape (row blocks, outputs); None without flip encoding.
        unit: read values of an output's extra column, whose cells hold 1, shape (outputs, inputs); None without it.
    """

    factor: float
    levels: Array
    deviation: Array
    variance: Array | None = None
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
        device: device of the cells; None: cells hold exactly what was stored.

    Attributes:
        reads: whether reads are noisy.
        read_seed: seed of their noise.
    """

    def __init__(self, nonideality: Nonideality, geometry: Geometry, draw: int, device: Device | None = None) -> None:
        self.nonideality, self._draw = nonideality, draw
        self._geometry, self._device = geometry, device
        self.rows, self._columns = int(geometry.rows[0]), int(geometry.usable_columns[0])
        self._bits = int(geometry.cell_bits[0])
        self.top = 2**self._bits - 1
        self.read_seed = int.from_bytes(hash_parts([repr((nonideality.noise_seed, draw)).encode()])[:4], "big")
        self.reads = device is not None and device.is_noisy
        self._by_code = (
            nonideality.cell_draws == "codes" and nonideality.adc == "ideal" and not nonideality.voltage_drop
        )
        if device is not None:
            self._targets = device.levels_us(self.top)
            self._unit = np.float32(self.top / device.unit_us)

    def program(self, stored: Stored, owner: str, key: Key) -> tuple[Stored, Stored | None]:
        """Return a matrix's terms as they read: each code becomes the sum of its cells' read values; and the reads' variances.

        Args:
            stored: the matrix's terms from a compressor.
            owner: content digest of the owner.
            key: layer and matrix.
        """
        pairs = [self._term(term, (owner, *key, index)) for index, term in enumerate(stored.terms)]
        image, noise = self._image(stored.image, (owner, *key, "image"))
        values = replace(stored, terms=tuple(term for term, _ in pairs), image=image)
        if not self.reads:
            return values, None
        scaling = stored.scaling and replace(stored.scaling, factors=stored.scaling.factors**2)
        variances = tuple(
            replace(term, codes=variance, scale=term.scale**2, offset=None)
            for term, (_, variance) in zip(stored.terms, pairs, strict=True)
        )
        return values, replace(stored, terms=variances, image=noise, scaling=scaling, bias=None)

    def planes(self, term: Term, place: tuple[object, ...]) -> Iterator[Plane]:
        """Yield the slices of both signs, the least significant first."""
        for sign, index, levels in self._slices(term.codes.numpy().astype(np.int32), term):
            yield self._plane(levels, sign * 2.0 ** (index * self._bits), term, (*place, sign, index))

    def _slices(self, codes: Array, term: Term) -> Iterator[tuple[int, int, Array]]:
        """Yield sign, index and levels of each slice that holds a term's codes."""
        one_sign = bool(self._geometry.separate[0]) or term.unsigned
        depth = int(slices(np.array([term.magnitude]), self._geometry.cell_bits, np.array([one_sign]))[0])
        signed: tuple[tuple[int, Array], ...] = ((1, codes + self.bias(term)),)
        if one_sign and not term.unsigned:
            signed = ((1, codes.clip(min=0)), (-1, (-codes).clip(min=0)))
        for sign, values in signed:
            held = values.clip(max=2 ** (depth * self._bits) - 1)
            for index in range(depth):
                yield sign, index, (held >> (index * self._bits)) & self.top

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
            read = 1 + self._deviation(ones, (*place, "unit"))[0]
            unit = np.repeat(read, self._columns, axis=0)[: levels.shape[0]]
        deviation, variance = self._deviation(levels, place)
        return Plane(factor, levels, deviation, variance, flipped, unit)

    def _mask_flipped(self, levels: Array) -> Array:
        """Return whether a column's levels exceed half of their largest sum, shape (row blocks, outputs)."""
        starts = np.arange(0, levels.shape[1], self.rows)
        sums = np.add.reduceat(levels, starts, axis=1)
        most = np.diff(starts, append=levels.shape[1]) * self.top
        return np.asarray(2 * sums > most).T

    def by_row(self, blocks: Array, inputs: int) -> Array:
        """Repeat each row block's values (row blocks, outputs) for its inputs: (outputs, inputs)."""
        return np.asarray(blocks[np.arange(inputs) // self.rows].T)

    def _deviation(self, levels: Array, place: tuple[object, ...]) -> tuple[Array, Array | None]:
        """Draw the read values of cells at these levels, minus the levels, and the variance of their reads if reads are noisy."""
        device, shape = self._device, levels.shape
        if device is None:
            return np.zeros(shape, dtype=np.float32), None
        target = self._targets[levels]
        programmed = device.program(target, self._normal("spread", place, shape))
        aged = device.age(programmed, target, self._normal("age", place, shape)) if device.ages else programmed
        noise = device.read_sigma(aged, programmed) * self._unit if self.reads else None
        factor: Any = np.float32(1)
        change, law = (aged - target) * self._unit, device.law
        stuck: list[tuple[Array, Array]] = []
        if law.stuck_on or law.stuck_off:
            chance = self._generator("stuck", place).random(shape, dtype=np.float32)
            stuck = [(chance < law.stuck_off, -levels), (chance >= 1 - law.stuck_on, self.top - levels)]
        for where, shift in stuck:
            np.copyto(change, shift, where=where, casting="same_kind")
        stored = levels.astype(np.float32) + self._targets[0] * self._unit
        if self.nonideality.compensation:
            first = (programmed - target) * self._unit
            for where, shift in stuck:
                np.copyto(first, shift, where=where, casting="same_kind")
            factor = compensate(stored + first, stored + change, self.rows, self._columns)
            change = factor * (stored + change) - stored
        if self.nonideality.voltage_drop:
            change = attenuate(stored + change, self.rows, float(law.wire_ohm * 1e-6 / self._unit)) - stored
        return change.astype(np.float32, copy=False), None if noise is None else (noise * factor) ** 2

    def _term(self, term: Term, place: tuple[object, ...]) -> tuple[Term, Tensor]:
        """Return a term as its cells read, and the variances of its codes' reads; these are the codes if no read is noisy."""
        import torch

        variance = torch.zeros_like(term.codes, dtype=torch.float32) if self.reads else term.codes
        if not on_arrays(term):
            return term, variance
        if self._device is not None and self._by_code and not bool(self._geometry.flip[0]) and term.offset is None:
            return self._draw_codes(self._device, term, place)
        values = term.codes.numpy().astype(np.float32)
        for plane in self.planes(term, place):
            change = plane.deviation
            if plane.flipped is not None and plane.unit is not None:
                back = self.top * (plane.unit - 1) - change
                change = np.where(self.by_row(plane.flipped, change.shape[1]), back, change)
            values += np.float32(plane.factor) * change
            if plane.variance is not None:
                variance.add_(torch.from_numpy(plane.variance), alpha=plane.factor**2)
            if term.offset is not None and plane.factor == 1 and plane.unit is not None:
                offset = term.offset.reshape(-1, 1) * torch.from_numpy(plane.unit)
                term = replace(term, offset=offset)
        return replace(term, codes=torch.from_numpy(values)), variance

    def _draw_codes(self, device: Device, term: Term, place: tuple[object, ...]) -> tuple[Term, Tensor]:
        """Draw weights at once, each with the mean and the variance of its code; return them and the variances of reads."""
        import torch

        lowest = 0 if term.unsigned else -term.magnitude
        codes, index = np.arange(lowest, term.magnitude + 1), term.codes.numpy().astype(np.intp)
        index -= lowest
        planes = [(sign * 2.0 ** (at * self._bits), levels) for sign, at, levels in self._slices(codes, term)]
        counts = np.bincount(index.ravel(), minlength=len(codes)) if self.nonideality.compensation else None
        table = code_moments(device, self.top, codes, planes, counts)
        seed = torch.Generator().manual_seed(self._seed("codes", place) >> 65)  # torch draws twice as fast as numpy
        values = torch.empty(index.shape).normal_(generator=seed)
        values.mul_(torch.from_numpy(table.deviation[index])).add_(torch.from_numpy(table.mean[index]))
        variance = torch.from_numpy(table.read_variance[index]) if self.reads else term.codes
        return replace(term, codes=values), variance

    def _normal(self, kind: str, place: tuple[object, ...], shape: tuple[int, ...]) -> Array:
        return self._generator(kind, place).standard_normal(shape, dtype=np.float32)

    def _generator(self, kind: str, place: tuple[object, ...]) -> np.random.Generator:
        """Return the random numbers of the draw at one place."""
        return np.random.default_rng(self._seed(kind, place))

    def _seed(self, kind: str, place: tuple[object, ...]) -> int:
        """Return a number of 128 bits that no other place shares."""
        text = repr((self.nonideality.noise_seed, self._draw, kind, *place)).encode()
        return int.from_bytes(hash_parts([text]), "big")

    def _image(self, image: Image | None, place: tuple[object, ...]) -> tuple[Image | None, Image | None]:
        """Return an image as its cells read, and its reads' variances: blocks written over the base have draws of their own."""
        if image is None or not image.codes.numel():
            return image, image
        term, variance = self._term(Term(image.codes, image.scale, FULL_MAGNITUDE), place)
        return replace(image, codes=term.codes), replace(image, codes=variance, scale=image.scale**2)


def on_arrays(term: Term) -> bool:
    """Return whether a term has cells."""
    return bool(term.codes.numel() and term.magnitude) and not term.digital
