"""Classes of a task: the number of each label of a file, and the name of each output of the head."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dse.errors import CheckpointError, DataError
from dse.models.data.labels import UNLABELLED, label_text, list_names
from dse.models.outputs import DEFAULT_NAME, Outputs
from dse.space.workload import TaskSpec

SPARE = 2
"""Integers mean themselves if they are fewer than this many times the number of classes, and a few more."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of a task's labels.

    Attributes:
        numbers: number of each label by the label as the file has it; empty for a regression.
        names: name of each output, by its number.
    """

    numbers: Mapping[str, int]
    names: tuple[str, ...]


def choose_classes(
    task: TaskSpec, labels: Collection[str], path: Path, outputs: Outputs | None = None, stored: Collection[str] = ()
) -> Classes:
    """Choose the number of each label.

    The table ``labels`` of the space file decides, then the names of a ready checkpoint's outputs, then the order of the classes
    that the file stores. Otherwise integers mean themselves. Other labels of a task that dse fine-tunes are numbered in alphabetical order.

    Args:
        task: task of the labels.
        labels: different labels of a file.
        path: the file, for messages.
        outputs: outputs of the task's checkpoint; None if dse fine-tunes the task.
        stored: names of the classes in their order, if the file stores them.

    Raises:
        CheckpointError: the checkpoint has too few outputs.
        DataError: the labels are neither names nor numbers of outputs.
    """
    if task.kind == "regression":
        return Classes({}, ())
    names = {label_text(label) for label in labels} - set(UNLABELLED)
    if task.data.labels:
        numbers = {label_text(name): number for name, number in task.data.labels.items()}
    elif stored and not (outputs and outputs.names):
        numbers = {label_text(name): number for number, name in enumerate(stored)}
    elif outputs is not None:
        numbers = _match_outputs(task, names, path, outputs)
    else:
        numbers = _number(task, names, path)
    count = max(numbers.values(), default=-1) + 1
    if outputs is None:
        return Classes(numbers, _name_outputs(numbers, count, {}))
    if outputs.count < count:
        raise CheckpointError(
            f"the checkpoint of task {task.name!r} has fewer outputs than the data has labels",
            where=outputs.source,
            expected=count,
            found=outputs.count,
        )
    return Classes(numbers, _name_outputs(numbers if task.data.labels else {}, outputs.count, outputs.names))


def note_alike(numbers: Mapping[str, int]) -> list[str]:
    """Return a note on each set of classes whose names differ only in case, separators or the encoding of accents."""
    alike: dict[str, dict[int, str]] = {}
    for name, number in numbers.items():
        if not is_real(name):
            alike.setdefault(_fold(name), {}).setdefault(number, name)
    return [
        f"classes with similar names: {list_names(names.values())}; if they are one class, give them one number in labels"
        for names in alike.values()
        if len(names) > 1
    ]


def _match_outputs(task: TaskSpec, labels: set[str], path: Path, outputs: Outputs) -> dict[str, int]:
    """Number labels that are the names of outputs, apart from case and separators, or their numbers."""
    named = {label_text(name): number for number, name in outputs.names.items()}
    similar = {_fold(name): number for name, number in named.items()}
    if labels and labels <= set(named):
        return named
    if labels and len(similar) == outputs.count and all(_fold(label) in similar for label in labels):
        return {label: similar[_fold(label)] for label in labels}
    defaults = {label: int(match[1]) for label in labels if (match := DEFAULT_NAME.fullmatch(label))}
    if labels and len(defaults) == len(labels):
        return defaults
    if all(map(_is_number, labels)):
        return {label: int(label) for label in labels}
    raise DataError(
        f"the labels of task {task.name!r} are neither names nor numbers of its checkpoint's outputs",
        where=path,
        expected=f"{list_names(outputs.names.values()) or 'no names'}, or 0 to {outputs.count - 1}",
        found=list_names(sorted(labels)),
        fix="give each label the number of its output in the task's data table: labels = { NAME = 0, ... }",
    )


def _number(task: TaskSpec, labels: set[str], path: Path) -> dict[str, int]:
    """Number the labels of a task that dse fine-tunes: integers mean themselves, names are sorted."""
    integers = {label: int(label) for label in labels if _is_number(label)}
    if labels and len(integers) == len(labels) and max(integers.values()) < SPARE * (len(labels) + 1):
        return dict(sorted(integers.items(), key=lambda item: item[1]))
    if labels and not all(map(is_real, labels)):
        return {name: number for number, name in enumerate(sorted(labels))}
    if not labels:
        return {}
    raise DataError(
        f"the labels of task {task.name!r} are numbers that do not count its classes",
        where=path,
        expected="names, or whole numbers from 0 with few gaps; blank labels and -1 mark rows without a label",
        found=list_names([label for _, label in sorted((float(label), label) for label in labels)]),
        fix="number them in the task's data table: labels = { LABEL = 0, ... }; or set kind = regression",
    )


def _name_outputs(numbers: Mapping[str, int], count: int, given: Mapping[int, str]) -> tuple[str, ...]:
    """Return a name for each output: the label's, else the checkpoint's, else the number."""
    names = {number: name for name, number in reversed(list(numbers.items()))}
    return tuple(names.get(number, given.get(number, str(number))) for number in range(count))


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", name).casefold()).strip()


def _is_number(label: str) -> bool:
    return re.fullmatch(r"\d{1,9}", label, re.ASCII) is not None


def is_real(label: str) -> bool:
    """Return whether a label is a number as people write it."""
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", label, re.ASCII) is not None
