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
from dse.files import hash_parts
from dse.score.device import find_device
from dse.score.matrices import effective
from tests.support.devices import REGISTRY, cells_of, lognormal, stuck, wan22
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
    return effective(cells_of(what, geometry(**arrays), draw).program(stored, owner, KEY)[0], None, shape_of(stored))


def stored(magnitude: int = 128, shape: tuple[int, int] = (10, 20)) -> dse.Stored:
    return dse.Stored((dse.Term(codes(shape, min(magnitude, 127)), torch.tensor(1.0), magnitude),))


SIGNS = dse.Stored(
    (dse.Term(codes((6, 20), 1, least=0), torch.tensor([2.0]), 1, unsigned=True, offset=torch.full((6, 1), -1.0)),)
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    what=st.sampled_from([wan22(scale=0.0), lognormal(sigma=0.0)]),
    compensation=st.booleans(),
    encoding=st.integers(0, 2),
    cell_bits=st.sampled_from([1, 2, 4]),
    magnitude=st.sampled_from([1, 3, 100, 128]),
)
def test_without_deviation_every_cell_reads_as_what_was_stored(
    what: dse.Nonideality, compensation: bool, encoding: int, cell_bits: int, magnitude: int
) -> None:
    what = what.model_copy(update={"compensation": compensation})
    for held in (stored(magnitude), SIGNS):
        found = read(held, what, encoding=encoding, cell_bits=cell_bits, **SMALL)
        assert torch.equal(found, effective(held, None, shape_of(held)))


def test_only_arrays_deviate() -> None:
    digital = dse.Term(codes((4, 6), 100), torch.tensor(1.0), 128, digital=True)
    held = dse.Stored((digital,), bias=torch.ones(4))
    assert cells_of(wan22(stuck_on=0.5), geometry()).program(held, "t", KEY)[0] == held


def moments(what: dse.Nonideality, level: int, top: int) -> tuple[float, float]:
    """Mean and variance of what a cell reads as, less its level, in closed form."""
    options: dict[str, Any] = {"on_off_ratio": 40.0, "scale": 1.0} | what.cell_options
    off = 1 / options["on_off_ratio"]
    g = off + (1 - off) * level / top
    if what.cell_model == "lognormal":
        s = options["sigma"]
        mean, variance = g * np.exp(s * s / 2), g * g * np.exp(s * s) * np.expm1(s * s)
    else:  # a normal that is 0 where it would be negative; coefficients of aihwkit, in uS of 40
        c = {"1 s": (0.348, 16.030, -43.853, 45.393, -16.815), "2 d": (0.782, 20.274, -43.507, 37.062, -11.934)}
        s = options["scale"] * sum(value * g**power for power, value in enumerate(c[what.cell_age])) / 40
        z = g / s
        mean = g * norm.cdf(z) + s * norm.pdf(z)
        variance = (g * g + s * s) * norm.cdf(z) + g * s * norm.pdf(z) - mean * mean
    unit = top / (1 - off)
    return float(mean - g) * unit, float(variance) * unit * unit


@pytest.mark.parametrize(
    "what",
    [
        lognormal(sigma=0.2, on_off_ratio=15.0),
        lognormal(sigma=0.3),
        wan22(scale=0.5).model_copy(update={"cell_age": "1 s"}),
        wan22(on_off_ratio=150.0).model_copy(update={"cell_age": "2 d"}),
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
        (stuck(stuck_on=1.0), 0, 0),  # both signs hold all they can
        (stuck(stuck_off=1.0), 0, 0),
        (stuck(stuck_on=1.0), 1, 255 - 128),
        (stuck(stuck_off=1.0), 1, -128),
        (wan22(stuck_on=1.0), 1, 255 - 128),  # nothing spreads in a cell that is stuck
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
    change = (read(held, stuck(stuck_off=rate)) - held.terms[0].codes).int().numpy()
    code = held.terms[0].codes.int().numpy()
    magnitude, lost = np.abs(code), -change * np.sign(code)
    assert ((lost >= 0) & ((lost & ~magnitude) == 0)).all()
    bits = sum(((magnitude >> at) & 1) for at in range(8)).sum()
    lost_bits = sum(((lost >> at) & 1) for at in range(8)).sum()
    assert lost_bits / bits == pytest.approx(rate, rel=0.1)


def test_cells_that_are_stuck_stay_so_at_a_larger_rate_and_with_spread() -> None:
    held = stored(shape=(50, 80))
    few, many = (read(held, stuck(stuck_on=rate), encoding=1) - held.terms[0].codes for rate in (0.01, 0.05))
    assert ((few == 0) | (many != 0)).all()
    assert (many != 0).sum() > 3 * (few != 0).sum()
    both = read(held, lognormal(stuck_on=0.05, sigma=1e-6), encoding=1) - held.terms[0].codes
    torch.testing.assert_close(both, many, atol=1e-2, rtol=0)


def test_a_cell_is_drawn_by_its_place_alone() -> None:
    what = lognormal()
    first = read(stored(), what)
    assert torch.equal(read(stored(), what), first)
    others = [
        read(stored(), what, draw=1),
        read(stored(), what, owner="u"),
        read(stored(), lognormal().model_copy(update={"noise_seed": 1})),
    ]
    assert len({float(found.sum()) for found in (first, *others)}) == 4


def test_a_wider_law_moves_the_same_cells_further() -> None:
    held = stored()
    near, far = (read(held, wan22(scale=scale, on_off_ratio=2.0)) - held.terms[0].codes for scale in (0.1, 0.2))
    torch.testing.assert_close(far, 2 * near, atol=1e-3, rtol=1e-3)  # so far from 0 none is cut off


def test_unsigned_codes_lean_on_the_extra_column_of_their_array() -> None:
    """An offset is read by cells too: those of one column for all outputs of an array."""
    what = stuck(stuck_off=0.3)
    term = dse.Term(torch.zeros(8, 40, dtype=torch.int16), torch.tensor(1.0), 1, unsigned=True, offset=torch.ones(8))
    found = read(dse.Stored((term,)), what, rows=16, columns=4)
    assert set(found.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(found[:4], found[:1].expand(4, -1))
    assert torch.equal(found[4:], found[4:5].expand(4, -1))
    assert not torch.equal(found[:4], found[4:])


def test_flipped_columns_hold_the_complement() -> None:
    """A column of ones is held as zeros: stuck off, its cells lose nothing, and only the extra column does."""
    high = dse.Stored((dse.Term(torch.full((4, 8), 127, dtype=torch.int16), torch.tensor(1.0), 128),))
    whole = stuck(stuck_off=1.0)
    assert torch.equal(read(high, whole, encoding=2, **SMALL), torch.full((4, 8), -128.0))
    assert torch.equal(read(high, stuck(stuck_on=1.0), encoding=2, **SMALL), torch.full((4, 8), -128.0))


OLD = {"spread": "wan22", "spread_scale": 0.5, "read_after": "2 d", "stuck_off": 0.01, "draws": 2}


def test_old_options_name_the_cell_model_that_replaces_them() -> None:
    with pytest.warns(FutureWarning, match="spread, spread_scale, read_after, stuck_off: write") as told:
        mapped = dse.Nonideality(**OLD)  # type: ignore[arg-type]  # old names
    new = wan22(scale=0.5, stuck_off=0.01).model_copy(update={"cell_age": "2 d", "draws": 2})
    assert mapped == new
    assert "cell_model = 'wan22'" in str(told[0].message)
    assert torch.equal(read(stored(), mapped), read(stored(), new))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"spread": "none", "sigma": 0.3}, dse.Nonideality()),
        ({"spread": "lognormal", "sigma": 0.05, "spread_scale": 2.0}, lognormal(sigma=0.1)),
        ({"stuck_on": 0.1, "on_off_ratio": 15.0}, stuck(stuck_on=0.1, on_off_ratio=15.0)),
    ],
)
def test_old_options_without_a_law_keep_what_they_meant(options: dict[str, Any], expected: dse.Nonideality) -> None:
    with pytest.warns(FutureWarning):
        assert dse.Nonideality(**options) == expected


@pytest.mark.parametrize(("level", "conductance"), [(0, 1.0), (3, 40.0)])
def test_old_options_draw_the_cells_that_they_drew(level: int, conductance: float) -> None:
    """The formula of the first release: g' = max(0, g + s(g) z), with the same normal numbers."""
    with pytest.warns(FutureWarning):
        what = dse.Nonideality(spread="wan22", read_after="2 d")  # type: ignore[call-arg]  # old names
    term = dse.Term(torch.full((5, 7), level, dtype=torch.int16), torch.tensor(1.0), 3, unsigned=True)
    found = read(dse.Stored((term,)), what, cell_bits=2)
    place = repr((0, 0, "spread", "t", *KEY, 0, 1, 0)).encode()
    seed = int.from_bytes(hash_parts([place]), "big")
    normal = np.random.default_rng(seed).standard_normal((5, 7), dtype=np.float32)
    x = conductance / 40
    sigma = 0.782 + 20.274 * x - 43.507 * x**2 + 37.062 * x**3 - 11.934 * x**4
    expected = np.maximum(conductance + sigma * normal, 0)
    np.testing.assert_allclose(found.numpy(), (expected - 1) / 39 * 3, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"cell_options": {"sigma": -0.1}},
            "'sigma' of cell_model 'lognormal' is not usable: .*greater than or equal to 0",
        ),
        ({"cell_options": {"sigma": float("inf")}}, "'sigma'.*finite number"),
        ({"cell_options": {"sigmas": 0.1}}, "there is no such option\n.*\n.*\n.*\n.*did you mean 'sigma'"),
        ({"cell_model": "gaussian"}, "no cell_model called 'gaussian'"),
        ({"cell_age": "a day"}, "'cell_age'.*a number above 0 and one of s, min, h, d, y"),
        ({"cell_age": "-1 d"}, "'cell_age'.*a number above 0"),
        ({"cell_model": "wan22", "cell_age": "3 d"}, "no data at this age"),
        ({"cell_options": {"stuck_on": 1.5}}, "'stuck_on'.*less than or equal to 1"),
        ({"cell_options": {"stuck_on": 0.7, "stuck_off": 0.4}}, "stuck shares of 1 at most together"),
        ({"cell_options": {"on_off_ratio": 1.0}}, "'on_off_ratio'.*greater than 1"),
        ({"cell_draws": "slices"}, "'cell_draws'.*'codes' or 'cells'"),
        ({"spread": "gaussian"}, "old option spread: expected none, wan22 or lognormal, found 'gaussian'"),
        ({"sigma": "wide"}, "old option sigma: expected a number, found 'wide'"),
        ({"adc": "clipped"}, "'adc'.*'ideal' or 'real'"),
        ({"adc_range": 0.0}, "'adc_range'.*greater than 0"),
        ({"adc_rows": 3}, "'adc_rows'.*greater than or equal to 10"),
        ({"draws": 0}, "'draws'.*greater than or equal to 1"),
        ({"noise_seed": -1}, "'noise_seed'.*greater than or equal to 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    given = options if {"spread", "sigma"} & set(options) else {"cell_model": "lognormal"} | options
    with pytest.raises(dse.DseError, match=message):
        find_device(REGISTRY, REGISTRY.build("hardware", "isaac", given).options)


@pytest.mark.parametrize("name", ["isaac", "neurosim"])
def test_built_in_hardware_says_what_its_options_switch_on(name: str) -> None:
    found = REGISTRY.build("hardware", name, {"cell_model": "wan22"}).nonideality(dse.Params(1))
    assert (found.cell_model, found.is_off) == ("wan22", False)
    assert REGISTRY.build("hardware", name, {}).nonideality(dse.Params(1)).is_off
