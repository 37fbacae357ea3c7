"""What cells read as: exact without noise, as the published laws say with it, and the same for whoever asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import dse
from dse.score.cells import Cells
from dse.score.matrices import effective
from tests.support.workloads import geometry

KEY = (1, 2)
SMALL: dict[str, Any] = {"rows": 8, "columns": 4}


def codes(shape: tuple[int, int], magnitude: int, *, least: int | None = None, seed: int = 0) -> torch.Tensor:
    low = -magnitude if least is None else least
    drawn = np.random.default_rng(seed).integers(low, magnitude, shape, endpoint=True)
    return torch.from_numpy(drawn.astype(np.int16))


def shape_of(stored: dse.Stored) -> tuple[int, int]:
    rows, columns = stored.terms[0].codes.shape
    return rows, columns


def read(stored: dse.Stored, what: dse.Nonideality, draw: int = 0, owner: str = "t", **arrays: Any) -> torch.Tensor:
    return effective(Cells(what, geometry(**arrays), draw).program(stored, owner, KEY), None, shape_of(stored))


def stored(magnitude: int = 128, shape: tuple[int, int] = (10, 20)) -> dse.Stored:
    return dse.Stored((dse.Term(codes(shape, min(magnitude, 127)), torch.tensor(1.0), magnitude),))


SIGNS = dse.Stored(
    (dse.Term(codes((6, 20), 1, least=0), torch.tensor([2.0]), 1, unsigned=True, offset=torch.full((6, 1), -1.0)),)
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    spread=st.sampled_from(["wan22", "lognormal"]),
    encoding=st.integers(0, 2),
    cell_bits=st.sampled_from([1, 2, 4]),
    magnitude=st.sampled_from([1, 3, 100, 128]),
)
def test_without_deviation_every_cell_reads_as_what_was_stored(
    spread: Any, encoding: int, cell_bits: int, magnitude: int
) -> None:
    what = dse.Nonideality(spread=spread, spread_scale=0.0)
    for held in (stored(magnitude), SIGNS):
        found = read(held, what, encoding=encoding, cell_bits=cell_bits, **SMALL)
        assert torch.equal(found, effective(held, None, shape_of(held)))


def test_only_arrays_deviate() -> None:
    digital = dse.Term(codes((4, 6), 100), torch.tensor(1.0), 128, digital=True)
    held = dse.Stored((digital,), bias=torch.ones(4))
    what = dse.Nonideality(spread="wan22", stuck_on=0.5)
    assert Cells(what, geometry(), 0).program(held, "t", KEY) == held


def moments(what: dse.Nonideality, level: int, top: int) -> tuple[float, float]:
    """Mean and variance of what a cell reads as, less its level, in closed form."""
    off = 1 / what.on_off_ratio
    g = off + (1 - off) * level / top
    if what.spread == "lognormal":
        s = what.sigma * what.spread_scale
        mean, variance = g * np.exp(s * s / 2), g * g * np.exp(s * s) * np.expm1(s * s)
    else:  # a normal that is 0 where it would be negative; coefficients of aihwkit, in uS of 40
        c = {"1 s": (0.348, 16.030, -43.853, 45.393, -16.815), "2 d": (0.782, 20.274, -43.507, 37.062, -11.934)}
        s = what.spread_scale * sum(value * g**power for power, value in enumerate(c[what.read_after])) / 40
        z = g / s
        mean = g * norm.cdf(z) + s * norm.pdf(z)
        variance = (g * g + s * s) * norm.cdf(z) + g * s * norm.pdf(z) - mean * mean
    unit = top / (1 - off)
    return float(mean - g) * unit, float(variance) * unit * unit


@pytest.mark.parametrize(
    "what",
    [
        dse.Nonideality(spread="lognormal", sigma=0.2, on_off_ratio=15.0),
        dse.Nonideality(spread="lognormal", sigma=0.1, spread_scale=3.0),
        dse.Nonideality(spread="wan22", read_after="1 s"),
        dse.Nonideality(spread="wan22", read_after="2 d", on_off_ratio=150.0),
    ],
)
@pytest.mark.parametrize("encoding", [0, 1])
@pytest.mark.parametrize("cell_bits", [1, 2])
def test_an_effective_weight_has_the_mean_and_variance_of_its_cells(
    what: dse.Nonideality, encoding: int, cell_bits: int
) -> None:
    values, repeats, magnitude = [-100, -3, 0, 37, 127], 20_000, 128
    held = dse.Stored(
        (dse.Term(torch.tensor(values, dtype=torch.int16)[:, None].repeat(1, repeats), torch.tensor(1.0), magnitude),)
    )
    found = read(held, what, encoding=encoding, cell_bits=cell_bits).double()
    top = 2**cell_bits - 1
    for value, row in zip(values, found, strict=True):
        signed = [(1, value + magnitude)] if encoding else [(1, max(value, 0)), (-1, max(-value, 0))]
        cells = [
            (sign * 2**at, *moments(what, (held_value >> at) & top, top))
            for sign, held_value in signed
            for at in range(0, 8, cell_bits)
        ]
        mean = sum(factor * shift for factor, shift, _ in cells)
        variance = sum(factor**2 * one for factor, _, one in cells)
        error = np.sqrt(variance / repeats)
        assert float(row.mean()) - value == pytest.approx(mean, abs=4 * error)
        assert float(row.var()) == pytest.approx(variance, rel=0.08)


@pytest.mark.parametrize(
    ("what", "encoding", "expected"),
    [
        (dse.Nonideality(stuck_on=1.0), 0, 0),  # both signs hold all they can
        (dse.Nonideality(stuck_off=1.0), 0, 0),
        (dse.Nonideality(stuck_on=1.0), 1, 255 - 128),
        (dse.Nonideality(stuck_off=1.0), 1, -128),
        (dse.Nonideality(stuck_on=1.0, spread="wan22"), 1, 255 - 128),  # nothing spreads in a cell that is stuck
    ],
)
@pytest.mark.parametrize("cell_bits", [1, 2])
def test_cells_that_are_all_stuck_hold_nothing_of_what_was_stored(
    what: dse.Nonideality, encoding: int, expected: int, cell_bits: int
) -> None:
    found = read(stored(), what, encoding=encoding, cell_bits=cell_bits)
    assert torch.equal(found, torch.full_like(found, expected))


def test_a_stuck_cell_moves_its_weight_by_what_it_held() -> None:
    """Cell by cell: a weight that changes does so by bits that were lost or gained, and as many do as the rate says."""
    held, rate = stored(shape=(100, 200)), 0.01
    change = (read(held, dse.Nonideality(stuck_off=rate)) - held.terms[0].codes).int().numpy()
    code = held.terms[0].codes.int().numpy()
    magnitude, lost = np.abs(code), -change * np.sign(code)
    assert ((lost >= 0) & ((lost & ~magnitude) == 0)).all()
    bits = sum(((magnitude >> at) & 1) for at in range(8)).sum()
    lost_bits = sum(((lost >> at) & 1) for at in range(8)).sum()
    assert lost_bits / bits == pytest.approx(rate, rel=0.1)


def test_cells_that_are_stuck_stay_so_at_a_larger_rate_and_with_spread() -> None:
    held = stored(shape=(50, 80))
    few, many = (read(held, dse.Nonideality(stuck_on=rate), encoding=1) - held.terms[0].codes for rate in (0.01, 0.05))
    assert ((few == 0) | (many != 0)).all()
    assert (many != 0).sum() > 3 * (few != 0).sum()
    both = read(held, dse.Nonideality(stuck_on=0.05, spread="lognormal", sigma=1e-6), encoding=1) - held.terms[0].codes
    torch.testing.assert_close(both, many, atol=1e-2, rtol=0)


def test_a_cell_is_drawn_by_its_place_alone() -> None:
    what = dse.Nonideality(spread="lognormal")
    first = read(stored(), what)
    assert torch.equal(read(stored(), what), first)
    others = [
        read(stored(), what, draw=1),
        read(stored(), what, owner="u"),
        read(stored(), dse.Nonideality(spread="lognormal", noise_seed=1)),
    ]
    assert len({float(found.sum()) for found in (first, *others)}) == 4


def test_a_wider_law_moves_the_same_cells_further() -> None:
    held = stored()
    near, far = (
        read(held, dse.Nonideality(spread="wan22", spread_scale=scale, on_off_ratio=2.0)) - held.terms[0].codes
        for scale in (0.1, 0.2)
    )
    torch.testing.assert_close(far, 2 * near, atol=1e-3, rtol=1e-3)  # so far from 0 none is cut off


def test_unsigned_codes_lean_on_the_extra_column_of_their_array() -> None:
    """An offset is read by cells too: those of one column for all outputs of an array."""
    what = dse.Nonideality(stuck_off=0.3)
    term = dse.Term(torch.zeros(8, 40, dtype=torch.int16), torch.tensor(1.0), 1, unsigned=True, offset=torch.ones(8))
    found = read(dse.Stored((term,)), what, rows=16, columns=4)
    assert set(found.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(found[:4], found[:1].expand(4, -1))
    assert torch.equal(found[4:], found[4:5].expand(4, -1))
    assert not torch.equal(found[:4], found[4:])


def test_flipped_columns_hold_the_complement() -> None:
    """A column of ones is held as zeros: stuck off, its cells lose nothing, and only the extra column does."""
    high = dse.Stored((dse.Term(torch.full((4, 8), 127, dtype=torch.int16), torch.tensor(1.0), 128),))
    whole = dse.Nonideality(stuck_off=1.0)
    assert torch.equal(read(high, whole, encoding=2, **SMALL), torch.full((4, 8), -128.0))
    assert torch.equal(read(high, dse.Nonideality(stuck_on=1.0), encoding=2, **SMALL), torch.full((4, 8), -128.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": -0.1}, "'sigma' of hardware 'isaac' is not usable: Input should be greater than or equal to 0"),
        ({"sigma": float("inf")}, "'sigma'.*finite number"),
        ({"spread": "gaussian"}, "'spread'.*'none', 'wan22' or 'lognormal'"),
        ({"read_after": "3 d"}, "'read_after'.*'1 s', '1 d' or '2 d'"),
        ({"stuck_on": 1.5}, "'stuck_on'.*less than or equal to 1"),
        ({"stuck_on": 0.7, "stuck_off": 0.4}, "'stuck_off'.*no cell is stuck twice"),
        ({"on_off_ratio": 1.0}, "'on_off_ratio'.*greater than 1"),
        ({"adc": "clipped"}, "'adc'.*'ideal' or 'real'"),
        ({"adc_range": 0.0}, "'adc_range'.*greater than 0"),
        ({"adc_rows": 3}, "'adc_rows'.*greater than or equal to 10"),
        ({"draws": 0}, "'draws'.*greater than or equal to 1"),
        ({"noise_seed": -1}, "'noise_seed'.*greater than or equal to 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(dse.PluginContractError, match=message):
        dse.Registry().discover().build("hardware", "isaac", options)


@pytest.mark.parametrize("name", ["isaac", "neurosim"])
def test_built_in_hardware_says_what_its_options_switch_on(name: str) -> None:
    registry = dse.Registry().discover()
    found = registry.build("hardware", name, {"spread": "wan22", "stuck_on": 0.01}).nonideality(dse.Params(1))
    assert (found.spread, found.stuck_on, found.is_off) == ("wan22", 0.01, False)
    assert registry.build("hardware", name, {}).nonideality(dse.Params(1)).is_off
