"""Keys of scores: everything of the geometry that reaches a score is in them, also what is added later."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest

import dse
from dse.score.score import NOT_OF_CELLS, ONLY_OF_CONVERSIONS, arrays_key
from tests.support.workloads import geometry

CELLS = dse.Nonideality(spread="wan22")
REAL = dse.Nonideality(adc="real")


@dataclass(frozen=True, slots=True)
class Grown(dse.Geometry):
    """A geometry with fields that no code of today knows."""

    word_lines_at_once: Any = None
    polarity: str = "unipolar"


def grown(**changes: Any) -> Grown:
    known = {field.name: getattr(geometry(), field.name) for field in fields(dse.Geometry)}
    return Grown(**{**known, "word_lines_at_once": np.array([8]), **changes})


def test_keys_of_today_stay_what_they_are() -> None:
    cells = {"rows": 128, "columns": 128, "cell_bits": 1, "encoding": 0}
    assert arrays_key(geometry(), CELLS) == cells
    assert arrays_key(geometry(), REAL) == cells | {"adc_bits": 8, "dac_bits": 1}


@pytest.mark.parametrize(
    "changes",
    [{"word_lines_at_once": np.array([16])}, {"word_lines_at_once": np.array([8.5])}, {"polarity": "bipolar"}],
)
@pytest.mark.parametrize("what", [CELLS, REAL])
def test_a_field_that_is_added_changes_the_key(what: dse.Nonideality, changes: dict[str, Any]) -> None:
    assert arrays_key(grown(**changes), what) != arrays_key(grown(), what)


@pytest.mark.parametrize("name", [field.name for field in fields(dse.Geometry)])
def test_a_field_changes_the_key_unless_it_is_excluded_by_name(name: str) -> None:
    change: dict[str, Any] = {name: "none" if name == "packing" else getattr(geometry(), name) + 1}
    changed = replace(geometry(), **change)

    assert (arrays_key(changed, REAL) == arrays_key(geometry(), REAL)) == (name in NOT_OF_CELLS)
    assert (arrays_key(changed, CELLS) == arrays_key(geometry(), CELLS)) == (
        name in {*NOT_OF_CELLS, *ONLY_OF_CONVERSIONS}
    )


def test_only_fields_that_exist_are_excluded_and_each_has_a_reason() -> None:
    assert {*NOT_OF_CELLS, *ONLY_OF_CONVERSIONS} <= {field.name for field in fields(dse.Geometry)}
    assert all(NOT_OF_CELLS.values())
