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
