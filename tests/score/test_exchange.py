"""Scores that travel between machines: what one computes, another stores only if it is the score that was asked for."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse.errors import DataError
from dse.score.entries import Entry
from dse.score.problem import WorkloadProblem
from tests.support.pipeline_fixtures import build

ASKED = ("independent", "two-stage", "fixed", "isaac")


@pytest.fixture(scope="module")
def pair(own_tuned: Path) -> tuple[WorkloadProblem, WorkloadProblem]:
    """Two machines' problems, with a common cache."""
    made = [build(own_tuned / "tiny.toml", own_tuned / "cache") for _ in range(2)]
    return made[0], made[1]


@pytest.fixture
def entry(pair: Any) -> Entry:
    made: Entry = pair[1].compute(pair[1].default_point(ASKED), 1, "search", 0)
    return made


def packed(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def arrays_of(entry: Entry) -> dict[str, Any]:
    with np.load(io.BytesIO(entry[1])) as data:
        return {name: data[name] for name in data.files}


def test_a_score_of_another_machine_is_the_score_of_this_one(pair: Any, own_tuned: Path) -> None:
    here, there = pair
    point = here.default_point(ASKED)
    missing = here.find_missing([point])[0]
    assert [(one.task, one.chip) for one in missing] == [(0, 0), (1, 0)]
    before = sorted((own_tuned / "cache" / "scores").iterdir())
    entries = [there.compute(point, one.task, "search", one.chip) for one in missing]
    assert sorted((own_tuned / "cache" / "scores").iterdir()) == before  # the other machine stores nothing
    for one, entry in zip(missing, entries, strict=True):
        assert json.loads(entry[0])["key"] == one.key
        here.accept(point, one.task, "search", one.chip, entry)
    taken = here.score(point)
    assert here.find_missing([point]) == ((),)
    assert taken.evaluated == 0
    for file in set((own_tuned / "cache" / "scores").iterdir()) - set(before):
        file.unlink()
    alone = build(own_tuned / "tiny.toml", own_tuned / "cache").score(point)
    assert alone.evaluated == 2
    assert (alone.metrics, alone.tasks, alone.drop_low) == (taken.metrics, taken.tasks, taken.drop_low)


def test_machines_that_compute_alike_have_the_same_outputs(pair: Any) -> None:
    assert pair[0].digest_outputs() == pair[1].digest_outputs()


def test_what_is_not_the_score_asked_for_is_refused(pair: Any, entry: Entry) -> None:
    here, _ = pair
    facts, arrays, point = json.loads(entry[0]), arrays_of(entry), here.default_point(ASKED)
    predictions, reach = arrays["predictions"], arrays["reach"]
    not_finite = predictions.copy()
    not_finite[3] = np.nan
    objects = np.array([{}] * len(predictions), dtype=object)
    wrong: dict[str, tuple[Any, bytes]] = {
        "no text": (None, entry[1]),
        "no table": ([], entry[1]),
        "lacks a fact": ({"key": facts["key"]}, entry[1]),
        "other form": (facts | {"files": []}, entry[1]),
        "another score": (facts | {"key": "0" * 24}, entry[1]),
        "another fact": (facts | {"value": 0.125}, entry[1]),
        "other files": (facts | {"files": {"tasks/none": "0"}}, entry[1]),
        "no arrays": (facts, b"PK"),
        "too much": (facts, packed(predictions=np.zeros(10**5), reach=reach)),
        "too few rows": (facts, packed(predictions=predictions[1:], reach=reach)),
        "another array": (facts, packed(predictions=predictions, reach=reach, more=reach)),
        "text in arrays": (facts, packed(predictions=predictions.astype(str), reach=reach)),
        "objects": (facts, packed(predictions=objects, reach=reach)),
        "not finite": (facts, packed(predictions=not_finite, reach=reach)),
        "reach of no layer": (facts, packed(predictions=predictions, reach=np.ones(7))),
    }
    before = here.find_missing([point])
    for name, (table, content) in wrong.items():
        text = "{" if table is None else json.dumps(table)
        with pytest.raises(DataError, match="from another machine is refused"):
            here.accept(point, 1, "search", 0, (text, content))
        assert here.find_missing([point]) == before, name


def test_what_is_not_text_and_arrays_is_refused(pair: Any, entry: Entry) -> None:
    here = pair[0]
    for odd in (None, (), (entry[0],), (7, entry[1]), (entry[0], "arrays"), (*entry, b"")):
        with pytest.raises(DataError, match="from another machine is refused"):
            here.accept(here.default_point(ASKED), 1, "search", 0, odd)


def test_a_file_that_unpacks_to_more_than_it_needs_is_not_unpacked(pair: Any, entry: Entry) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, predictions=np.zeros(10**5), reach=np.zeros(0))
    here = pair[0]
    assert len(stream.getvalue()) < 4000
    with pytest.raises(DataError, match="unpacked bytes"):
        here.accept(here.default_point(ASKED), 1, "search", 0, (entry[0], stream.getvalue()))
