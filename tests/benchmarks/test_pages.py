"""A page is its template with the record's numbers; a name that does not fit is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pages import fill, say_edition
from dse.study.provenance import ACCOUNTING

TEXT = "# A page\n\nIt has {{count}}.\n{{#more}}\n\n{{more}}\n{{/more}}\nThe end.\n"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "page.md.template"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(("more", "middle"), [("A table.", "\nA table.\n"), (None, "")])
def test_values_stand_where_they_are_named(template: Path, more: str | None, middle: str) -> None:
    assert fill(template, {"count": "2", "more": more}) == f"# A page\n\nIt has 2.\n{middle}The end.\n"


@pytest.mark.parametrize("values", [{"count": "2"}, {"count": "2", "more": "", "most": ""}])
def test_an_unknown_name_and_a_value_left_out_are_errors(template: Path, values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"page\.md\.template: names unknown values"):
        fill(template, values)


def test_a_page_says_the_edition_of_its_record_unless_it_is_today_s() -> None:
    assert say_edition({"accounting": ACCOUNTING}) is None
    assert say_edition({}) == "Figures of accounting edition 1: [what has changed since](accounting.md#editions)."
