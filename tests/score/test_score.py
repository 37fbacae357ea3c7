"""Keys of scores: everything of the geometry that reaches a score is in them, also what is added later."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dse
from dse.records.design import DesignPoint, PluginParameter
from dse.score.score import NOT_OF_CELLS, ONLY_OF_CONVERSIONS, Scorer, arrays_key
from tests.support.workloads import geometry

CELLS = dse.Nonideality(cell_model="wan22")
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


class Joint:
    """A compressor whose terms depend on no field of the geometry."""

    geometry_fields = ()


def joint_key(tasks: str, groups: tuple[int, ...], task: str) -> Any:
    """Key of one task's score by a joint generator with a number for each task; a task's content is its name."""
    names = tuple(tasks)
    digests = {f"{kind}.{name}": f"{kind} of {name}" for kind in ("task", "data") for name in names}
    context: Any = SimpleNamespace(
        workload=SimpleNamespace(tasks=names, task_names=names, digests={"base": "b"} | digests),
        identities={"generator.g": "code of g", "compressor.c": "code of c"},
        evaluator_version=1,
        core_versions=[],
        arithmetic="bf16",
    )
    declared = PluginParameter("generator", "g", dse.Int(name="group", low=0, high=3, default=0, scope=("task",)))
    built: Any = SimpleNamespace(joint=True, compressor=Joint())
    point = DesignPoint("g", "c", "s", "h", {declared.full_name: groups})
    scorer = Scorer(context, (declared,))
    return scorer._recipe(built, point, geometry(), names.index(task), "search")


def test_the_order_of_tasks_in_a_file_is_in_no_key_of_a_joint_generator() -> None:
    key = joint_key("xyz", (1, 2, 3), "x")
    assert joint_key("xzy", (1, 3, 2), "x") == joint_key("zyx", (3, 2, 1), "x") == key


def test_a_value_belongs_to_its_task_and_not_to_its_place() -> None:
    key = joint_key("xyz", (1, 2, 3), "x")
    assert joint_key("xzy", (1, 2, 3), "x") != key  # the second task has another name, and so another design
    assert joint_key("xyz", (1, 2, 3), "y") != key
