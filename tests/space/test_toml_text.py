"""Space files that are written are read back as the same values, in the layout of space files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dse.space.toml_text import toml_text, toml_value

SPACES = sorted((Path(__file__).resolve().parents[2] / "spaces").glob("*.toml"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SCALARS: Any = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), TEXT)
VALUES: Any = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
TABLES: Any = st.dictionaries(TEXT, VALUES, max_size=4)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_space_is_read_back(path: Path) -> None:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    assert tomllib.loads(toml_text(raw)) == raw


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TABLES)
def test_any_table_is_read_back(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


def test_the_layout_is_that_of_space_files() -> None:
    table = {
        "name": "a",
        "search": {"trials": 3, "bounds": {"low": 1}, "constraints": {"area_mm2": {"max": 1.0}}},
        "hardware": {"plugins": ["isaac"], "isaac": {"options": {"packing": "none", "unset": None}, "parameters": {}}},
    }
    assert toml_text(table) == (
        'name = "a"\n\n'
        "[search]\ntrials = 3\nbounds = {low = 1}\n\n"
        "[search.constraints]\narea_mm2 = {max = 1.0}\n\n"
        '[hardware]\nplugins = ["isaac"]\n\n'
        '[hardware.isaac]\noptions = {packing = "none"}\nparameters = {}\n'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [("é\x7f\n", r'"é\u007f\n"'), (True, "true"), ((1, 2.5), "[1, 2.5]"), ({"a": None, "b c": 1}, '{"b c" = 1}')],
)
def test_values(value: object, text: str) -> None:
    assert toml_value(value) == text
