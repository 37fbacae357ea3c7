"""Errors: one message with its parts, catchable as the nearest builtin, and whole after a trip between processes."""

from __future__ import annotations

import pickle

import pytest

import dse
from dse import errors

BUILTINS = {
    errors.SpaceError: ValueError,
    errors.UnknownNameError: LookupError,
    errors.PluginLoadError: ImportError,
    errors.PluginContractError: TypeError,
    errors.PackageError: ValueError,
    errors.SourceError: OSError,
    errors.DataError: ValueError,
    errors.CheckpointError: ValueError,
    errors.StudyError: RuntimeError,
    errors.QueryError: ValueError,
    errors.ExportError: ValueError,
    errors.OutputError: OSError,
    errors.SetupError: RuntimeError,
    errors.WorkerError: ChildProcessError,
    errors.TimeLimitError: TimeoutError,
}


def test_every_error_is_in_the_list() -> None:
    found = {item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, dse.DseError)}

    assert found - {dse.DseError} == set(BUILTINS)


@pytest.mark.parametrize("kind", BUILTINS)
def test_an_error_says_its_parts_and_is_the_nearest_builtin(kind: type[dse.DseError]) -> None:
    error = kind("it broke", where="file.toml: key", expected="one", found="two", fix="mend it")

    assert isinstance(error, BUILTINS[kind])
    assert str(error) == "it broke\n  where: file.toml: key\n  expected: one\n  found: two\n  do: mend it"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_unknown_name_offers_the_nearest() -> None:
    error = errors.unknown_name("task", "trec", ["trec6", "boolq"], where="here")

    assert str(error).splitlines() == [
        "there is no task called 'trec'",
        "  where: here",
        "  expected: one of: boolq, trec6",
        "  do: did you mean 'trec6'?",
    ]


def test_several_problems_are_numbered_once_each() -> None:
    first, second = errors.DataError("no file", where="a.tsv"), errors.UnknownNameError("no name", found=3)

    together = errors.join_errors([first, errors.join_errors([second, first]), second])

    assert str(together).splitlines() == [
        "there are 2 problems",
        "1. no file",
        "   where: a.tsv",
        "2. no name",
        "   found: 3",
    ]
    assert errors.join_errors([first, first]) is first
    assert str(pickle.loads(pickle.dumps(together))) == str(together)


def test_a_message_lists_so_many_problems_and_counts_the_rest() -> None:
    text = str(errors.join_errors(errors.SpaceError(f"fault {number}") for number in range(70)))

    assert "there are 70 problems" in text
    assert "50. fault 49" in text
    assert text.endswith("and 20 more")
    assert "fault 50" not in text


@pytest.mark.parametrize("part", ["where", "expected", "found", "fix"])
def test_every_part_is_cut_with_its_length(part: str) -> None:
    text = str(errors.SpaceError("x" * 10**7, **{part: "y" * 10**7}))

    assert len(text) < 11_000
    assert text.count("... (10000000 characters)") == 2
    assert len(text) < 6_000 or part != "found"


def test_control_characters_are_escaped() -> None:
    error = errors.DataError("a\x1b[2J", where="file\r", found="two\nlines\x00\u2028\ud800")

    assert str(error) == "a\\x1b[2J\n  where: file\\r\n  found: two\\nlines\\x00\\u2028\\ud800"
