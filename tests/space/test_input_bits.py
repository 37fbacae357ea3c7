"""Input bits stand with compressors: for all of them, for one, or in older files under hardware."""

from __future__ import annotations

import tomllib
import warnings
from typing import Any

import pytest

from dse.errors import DseError
from dse.records.design import PluginParameter
from dse.records.parameters import INPUT_BITS, Int
from dse.space.file import parse
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace
from dse.space.write import resolved_text
from dse.study.task_values import point_in
from tests.support.fakes import LAYERS, PARAMETERS, TASKS, put, raw_space

COMPRESSORS = ("none", "two-stage")
DECLARED = (*PARAMETERS, *(PluginParameter("compressor", name, INPUT_BITS) for name in COMPRESSORS))
OWN = "compressor/two-stage/parameters/input_bits"
SHARED = "compressor/input_bits"
OLD = "hardware/isaac/parameters/input_bits"


def space_of(raw: dict[str, Any], declared: tuple[PluginParameter, ...] = DECLARED) -> SearchSpace:
    return resolve(parse(raw), declared, TASKS, LAYERS)


def ranges(space: SearchSpace) -> list[tuple[int, int]]:
    items = [item for item in space.parameters if item.declared.parameter.name == "input_bits"]
    domains = [element.domain for item in items for element in item.elements]
    return [(domain.low, domain.high) for domain in domains if isinstance(domain, Int)]


def filled(**entries: Any) -> dict[str, Any]:
    raw = raw_space()
    for path, value in entries.items():
        put(raw, {"own": OWN, "shared": SHARED, "old": OLD}[path], value)
    return raw


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({}, [(8, 8), (8, 8)]),
        ({"shared": 6}, [(6, 6), (6, 6)]),
        ({"own": 16}, [(8, 8), (16, 16)]),
        ({"shared": {"low": 4, "high": 8}, "own": 5}, [(4, 8), (5, 5)]),
        ({"own": {}}, [(8, 8), (8, 8)]),
    ],
)
@pytest.mark.parametrize("unnamed", ["search", "default"])
def test_one_entry_holds_for_all_and_a_compressor_s_own_goes_before(
    entries: dict[str, Any], expected: list[tuple[int, int]], unnamed: str
) -> None:
    raw = put(filled(**entries), "compressor/unnamed", unnamed)
    space = space_of(raw)
    assert ranges(space) == expected
    assert ranges(space_of(tomllib.loads(resolved_text(space)))) == expected


@pytest.mark.parametrize("entries", [{"old": 6}, {"old": 6, "shared": 6}, {"old": 6, "own": 6}])
def test_an_older_entry_under_hardware_is_taken_with_a_warning(entries: dict[str, Any]) -> None:
    with pytest.warns(
        FutureWarning, match=r"hardware\.isaac\.parameters\.input_bits: .*`input_bits = 6` in \[compressor\]"
    ):
        space = space_of(filled(**entries))
    assert ranges(space) == [(6, 6), (6, 6)]


@pytest.mark.parametrize(("other", "place"), [("shared", "compressor.input_bits"), ("own", OWN.replace("/", "."))])
def test_an_older_entry_that_disagrees_is_an_error(other: str, place: str) -> None:
    with pytest.warns(FutureWarning), pytest.raises(DseError, match="input bits are given twice, and differ") as caught:
        space_of(filled(old=6, **{other: 7}))
    assert f"expected: 7, as in space: {place}" in str(caught.value)
    assert "hardware.isaac.parameters.input_bits" in str(caught.value)


@pytest.mark.parametrize("value", [3, 17, "8"])
def test_a_wrong_number_is_refused_once_where_it_stands(value: Any) -> None:
    with pytest.raises(DseError, match=r"compressor\.input_bits") as caught:
        space_of(filled(shared=value))
    assert "two-stage" not in str(caught.value)


def test_hardware_that_declares_input_bits_keeps_its_entry() -> None:
    declared = (*DECLARED, PluginParameter("hardware", "isaac", Int(name="input_bits", low=6, high=6, default=6)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ranges(space_of(filled(old=6), declared)) == [(8, 8), (8, 8), (6, 6)]


@pytest.mark.parametrize(("cells", "bits"), [({}, 8), ({"param.hardware.isaac.input_bits": 5}, 5)])
def test_rows_of_older_tables_give_their_bits_to_the_compressor(cells: dict[str, int], bits: int) -> None:
    space = space_of(raw_space())
    row = {"generator": "independent", "compressor": "none", "scheduler": "fixed", "hardware": "isaac", **cells}
    values = dict(point_in(space, row).values)
    assert values == {"compressor.none.input_bits": bits}
