"""Sums that an ADC converts: against a loop over blocks, input bits, slices and cells, and exact where nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.models.inference.adc import digits_of, product
from dse.records.effective import Converter, OnArrays
from dse.records.stored import Matrices
from dse.score.adc_pieces import OnConverters, converter
from tests.support.devices import cells_of, lognormal
from tests.support.workloads import geometry

KEY = (0, 0)
REAL = dse.Nonideality(adc="real")
ARRAYS = {"rows": 5, "columns": 3}
BLOCK = 5


def codes(shape: tuple[int, int], magnitude: int, *, least: int | None = None, seed: int = 0) -> torch.Tensor:
    low = -magnitude if least is None else least
    drawn = np.random.default_rng(seed).integers(low, magnitude, shape, endpoint=True)
    return torch.from_numpy(drawn.astype(np.int16))


def pieces(stored: dse.Stored, what: dse.Nonideality, shape: tuple[int, int], **arrays: int) -> tuple[OnArrays, ...]:
    chip = geometry(**(ARRAYS | arrays))
    adc = converter(what, chip)
    assert adc is not None
    made = OnConverters(cells_of(what, chip), adc, "c")
    return made.arrays(stored, "t", KEY, Matrices({KEY: torch.zeros(shape)}), shape)


def inputs(vectors: int, count: int, bits: int = 8, seed: int = 1) -> torch.Tensor:
    top = 2 ** (bits - 1) - 1
    return torch.from_numpy(np.random.default_rng(seed).integers(-top, top, (vectors, count), endpoint=True)).float()


def by_hand(weight: np.ndarray, x: np.ndarray, adc: Converter, *, encoding: int, cell_bits: int, bound: int) -> float:
    """One output of one vector: every array, cycle, slice and cell by itself."""
    top, cycles = 2**cell_bits - 1, -(-adc.input_bits // adc.dac_bits)

    def converted(total: int) -> float:
        steps = min(round(abs(total) / adc.step), adc.most)
        return float(np.sign(total) * steps * adc.step)

    def digit(value: int, cycle: int) -> tuple[int, int]:
        """What is applied and what it is worth; the last one has the sign."""
        word = value % 2 ** (cycles * adc.dac_bits)
        applied = (word >> (cycle * adc.dac_bits)) & (2**adc.dac_bits - 1)
        worth = 2 ** (cycle * adc.dac_bits)
        if cycle == cycles - 1 and adc.dac_bits == 1:
            return applied, -worth
        if cycle == cycles - 1 and applied >= 2 ** (adc.dac_bits - 1):
            applied -= 2**adc.dac_bits
        return applied, worth

    result = 0.0
    signs: list[tuple[int, Callable[[int], int]]] = (
        [(1, lambda w: max(w, 0)), (-1, lambda w: max(-w, 0))] if encoding == 0 else [(1, lambda w: w + bound)]
    )
    depth = -(-(bound if encoding == 0 else 255 if bound == 128 else 2 * bound).bit_length() // cell_bits)
    for start in range(0, len(weight), adc.rows):
        rows = range(start, min(start + adc.rows, len(weight)))
        for sign, held in signs:
            for at in range(depth):
                levels = {row: (held(int(weight[row])) >> (at * cell_bits)) & top for row in rows}
                flips = encoding == 2 and 2 * sum(levels.values()) > len(rows) * top
                for cycle in range(cycles):
                    total = ones = 0
                    for row in rows:
                        applied, worth = digit(int(x[row]), cycle)
                        total += applied * (top - levels[row] if flips else levels[row])
                        ones += applied
                    read = top * converted(ones) - converted(total) if flips else converted(total)
                    result += sign * 2 ** (at * cell_bits) * worth * read
    return result - (0 if encoding == 0 else bound * float(x.sum()))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    encoding=st.integers(0, 2),
    cell_bits=st.sampled_from([1, 2, 4]),
    dac_bits=st.sampled_from([1, 2]),
    adc_bits=st.integers(1, 5),
    input_bits=st.sampled_from([4, 7, 8]),
    magnitude=st.sampled_from([1, 3, 128]),
    share=st.sampled_from([None, 1.0, 0.5]),
)
def test_every_sum_is_converted_by_itself(
    encoding: int, cell_bits: int, dac_bits: int, adc_bits: int, input_bits: int, magnitude: int, share: float | None
) -> None:
    chip = {"encoding": encoding, "cell_bits": cell_bits, "dac_bits": dac_bits, "input_bits": input_bits}
    what = dse.Nonideality(adc="real", adc_range=share)
    adc = converter(what, geometry(**(ARRAYS | chip | {"adc_bits": adc_bits})))
    if adc is None:
        return  # it loses nothing: another test
    weight = codes((4, 13), min(magnitude, 127))
    held = dse.Stored((dse.Term(weight, torch.tensor(0.5), magnitude),))
    (piece,) = pieces(held, what, (4, 13), adc_bits=adc_bits, **chip)
    x = inputs(3, 13, input_bits)
    found = product(piece, x)
    for vector in range(3):
        for output in range(4):
            expected = 0.5 * by_hand(
                weight[output].numpy(), x[vector].numpy(), adc, encoding=encoding, cell_bits=cell_bits, bound=magnitude
            )
            assert float(found[vector, output]) == pytest.approx(expected, rel=1e-5, abs=0.02)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    encoding=st.integers(0, 2),
    cell_bits=st.sampled_from([1, 2, 4]),
    dac_bits=st.sampled_from([1, 2, 3]),
    input_bits=st.sampled_from([5, 8]),
    magnitude=st.sampled_from([1, 7, 128]),
)
def test_an_adc_that_has_enough_bits_gives_the_product_itself(
    encoding: int, cell_bits: int, dac_bits: int, input_bits: int, magnitude: int
) -> None:
    """Whatever the encoding and the cycles: block by block, bit by bit, it adds up to the matrix product."""
    weight = codes((7, 13), min(magnitude, 127))
    held = dse.Stored((dse.Term(weight, torch.arange(1.0, 8.0), magnitude),))
    chip = geometry(
        **(ARRAYS | {"encoding": encoding, "cell_bits": cell_bits, "dac_bits": dac_bits, "input_bits": input_bits}),
        adc_bits=12,
    )
    assert converter(REAL, chip) is None
    (piece,) = OnConverters(cells_of(REAL, chip), forced(chip), "c").arrays(
        held, "t", KEY, Matrices({KEY: torch.zeros(7, 13)}), (7, 13)
    )
    x = inputs(4, 13, input_bits)
    expected = x @ (weight.float() * torch.arange(1.0, 8.0)[:, None]).T
    assert torch.equal(product(piece, x), expected)


def forced(chip: dse.Geometry, most: int = 4095) -> Converter:
    """An ADC without loss, where the core would simulate none."""
    names = ("rows", "columns", "dac_bits", "input_bits")
    values = {name: int(getattr(chip, name)[0]) for name in names}
    return Converter(top=2 ** int(chip.cell_bits[0]) - 1, step=1.0, most=most, **values)


@pytest.mark.parametrize(
    ("changes", "options", "simulated"),
    [
        ({"rows": 128, "adc_bits": 8}, {}, False),
        ({"rows": 128, "adc_bits": 7}, {}, True),
        ({"rows": 128, "adc_bits": 7, "encoding": 2}, {}, False),  # ISAAC's flip encoding saves one bit
        ({"rows": 128, "adc_bits": 9, "cell_bits": 2}, {}, False),
        ({"rows": 128, "adc_bits": 8, "cell_bits": 2}, {}, True),
        ({"rows": 128, "adc_bits": 8, "dac_bits": 2}, {}, True),
        ({"rows": 128, "adc_bits": 8}, {"adc_range": 1.0}, False),  # no step is finer than one unit
        ({"rows": 128, "adc_bits": 6}, {"adc_range": 1.0}, True),
        ({"rows": 128, "adc_bits": 8}, {"cell_model": "wan22"}, True),  # sums are not whole any more
        ({"rows": 128, "adc_bits": 5}, {"adc": "ideal", "cell_model": "wan22"}, False),
    ],
)
def test_conversions_are_simulated_where_they_lose_something(
    changes: dict[str, int], options: dict[str, Any], simulated: bool
) -> None:
    what = dse.Nonideality(**({"adc": "real"} | options))
    assert (converter(what, geometry(**changes)) is not None) == simulated


def test_an_adc_of_the_whole_range_rounds_and_one_of_unit_steps_saturates() -> None:
    chip = {"rows": 15, "columns": 8}
    held = dse.Stored((dse.Term(torch.ones(1, 15, dtype=torch.int16), torch.tensor(1.0), 1),))
    x = torch.zeros(16, 15)
    for count in range(16):
        x[count, :count] = 1
    saturating = product(pieces(held, REAL, (1, 15), adc_bits=3, **chip)[0], x)
    (piece,) = pieces(held, REAL.model_copy(update={"adc_range": 1.0}), (1, 15), adc_bits=3, **chip)
    rounding = product(piece, x)

    assert saturating[:, 0].tolist() == [float(min(count, 7)) for count in range(16)]
    step = 15 / 7
    np.testing.assert_allclose(rounding[:, 0], [round(count / step) * step for count in range(16)], rtol=1e-6)


@pytest.mark.parametrize(("bits", "each"), [(8, 1), (8, 2), (8, 3), (5, 2)])
def test_digits_add_up_to_their_input(bits: int, each: int) -> None:
    adc = Converter(8, 8, 1, each, bits, 1.0, 255)
    x = torch.arange(-(2.0 ** (bits - 1)) + 1, 2.0 ** (bits - 1))[:, None]
    digits, worth = digits_of(x, adc)
    assert torch.equal(torch.einsum("p,pni->ni", worth, digits), x)
    assert digits[:-1].min() >= 0
    assert digits.max() <= 2**each - 1


def test_pieces_know_their_place_in_a_matrix_that_was_cut() -> None:
    kept_out, kept_in = torch.tensor([1, 4, 5]), torch.tensor([0, 2, 3, 7])
    term = dse.Term(codes((2, 3), 3), torch.tensor(1.0), 3, columns=torch.tensor([0, 2]), rows=torch.tensor([1, 2, 3]))
    weights = Matrices({KEY: torch.zeros(3, 4)}, {KEY: kept_out}, {KEY: kept_in})
    chip = geometry(**ARRAYS)
    (piece,) = OnConverters(cells_of(REAL, chip), forced(chip), "c").arrays(
        dse.Stored((term,)), "t", KEY, weights, (6, 8)
    )
    whole = torch.zeros(6, 8)
    whole[torch.tensor([1, 5])[:, None], torch.tensor([2, 3, 7])] = term.codes.float()
    x = inputs(5, 8)
    assert torch.equal(product(piece, x), x @ whole.T)


def test_noisy_cells_and_exact_conversions_come_to_the_effective_weight() -> None:
    """What is simulated sum by sum is what the weight path takes at once, but for half precision and rounding."""
    what = lognormal(sigma=0.2, stuck_on=0.02, on_off_ratio=1e9)  # no sum is below 0
    term = dse.Term(codes((6, 13), 100), torch.tensor(1.0), 128)
    for encoding in range(3):
        chip = geometry(**ARRAYS, encoding=encoding)
        cells = cells_of(what, chip)
        fine = replace(forced(chip, 10**7), step=1e-4)
        held = dse.Stored((term,))
        (piece,) = OnConverters(cells, fine, "c").arrays(held, "t", KEY, Matrices({KEY: torch.zeros(6, 13)}), (6, 13))
        x = inputs(4, 13).abs()
        expected = x @ cells.program(held, "t", KEY)[0].terms[0].codes.float().T
        torch.testing.assert_close(product(piece, x), expected, rtol=2e-3, atol=20.0)


def test_an_offset_is_converted_with_its_extra_column() -> None:
    term = dse.Term(codes((4, 13), 1, least=0), torch.tensor([2.0]), 1, unsigned=True, offset=-torch.ones(4, 1))
    x = inputs(3, 13)
    chip = geometry(**ARRAYS)
    held, weights = dse.Stored((term,)), Matrices({KEY: torch.zeros(4, 13)})
    (exact,) = OnConverters(cells_of(REAL, chip), forced(chip), "c").arrays(held, "t", KEY, weights, (4, 13))
    (few,) = OnConverters(cells_of(REAL, chip), forced(chip, 2), "c").arrays(held, "t", KEY, weights, (4, 13))
    assert torch.equal(product(exact, x), x @ (2 * term.codes.float() - 1).T)
    assert not torch.equal(product(few, x), product(exact, x))


def test_a_product_is_converted_twice_and_what_is_digital_stays_apart() -> None:
    first = dse.Term(codes((2, 13), 3), torch.tensor(1.0), 3)
    second = dse.Term(codes((4, 2), 3), torch.tensor(1.0), 3, fed_by=0)
    digital = dse.Term(codes((4, 13), 3), torch.tensor(1.0), 3, digital=True)
    held = dse.Stored((first, second, digital))
    chip = geometry(**ARRAYS)
    on = OnConverters(cells_of(REAL, chip), forced(chip), "c")
    (piece,) = on.arrays(held, "t", KEY, Matrices({KEY: torch.zeros(4, 13)}), (4, 13))
    rest = on.rest(held)

    assert piece.then is not None
    assert torch.equal(product(piece.then, inputs(3, 2)), inputs(3, 2) @ second.codes.float().T)
    assert [term.codes.numel() for term in rest.terms] == [0, 0, 4 * 13]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"scaling": dse.Scaling(torch.ones(3, 4), 5, torch.ones(3, 4, dtype=torch.bool), 8)},
            "partial sums are scaled",
        ),
        ({"image": dse.Image(torch.zeros(4, 13), torch.tensor(1.0), torch.ones(2, 3, dtype=torch.bool))}, "rewritten"),
        (
            {
                "terms": (
                    dse.Term(codes((2, 13), 3), torch.tensor(1.0), 3),
                    dse.Term(codes((4, 2), 3), torch.tensor(1.0), 3, fed_by=0, digital=True),
                )
            },
            "one factor of a product is digital",
        ),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(change: dict[str, Any], why: str) -> None:
    held = replace(dse.Stored((dse.Term(codes((4, 13), 3), torch.tensor(1.0), 3),), on_base=True), **change)
    with pytest.raises(dse.SpaceError, match=why) as caught:
        pieces(held, REAL, (4, 13), adc_bits=2)
    assert "compressor 'c'" in str(caught.value)
    assert 'adc = "ideal"' in str(caught.value)
