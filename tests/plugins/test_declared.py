"""Parameters that cannot be searched are refused with the plugin's name."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

import dse
from dse.errors import PluginContractError
from dse.plugins.declared import check_parameters, declare_parameters
from dse.records.parameters import INPUT_BITS
from dse.records.plugin import Kind
from tests.support.workloads import workload

LEVEL = dse.Int(name="level", low=1, high=3, default=1)
ANY: Any = "a"
"""A value that the types do not allow."""


def test_sound_parameters_come_back() -> None:
    declared = (LEVEL, dse.Permutation(name="order"), dse.Choice(name="way", choices=("a", "b"), default="a"))
    assert check_parameters("scheduler 'mine'", declared) == declared


@pytest.mark.parametrize(("kind", "api", "added"), [("compressor", 2, 1), ("compressor", 1, 1), ("hardware", 2, 0)])
def test_input_bits_belong_to_the_core(kind: Kind, api: int, added: int) -> None:
    declared: list[dse.Parameter] = [LEVEL]
    plugin = SimpleNamespace(parameters=lambda _: declared)
    assert declare_parameters(kind, "mine", plugin, workload(), api) == (LEVEL, INPUT_BITS)[: 1 + added]

    declared.append(dse.Int(name="input_bits", low=4, high=8, default=8))
    with pytest.raises(PluginContractError, match=f"^{kind} 'mine': parameter 'input_bits' belongs to the core"):
        declare_parameters(kind, "mine", plugin, workload(), api)
    assert declare_parameters("hardware", "mine", plugin, workload(), 1) == tuple(declared)


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        (["level"], "something that is not a parameter is declared as a parameter"),
        (["\udc80"], "something that is not a parameter is declared as a parameter"),
        ([LEVEL, LEVEL], "parameter 'level' is declared twice"),
        ([dse.Int(name="level", low=2, high=1, default=1)], "the range of 'level' is empty or not finite: 2 to 1"),
        ([dse.Float(name="level", low=0, high=float("nan"), default=0)], "the range of 'level' is empty or not finite"),
        ([dse.Float(name="level", low=0, high=1, default=0, log=True)], "a logarithmic scale that starts at 0"),
        (
            [dse.Int(name="level", low=1, high=3, default=1, limits=(2, 3))],
            "the range of 'level' lies outside its limits",
        ),
        ([dse.Int(name="level", low=1, high=3, default=4)], "the range or the default of 'level' cannot be used"),
        ([dse.Int(name="level", low=ANY, high=3, default=1)], "the range or the default of 'level' cannot be used"),
        ([dse.Int(name=3, low=1, high=3, default=1)], "the range or the default of 3 cannot be used"),  # type: ignore[arg-type]
        ([dse.Int(name="a b", low=1, high=3, default=1)], "'a b' is not an identifier"),
        ([dse.Choice(name="way", choices=("a", "a"), default="a")], "choices of 'way' repeat or are missing"),
        ([dse.Choice(name="way", choices=("a", 1), default="a")], "choices of 'way' are not of one type"),
        ([dse.Choice(name="way", choices=("a",), default="a", allowed=("b",))], "'way' searches refused choices"),
    ],
)
def test_a_parameter_that_cannot_be_searched_is_refused(declared: list[Any], fault: str) -> None:
    with pytest.raises(PluginContractError, match=f"^scheduler 'mine': .*{re.escape(fault)}"):
        check_parameters("scheduler 'mine'", declared)
