from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import DataError
from dse.models.data.same_text import loose_form
from dse.models.data.splits import LEAST, SCREEN_ROWS, SPLITS, hold_out, split
from dse.space.workload import TaskSpec
from tests.support.text import frame

Make = Callable[..., TaskSpec]
TASK = TaskSpec.model_validate({"name": "t", "kind": "classification", "metric": "accuracy", "data": {"path": "x"}})


def numbered(count: int, groups: int = 0) -> pd.DataFrame:
    names = [f"g{index % groups}" for index in range(count)] if groups else None
    return frame([f"row {index}" for index in range(count)], [index % 2 for index in range(count)], names)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(200, 600), st.just(0) | st.integers(50, 150))
def test_every_row_is_in_one_split_and_groups_stay_whole(count: int, groups: int) -> None:
    table = numbered(count, groups)
    parts = split(TASK, table)
    texts = [set(getattr(parts, name)["text"]) for name in SPLITS]
    assert sum(map(len, texts)) == count
    assert set().union(*texts) == set(table["text"])
    if groups:
        held = [set(getattr(parts, name)["group"]) for name in SPLITS]
        assert sum(map(len, held)) == groups
    for part in (parts.search, parts.report):
        assert 0.1 < len(part) / count < 0.36


def test_search_and_report_have_a_thousand_rows_where_the_data_allow() -> None:
    parts = split(TASK, numbered(6000))
    assert 1000 <= len(parts.search) <= 1200
    assert 1000 <= len(parts.report) <= 1200
    assert len(parts.train) == 6000 - len(parts.search) - len(parts.report)


def test_a_task_may_ask_for_more_or_fewer_rows() -> None:
    for rows, least, most in ((300, 300, 360), (5000, 1150, 1450)):  # of 6000 rows a fifth is 1200
        parts = split(TASK.model_copy(update={"split_rows": rows}), numbered(6000))
        assert least <= len(parts.search) <= most
        assert least <= len(parts.report) <= most


def test_splits_depend_on_the_texts_alone() -> None:
    table = numbered(300)
    shuffled = table.sample(frac=1.0, random_state=1).reset_index(drop=True)
    relabelled = table.assign(label=list(reversed(table["label"])))
    first = split(TASK, table)
    for other in (split(TASK, shuffled), split(TASK, relabelled)):
        for name in SPLITS:
            assert set(getattr(other, name)["text"]) == set(getattr(first, name)["text"])


def test_an_official_report_split_is_kept_and_its_texts_leave_training() -> None:
    table = numbered(200)
    report = table.iloc[:20].reset_index(drop=True)
    parts = split(TASK, table, report)
    assert parts.report["text"].tolist() == report["text"].tolist()
    assert 0.1 < len(parts.search) / 180 < 0.36
    assert len(parts.train) + len(parts.search) == 180
    assert not set(report["text"]) & (set(parts.train["text"]) | set(parts.search["text"]))


def test_rows_of_a_class_training_lacks_are_dropped_and_counted() -> None:
    table = numbered(100)
    everywhere = split(TASK, table)
    rare = everywhere.search["text"].iloc[0], everywhere.report["text"].iloc[0]
    table["label"] = [2 if text in rare else label for text, label in zip(table["text"], table["label"], strict=True)]
    parts = split(TASK, table)
    assert parts.unseen_labels == 2
    assert len(parts.search) == len(everywhere.search) - 1
    assert len(parts.report) == len(everywhere.report) - 1
    assert 2 not in set(parts.search["label"]) | set(parts.report["label"])


@pytest.mark.parametrize("table", [numbered(30), numbered(200, groups=2)])
def test_too_few_rows_or_groups_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(DataError) as caught:
        split(TASK, table, where="my.csv")
    assert "task 't' has too few rows to split" in str(caught.value)
    assert f"at least {LEAST} rows (whole groups) in each of train, search and report" in str(caught.value)
    assert f"of {len(table)} in all" in str(caught.value)
    assert "where: my.csv" in str(caught.value)


def test_an_official_report_split_shares_no_words_with_training() -> None:
    table = numbered(200)
    report = table.iloc[:20].assign(text=[f"Row  {index}!" for index in range(20)])
    parts = split(TASK, table, report)
    held = set(parts.report["text"].map(loose_form))
    assert not held & set(pd.concat([parts.train, parts.search])["text"].map(loose_form))


def test_alike_texts_lie_in_one_split() -> None:
    texts = [form for index in range(200) for form in (f"row {index}", f"Row {index}!")]
    parts = split(TASK, frame(texts, [0, 1] * 200))
    held = [set(getattr(parts, name)["text"].map(loose_form)) for name in SPLITS]
    assert sum(map(len, held)) == 200
    assert sum(len(getattr(parts, name)) for name in SPLITS) == 400


def test_texts_of_punctuation_alone_are_split_like_others() -> None:
    parts = split(TASK, frame([f"Hm{'.' * index}" for index in range(1, 301)], [0, 1] * 150))
    assert 0.1 < len(parts.search) / 300 < 0.36
    assert 0.1 < len(parts.report) / 300 < 0.36


def test_an_official_report_split_shares_no_group_with_training() -> None:
    table = numbered(200, groups=20)
    report = frame([f"dev {index}" for index in range(20)], [0, 1] * 10, ["g0", "g1"] * 10)
    parts = split(TASK, table, report)
    assert not {"g0", "g1"} & set(pd.concat([parts.train, parts.search])["group"])


@pytest.mark.parametrize("name", ["big", "huge", "giant", "mass"])
def test_a_group_larger_than_a_split_goes_to_training(name: str) -> None:
    groups = [name if index < 200 else f"s{index}" for index in range(300)]
    parts = split(TASK, frame([f"row {index}" for index in range(300)], [0, 1] * 150, groups))
    assert name in set(parts.train["group"])


def test_two_tasks_over_the_same_texts_share_their_splits_where_one_drops_a_few_rows() -> None:
    table = numbered(6000)
    whole = split(TASK, table)
    for part in (whole.train, whole.search, whole.report):
        dropped = set(part["text"].iloc[:2])
        fewer = split(TASK, table[~table["text"].isin(dropped)].reset_index(drop=True))
        for name in SPLITS:
            assert set(getattr(fewer, name)["text"]) == set(getattr(whole, name)["text"]) - dropped


def test_some_rows_of_the_search_split_stand_for_it() -> None:
    parts = split(TASK, numbered(3000))

    assert len(parts.screen) == SCREEN_ROWS
    assert set(parts.screen["text"]) <= set(parts.search["text"])
    pd.testing.assert_frame_equal(parts.screen, parts.screen)
    few = split(TASK, numbered(400))
    pd.testing.assert_frame_equal(few.screen, few.search)


def test_some_rows_of_a_split_are_always_the_same_and_among_those_of_more() -> None:
    parts = split(TASK, numbered(3000))
    some, more = parts.part("report:20"), parts.part("report:40")
    assert (len(some), len(more)) == (20, 40)
    assert set(some["text"]) < set(more["text"]) < set(parts.report["text"])
    pd.testing.assert_frame_equal(parts.part("report:20"), some)
    pd.testing.assert_frame_equal(parts.part("report"), parts.report)
    pd.testing.assert_frame_equal(parts.part("report:99999"), parts.report)


READY = TASK.model_copy(update={"checkpoint": "tuned"})
"""Task with a checkpoint, so that its rows are held out."""


def test_rows_that_are_held_out_are_for_search_and_report_alone() -> None:
    parts = hold_out(READY, numbered(1200))
    assert len(parts.train) == 0
    assert len(parts.search) + len(parts.report) == 1200
    assert 560 < len(parts.search) < 640
    assert list(parts.sample["text"]) == list(parts.search["text"])
    many = hold_out(READY, numbered(6000))
    assert 1000 <= len(many.search) <= 1200
    assert len(many.search) + len(many.report) == 6000
    assert many.unused == 0


def test_an_official_report_split_leaves_held_out_rows_for_search() -> None:
    report = frame([f"dev {index}" for index in range(30)], [0, 1] * 15)
    parts = hold_out(READY, numbered(200), report)
    assert (len(parts.train), len(parts.search), len(parts.report), parts.unused) == (0, 200, 30, 0)
    many = hold_out(READY, numbered(6000), report)
    assert 1000 <= len(many.search) <= 1100
    assert len(many.search) + many.unused == 6000


@pytest.mark.parametrize("task", [TASK, READY])
def test_rows_for_fitting_are_in_no_other_split(task: TaskSpec) -> None:
    train = numbered(300)
    held = frame([f"Row {index}!" for index in range(250, 400)], [0, 1] * 75)  # fifty of them are for fitting
    report = frame([f"row {index}" for index in range(290, 300)] + [f"dev {index}" for index in range(30)], [0, 1] * 20)
    parts = hold_out(task, held, report, train)
    assert len(parts.train) == 300
    assert parts.shared == 60
    assert (len(parts.search), len(parts.report)) == (100, 30)


def test_groups_stay_whole_among_held_out_rows() -> None:
    parts = hold_out(READY, numbered(600, groups=60))
    assert not set(parts.search["group"]) & set(parts.report["group"])


def test_rows_of_a_class_that_a_checkpoint_knows_stay() -> None:
    table, train = numbered(100), frame([f"train {index}" for index in range(40)], [0, 1] * 20)
    table.loc[:4, "label"] = 2
    assert hold_out(READY, table, None, train).unseen_labels == 0
    tuned_here = hold_out(TASK, table, None, train)
    assert tuned_here.unseen_labels == 5
    assert len(tuned_here.search) + len(tuned_here.report) == 95


@pytest.mark.parametrize(("held", "train"), [(numbered(12), None), (numbered(100), numbered(5))])
def test_too_few_held_out_rows_are_refused(held: pd.DataFrame, train: pd.DataFrame | None) -> None:
    with pytest.raises(DataError, match="too few rows to split") as caught:
        hold_out(READY, held, None, train, where="my.csv")
    assert "where: my.csv" in str(caught.value)


def test_a_class_for_each_row_leaves_too_few_rows() -> None:
    table = numbered(300).assign(label=range(300))
    with pytest.raises(DataError, match="too few rows to split"):
        split(TASK, table)
