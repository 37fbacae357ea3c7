"""Counts against a bit-serial brute-force simulation, and against published totals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.counts import bit_length, count, slices
from dse.cost.demand import demand
from tests.support.workloads import bert_base, geometry, minilm

ENCODINGS = dse.ENCODINGS


@dataclass
class Simulated:
    """What a bit-serial simulation of one input vector observed."""

    arrays: int = 0
    conversions: int = 0
    drives: int = 0
    products: dict[str, np.ndarray] = field(default_factory=dict)


def simulate(
    matrices: dict[str, np.ndarray], bounds: dict[str, int], vector: np.ndarray, size: int, cell: int, encoding: str
) -> Simulated:
    """Program every cell of every array, apply the input bit by bit, and convert each live bitline.

    Matrices (outputs, inputs) of integers share the input vector and pack their columns plane by plane. ``unsigned`` is
    an encoding too: the codes as they are, and an extra column an array that sums the inputs.
    """
    seen = Simulated(products={name: np.zeros(len(codes)) for name, codes in matrices.items()})
    rows = len(vector)
    signs = {"separate": (1, -1), "unsigned": (1,)}.get(encoding, (0,))
    for sign in signs:
        planes: dict[int, list[tuple[str, int, np.ndarray]]] = {}
        for name, codes in matrices.items():
            bound = bounds[name]
            if sign:
                levels, values = bound + 1, np.maximum(sign * codes, 0)
            else:
                levels, values = (256 if bound == 128 else 2 * bound + 1), codes + bound
            depth = math.ceil(math.ceil(math.log2(levels)) / cell) if bound else 0
            for plane in range(depth):
                digit = (values >> (cell * plane)) & (2**cell - 1)
                planes.setdefault(plane, []).extend((name, at, line) for at, line in enumerate(digit))
        for plane, columns in planes.items():
            for top in range(0, rows, size):
                block = vector[top : top + size]
                for left in range(0, len(columns), size):
                    seen.arrays += 1
                    seen.drives += len(block)
                    seen.conversions += int(encoding in ("offset-flip", "unsigned"))
                    for name, at, digits in columns[left : left + size]:
                        seen.conversions += 1
                        total = 0
                        for bit in range(8):  # two's complement, the highest bit weighs -128
                            applied = (block >> bit) & 1
                            weight = -128 if bit == 7 else 2**bit
                            total += weight * int(applied @ digits[top : top + size])
                        seen.products[name][at] += (sign or 1) * total * 2 ** (cell * plane)
    if 0 in signs:
        for name in matrices:
            seen.products[name] -= bounds[name] * vector.sum()
    return seen


@st.composite
def stored_groups(draw: st.DrawFn) -> tuple[dict[str, np.ndarray], dict[str, int], np.ndarray, int, int, str, bool]:
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    rows = draw(st.integers(1, 40))
    encoding, unsigned = draw(st.sampled_from(ENCODINGS)), draw(st.booleans())
    bounds = {name: draw(st.sampled_from([0, 1, 3, 7, 15, 128])) for name in draw(st.sampled_from(["q", "qk", "qkv"]))}
    matrices = {}
    for name, bound in bounds.items():
        columns = draw(st.integers(0, 30))
        top, low = min(bound, 127), 0 if unsigned else -bound
        matrices[name] = rng.integers(low, top + 1, size=(columns, rows)) if bound else np.zeros((columns, rows), int)
    vector = rng.integers(-128, 128, size=rows)
    size, cell = draw(st.sampled_from([4, 8, 16])), draw(st.sampled_from([1, 2, 4]))
    return matrices, bounds, vector, size, cell, encoding, unsigned


@given(stored_groups())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_counts_equal_a_bit_serial_simulation(case: tuple) -> None:  # type: ignore[type-arg]
    matrices, bounds, vector, size, cell, encoding, unsigned = case
    seen = simulate(matrices, bounds, vector, size, cell, "unsigned" if unsigned else encoding)

    shape = dse.Encoder(1, tuple(dse.Matrix(n, len(vector), len(c), "x") for n, c in matrices.items()), 1, 1, 1, 0, 0)
    load = dse.Workload("one", shape, (dse.Task("t", 1, 1, 0, 1.0),))
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    held = wanted.used[..., None] * np.array([c.size > 0 and bounds[n] > 0 for n, c in matrices.items()], float)
    held[:, 0] = 0
    piece = dse.Piece(held * wanted.rows, held * wanted.columns, held * np.array(list(bounds.values())), unsigned)
    footprint = dse.Footprint((piece,), np.zeros(held.shape), np.zeros(wanted.used.shape, bool))
    code = ENCODINGS.index(encoding)
    counted = count(load, wanted, footprint, geometry(rows=size, columns=size, cell_bits=cell, encoding=code))

    assert counted.arrays[0, 1, 0] == seen.arrays
    assert counted.conversions[0, 1, 0] == seen.conversions
    assert counted.drives[0, 1, 0] == seen.drives
    for name, codes in matrices.items():
        if bounds[name]:
            np.testing.assert_array_equal(seen.products[name], codes @ vector)


@pytest.mark.parametrize("bound", range(1, 300))
def test_bit_length_is_the_published_law(bound: int) -> None:
    assert bit_length(np.array(bound)) == math.ceil(math.log2(bound + 1))


@pytest.mark.parametrize(("cell", "share", "eight_tasks"), [(1, 0.125, 0.26), (2, 0.25, 0.38), (4, 0.5, 0.63)])
def test_ternary_over_eight_bits_is_the_published_share(cell: int, share: float, eight_tasks: float) -> None:
    bits = np.array(cell)
    separate = np.array(True)
    ratio = slices(np.array(1.0), bits, separate) / slices(np.array(128.0), bits, separate)

    assert ratio == share
    assert 1 / 8 + ratio == pytest.approx(eight_tasks, abs=0.011)


def test_one_unsigned_bit_takes_half_of_what_ternary_takes_in_separate_arrays() -> None:
    load = minilm()
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    held = wanted.used[..., None] * np.ones(6)
    arrays = []
    for unsigned in (False, True):
        piece = dse.Piece(held * wanted.rows, held * wanted.columns, held, unsigned)
        footprint = dse.Footprint((piece,), np.zeros(held.shape), np.zeros(wanted.used.shape, bool))
        arrays.append(count(load, wanted, footprint, geometry()).arrays[0, 1].sum())

    assert arrays == [10_368 / 8, 10_368 / 16]


@pytest.mark.parametrize(
    ("load", "cell", "encoding", "arrays"),
    [
        (bert_base(), 1, 0, 82_944),
        (bert_base(), 1, 1, 41_472),
        (bert_base(), 2, 1, 20_736),
        (minilm(), 1, 0, 10_368),
    ],
)
def test_whole_models_take_the_published_arrays(load: dse.Workload, cell: int, encoding: int, arrays: int) -> None:
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    counted = count(load, wanted, dse.whole_footprint(wanted), geometry(cell_bits=cell, encoding=encoding))

    assert counted.arrays.sum() == arrays


def test_packing_shares_arrays_between_matrices_of_one_input_only() -> None:
    load = minilm()
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    held = wanted.used[..., None] * np.array([1.0, 0, 0, 1, 1, 1])
    piece = dse.Piece(held * wanted.rows, held * 40, held * 1)
    footprint = dse.Footprint((piece,), np.zeros(held.shape), np.zeros(wanted.used.shape, bool))
    three = np.ones(6)
    used = wanted.used[..., None] * three
    every = dse.Piece(used * wanted.rows, used * 40, used * 1)
    packed = count(load, wanted, dse.Footprint((every,), footprint.digital_bits, footprint.on_base), geometry())
    apart = count(
        load,
        wanted,
        dse.Footprint((every,), footprint.digital_bits, footprint.on_base),
        geometry(packing="none"),
    )

    assert count(load, wanted, footprint, geometry()).arrays[0, 1, 0] == 2 * (3 + 3 + 3 + 12)
    assert packed.arrays[0, 1, 0] == 2 * (3 * 1 + 3 + 3 + 12)  # 120 columns of query, key, value in one block column
    assert apart.arrays[0, 1, 0] == 2 * (3 * 3 + 3 + 3 + 12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_batch_counts_what_its_points_count_alone_whatever_a_point_drops(seed: int) -> None:
    load, rng, points = minilm(), np.random.default_rng(seed), 4
    wanted = demand(load, dse.separate_models(load, points), generator="test")
    shape = (*wanted.used.shape, 6)
    rows = rng.choice([0.0, 100, 384], size=shape, p=[0.2, 0.2, 0.6])
    columns, magnitude = rng.choice([0.0, 40, 384], size=shape), rng.choice([0.0, 1, 3, 128], size=shape)
    unsigned = bool(rng.integers(2))

    def counted(at: slice) -> dse.Counts:
        plan = demand(load, dse.separate_models(load, len(range(points)[at])), generator="test")
        piece = dse.Piece(rows[at], columns[at], magnitude[at], unsigned)
        footprint = dse.Footprint((piece,), np.zeros(rows[at].shape), np.zeros(plan.used.shape, bool))
        return count(load, plan, footprint, geometry(points=len(range(points)[at])))

    together = counted(slice(None))
    for point in range(points):
        alone = counted(slice(point, point + 1))
        for name in ("arrays", "conversions", "drives", "inputs", "partials", "outputs"):
            np.testing.assert_array_equal(getattr(together, name)[point], getattr(alone, name)[0])


def test_compensation_takes_a_factor_per_array_and_a_product_per_live_bitline() -> None:
    load = minilm(2)
    wanted = demand(load, dse.separate_models(load, 1), generator="t")
    plain = count(load, wanted, dse.whole_footprint(wanted), geometry())
    more = count(load, wanted, dse.whole_footprint(wanted), geometry(), compensated=True)
    np.testing.assert_array_equal(more.digital_bits - plain.digital_bits, 16 * plain.arrays)
    np.testing.assert_array_equal(more.scalings - plain.scalings, plain.conversions)
    np.testing.assert_array_equal(more.arrays, plain.arrays)
