"""Static energy under each gating, and the share at which two designs take equal energy."""

from __future__ import annotations

import numpy as np
import pytest

from dse import plugin
from dse.cost.static import break_even, charge_static
from dse.records.occupancy import Gating

RUNS = np.ones((1, 1, 2))


def power(gating: Gating, shares: tuple[float, float] = (0.2, 0.02)) -> plugin.Power:
    """A chip of 10 W of converters and 20 W of everything else; ten of its hundred tiles work on a layer for 3 us."""
    chip = np.array([[10.0, 20.0]])
    tiles, on_us = np.full((1, 1, 2), 10.0), np.full((1, 1, 2), 3.0)
    return plugin.Power(chip, chip / 100, 0 * chip, tiles, on_us, np.full(1, 5.0), shares, gating)


def test_perfect_gating_charges_nothing() -> None:
    charged = charge_static(power("perfect"), RUNS, 100.0)
    assert charged["static_uj"][0] == charged["static_w"][0] == 0


def test_a_chip_that_is_never_off_draws_its_share_between_requests_too() -> None:
    charged = charge_static(power("none"), RUNS, 100.0)
    watts = 0.2 * 10 + 0.02 * 20
    assert charged["static_uj"][0] == pytest.approx(watts / 100 * 1e6)
    assert charged["static_w"][0] == pytest.approx(watts + 5)  # links draw power and are no energy of a request


def test_gated_tiles_draw_it_while_they_are_on_and_a_hundredth_while_they_are_off() -> None:
    charged = charge_static(power("tile"), RUNS, 100.0)
    on = 2 * 3 * (0.2 * 1 + 0.02 * 2)  # two layers of 3 us
    off = 0.01 * (0.2 * 10 + 0.02 * 20) / 100 * 1e6
    wake = 2 * 1.0 * (1 + 2)  # two layers of 1 us at peak power
    assert charged["static_uj"][0] == pytest.approx(on + off + wake)
    assert charged["static_w"][0] == pytest.approx((on + off + wake) * 100 * 1e-6 + 5)


def test_two_designs_take_equal_energy_at_the_break_even() -> None:
    share = 0.125
    charged = charge_static(power("tile", (share, share / 10)), RUNS, 100.0)
    small = charge_static(power("tile", (share, share / 10)), RUNS / 4, 100.0)
    energy = charged["static_uj"] - small["static_uj"]  # what the smaller one may take more at this share

    found = break_even(
        50 + energy + small["wake_uj"], small["static_slope_uj"], 50 + charged["wake_uj"], charged["static_slope_uj"]
    )

    assert found[0] == pytest.approx(share)


@pytest.mark.parametrize(("energy", "slope"), [(60.0, 20.0), (30.0, 5.0), (10.0, 10.0), (50.0, 10.0)])
def test_a_break_even_outside_nought_to_one_is_empty(energy: float, slope: float) -> None:
    assert np.isnan(break_even(np.array([energy]), np.array([slope]), np.array([50.0]), np.array([10.0]))[0])
