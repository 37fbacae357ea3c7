"""What a label means: the space file's table, the names of a checkpoint's outputs, integers, or the alphabet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dse.errors import CheckpointError, DataError
from dse.models.data.classes import choose_classes
from dse.models.outputs import Outputs
from dse.space.workload import TaskSpec

Make = Callable[..., TaskSpec]
NLI = Outputs("tuned", 3, {0: "entailment", 1: "neutral", 2: "contradiction"})
SIGNED = Outputs("tuned", 2, {0: "not entailment", 1: "Entailment"})
STARS = Outputs("tuned", 3, {0: "1", 1: "2", 2: "3"})
PLAIN = Outputs("tuned", 12, {})
PATH = Path("rows.csv")


def numbers(task: TaskSpec, labels: list[str], outputs: Outputs | None = None) -> Mapping[str, int]:
    """Number of each label of a file, as `read` looks it up."""
    chosen = choose_classes(task, labels, PATH, outputs).numbers
    return {label: chosen[label] for label in labels if label in chosen}


@pytest.mark.parametrize(
    ("outputs", "labels", "expected"),
    [
        (NLI, ["contradiction", "entailment", "neutral"], [2, 0, 1]),
        (NLI, ["ENTAILMENT", "Neutral"], [0, 1]),
        (NLI, ["0", "2"], [0, 2]),
        (SIGNED, ["not_entailment", "entailment"], [0, 1]),
        (SIGNED, ["Not-Entailment", "entailment"], [0, 1]),
        (STARS, ["1", "3"], [0, 2]),
        (PLAIN, ["0", "2", "10", "11"], [0, 2, 10, 11]),
        (PLAIN, ["LABEL_1", "LABEL_10", "LABEL_2"], [1, 10, 2]),
        (None, ["10", "2", "0", "1", "9", "5"], [10, 2, 0, 1, 9, 5]),
        (None, ["1", "2", "3", "4", "5"], [1, 2, 3, 4, 5]),
        (None, ["00", "01", "02"], [0, 1, 2]),
        (None, ["red", "green", "10"], [2, 1, 0]),
    ],
)
def test_each_label_has_the_number_of_its_output(
    task: Make, outputs: Outputs | None, labels: list[str], expected: list[int]
) -> None:
    assert list(numbers(task(), labels, outputs).values()) == expected


def test_outputs_keep_the_names_of_the_checkpoint(task: Make) -> None:
    for labels in (["neutral"], ["ENTAILMENT"], ["0", "1"]):
        assert choose_classes(task(), labels, PATH, NLI).names == ("entailment", "neutral", "contradiction")
    assert choose_classes(task(), ["0", "2"], PATH, PLAIN).names[2] == "2"
    assert choose_classes(task(), ["1", "2"], PATH).names == ("0", "1", "2")


def test_the_table_of_the_space_file_decides(task: Make) -> None:
    data = {"path": "x", "labels": {"no": 2, "yes": 0, "yep": 0}}
    chosen = choose_classes(task(checkpoint="tuned", data=data), ["no", "yes"], PATH, NLI)
    assert chosen.numbers == {"no": 2, "yes": 0, "yep": 0}
    assert chosen.names == ("yes", "neutral", "no")


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (NLI, ["yes", "no"]),
        (NLI, ["entailment", "1"]),
        (Outputs("tuned", 2, {}), ["negative", "positive"]),
        (Outputs("tuned", 2, {}), ["0.5", "1.5"]),
        (Outputs("tuned", 2, {0: "Yes", 1: "yes"}), ["YES", "no"]),
    ],
)
def test_labels_that_are_neither_names_nor_numbers_are_refused(task: Make, outputs: Outputs, labels: list[str]) -> None:
    with pytest.raises(DataError, match="neither names nor numbers of its checkpoint's outputs") as caught:
        choose_classes(task(), labels, PATH, outputs)
    assert "rows.csv" in str(caught.value)
    assert "labels = {" in str(caught.value)


@pytest.mark.parametrize("labels", [["1000", "2000"], ["0.5", "1.5"], ["7", "812", "93417"], ["-2", "2"]])
def test_numbers_that_do_not_count_classes_are_refused(task: Make, labels: list[str]) -> None:
    with pytest.raises(DataError, match="numbers that do not count its classes") as caught:
        choose_classes(task(), labels, PATH)
    assert "kind = regression" in str(caught.value)


@pytest.mark.parametrize("labels", [{}, {"a": 0, "b": 3}])
def test_too_few_outputs_are_refused(task: Make, labels: dict[str, int]) -> None:
    spec = task(checkpoint="tuned", data={"path": "x", "labels": labels})
    with pytest.raises(CheckpointError, match="fewer outputs than the data has labels") as caught:
        choose_classes(spec, list(labels) or ["0", "3"], PATH, NLI)
    assert "expected: 4" in str(caught.value)
    assert "found: 3" in str(caught.value)


def test_a_regression_has_no_classes(task: Make) -> None:
    chosen: Any = choose_classes(task(kind="regression", metric="pearson"), ["1.5"], PATH)
    assert (dict(chosen.numbers), chosen.names) == ({}, ())
