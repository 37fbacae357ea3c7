"""Where arrays lie: the units of the chip, as its hardware model names them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions

import dse
from dse.exports.arrays import _places
from tests.dse_plugins.test_isaac import params


def test_an_array_is_found_by_its_units() -> None:
    found = _places(np.arange(200), {"tile": 96, "ima": 8})

    assert list(found) == ["tile", "ima", "crossbar"]
    assert [int(found[name][197]) for name in found] == [2, 0, 5]
    assert (found["tile"] * 96 + found["ima"] * 8 + found["crossbar"] == np.arange(200)).all()
    assert _places(np.arange(3), {}) == {}


@pytest.mark.parametrize(
    "levels", [{"tile": 96, "ima": 7}, {"ima": 8, "tile": 96}, {"tile": 0}, {"layer": 8}, {"tile": 1.5}]
)
def test_units_that_do_not_fit_are_refused(levels: Any) -> None:
    with pytest.raises(dse.PluginContractError, match="names impossible units"):
        _places(np.arange(3), levels)


@pytest.mark.parametrize(("tiles", "arrays", "stays"), [(0, 10**6, True), (3, 3 * 24, True), (3, 3 * 24 + 1, False)])
def test_isaac_names_tiles_and_imas_where_all_arrays_stay(tiles: int, arrays: int, stays: bool) -> None:
    chip = Isaac(IsaacOptions(imas_per_tile=6))

    assert chip.levels(arrays, params(arrays_per_ima=4, tiles=tiles)) == ({"tile": 24, "ima": 4} if stays else {})
