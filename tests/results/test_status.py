"""What a status says of its trial, and that files hold it as the text it always was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import dse
from dse.results.columns import IDENTITY
from dse.results.status import Status

ROOT = Path(dse.__file__).parent


def test_a_log_and_a_table_hold_the_text() -> None:
    assert json.dumps({"status": Status.DONE}) == '{"status": "done"}'
    table = pd.DataFrame({"status": [Status.DONE, "failed"]})
    assert list(table["status"] == Status.DONE) == list(table["status"] == "done") == [True, False]
    assert {Status.FAILED: 1}["failed"] == 1  # type: ignore[index]  # rows of a log have texts


@pytest.mark.parametrize("status", Status)
def test_the_facts_of_a_status_agree(status: Status) -> None:
    assert status.has_cost or not status.is_final
    assert status.counts or not status.has_cost
    assert (status.optuna_state == "COMPLETE") == (status is Status.DONE) == (not status.shown)


@pytest.mark.parametrize("status", Status)
def test_the_column_names_every_status(status: Status) -> None:
    (column,) = (column for column in IDENTITY if column.name == "status")
    assert status.value in re.split(r"\W+", column.summary)


def test_no_module_compares_a_status_with_a_literal() -> None:
    pattern = re.compile(rf'status["\']?\)?\]?,? *(==|!=|in|not in|:) *\(?"({"|".join(Status)})"')
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in ROOT.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line)
    ]
    assert not found
