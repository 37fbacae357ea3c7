"""Weights drawn at once from their codes: the first two moments of cells drawn one by one, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm

import dse
from dse.score.moments import level_moments
from tests.support.devices import cells_of, device_of, lognormal, stuck, wan22
from tests.support.workloads import geometry

KEY = (1, 2)
CODES = [-127, -20, -1, 0, 1, 64, 100]
PCM = dse.Nonideality(cell_model="pcm", cell_draws="cells", cell_age="1 y", cell_options={"stuck_on": 0.01})


def test_moments_of_levels_are_those_of_the_law() -> None:
    found = level_moments(device_of(lognormal(sigma=0.3, on_off_ratio=4.0)), 3)
    g = np.array([1, 2, 3, 4]) / 4 * 4  # in units of a level, 4/3 of the largest
    np.testing.assert_allclose(found.shift, g * np.expm1(0.045), rtol=1e-4)
    np.testing.assert_allclose(found.variance, g**2 * np.exp(0.09) * np.expm1(0.09), rtol=1e-4)


def test_moments_know_that_no_conductance_is_negative() -> None:
    found = level_moments(device_of(wan22(on_off_ratio=1e6)), 1)
    s = 0.701 / 40
    assert found.shift[0] == pytest.approx(s * norm.pdf(0), rel=2e-4)
    assert found.variance[0] == pytest.approx(s * s * (0.5 - norm.pdf(0) ** 2), rel=2e-4)


def test_stuck_cells_are_in_the_moments() -> None:
    found = level_moments(device_of(stuck(stuck_on=0.1, stuck_off=0.3)), 1)
    np.testing.assert_allclose(found.shift, [0.1, -0.3], rtol=1e-5)
    np.testing.assert_allclose(found.variance, [0.1 * 0.9, 0.3 * 0.7], rtol=1e-5)


@pytest.mark.parametrize("what", [wan22(stuck_on=0.01, stuck_off=0.02), lognormal(sigma=0.2), PCM])
@pytest.mark.parametrize("compensation", [False, True])
@pytest.mark.parametrize(("encoding", "cell_bits"), [(0, 1), (0, 2), (1, 4)])
def test_a_code_has_the_moments_of_its_cells(
    what: dse.Nonideality, compensation: bool, encoding: int, cell_bits: int
) -> None:
    """Many weights of each code, drawn both ways: means and variances agree within their standard errors."""
    repeats, outputs = 1500, len(CODES)
    codes = torch.tensor(CODES, dtype=torch.int16)[:, None].repeat(1, repeats)
    term = dse.Term(codes, torch.tensor(1.0), 128)
    chip = geometry(rows=repeats, columns=outputs, encoding=encoding, cell_bits=cell_bits)
    drawn: list[Any] = []
    for way in ("cells", "codes"):
        options = what.model_copy(update={"cell_draws": way, "compensation": compensation})
        chips = [cells_of(options, chip, draw).program(dse.Stored((term,)), "t", KEY) for draw in range(4)]
        values = torch.cat([one.terms[0].codes for one, _ in chips], dim=1).double()
        noise = torch.cat(
            [torch.zeros(1, 1) if one is None else one.terms[0].codes for _, one in chips], dim=1
        ).double()
        drawn.append(
            (values.mean(1), values.var(1), noise.mean(1), (values - values.mean(1, keepdim=True)).pow(4).mean(1))
        )
    (mean, variance, noise, fourth), (fast, fast_variance, fast_noise, _) = drawn
    count = 4 * repeats
    assert ((mean - fast).abs() <= 4 * (2 * variance / count).sqrt() + 0.02).all()
    error = ((fourth - variance**2).clamp(min=0) / count + 2 * variance**2 / count).sqrt()
    assert ((variance - fast_variance).abs() <= 4 * error + 0.01 * variance).all()
    torch.testing.assert_close(fast_noise, noise, rtol=0.05, atol=1e-6)


def test_a_draw_at_once_is_known_by_its_place() -> None:
    term = dse.Term(torch.full((6, 9), 3, dtype=torch.int16), torch.tensor(1.0), 7)
    what = wan22(cell_draws="codes")

    def draw(number: int = 0, owner: str = "t") -> torch.Tensor:
        return cells_of(what, geometry(), number).program(dse.Stored((term,)), owner, KEY)[0].terms[0].codes

    assert torch.equal(draw(), draw())
    assert len({float(one.sum()) for one in (draw(), draw(1), draw(0, "u"))}) == 3


@pytest.mark.parametrize("encoding", [0, 1, 2])
def test_columns_with_an_extra_column_are_drawn_cell_by_cell(encoding: int) -> None:
    """Weights of a flipped or offset column share the cells of the extra column, which no table of codes knows."""
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (6, 20)).astype(np.int16))
    offset = dse.Term(codes, torch.ones(1), 1, unsigned=True, offset=torch.full((6, 1), -1.0))
    plain = dse.Term(codes, torch.ones(1), 1)
    for term, together in ((offset, True), (plain, encoding == 2)):
        read = [
            cells_of(wan22(cell_draws=way), geometry(encoding=encoding)).program(dse.Stored((term,)), "t", KEY)[0]
            for way in ("codes", "cells")
        ]
        assert torch.equal(read[0].terms[0].codes, read[1].terms[0].codes) == together
