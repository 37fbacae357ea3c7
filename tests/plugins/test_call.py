"""What a plugin's method returns or raises is told with the plugin's name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dse.errors import PluginContractError
from dse.plugins.call import call_plugin, describe_error
from dse.records.charges import Violation
from dse.testing import tiny_components, tiny_geometry, tiny_workload

WORKLOAD = tiny_workload()
COMPONENTS = tiny_components(WORKLOAD, 2)
TEXT: Any = "too big"
NAN = np.array([0.0, np.nan])


def answer(method: str, result: Any) -> Any:
    def call() -> Any:
        return result

    call.__name__ = method
    return call_plugin("hardware", "mine", call)


def test_sound_charges_come_back() -> None:
    limit = Violation("size", np.zeros(2), "too big")
    sound = replace(COMPONENTS, violations=(limit,))
    assert answer("components", sound) is sound


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"energy_uj": False}, "energy_uj"),
        ({"energy_uj": COMPONENTS.energy_uj.astype(complex)}, "energy_uj"),
        ({"energy_uj": COMPONENTS.energy_uj.astype(str)}, "energy_uj"),
        ({"area_mm2": None}, "area_mm2"),
        ({"violations": ("too big",)}, r"violations\.0\.amount"),
        ({"violations": (Violation("size", NAN, "too big"),)}, r"violations\.0\.amount"),
        ({"violations": (Violation("size", TEXT, "too big"),)}, r"violations\.0\.amount"),
    ],
)
def test_charges_that_are_no_numbers_are_refused(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(PluginContractError, match=rf"^hardware 'mine': components\(\) gives {name} that is not usable"):
        answer("components", replace(COMPONENTS, **changes))


@pytest.mark.parametrize("rows", [np.array([-4]), np.array([0]), 4, np.array(["4"])])
def test_arrays_without_rows_are_refused(rows: Any) -> None:
    with pytest.raises(PluginContractError, match=r"^hardware 'mine': geometry\(\) gives rows that is not usable"):
        answer("geometry", replace(tiny_geometry(), rows=rows))


def test_an_error_that_cannot_tell_its_text_has_its_type() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    def store() -> None:
        raise MuteError

    assert describe_error(ValueError("no room")) == "ValueError: no room"
    assert describe_error(ValueError()) == "ValueError"
    with pytest.raises(
        PluginContractError, match=r"'mine' raised in store\(\): MuteError, whose text raises ValueError"
    ):
        call_plugin("compressor", "mine", store)
