"""Every error that `dse` raises on purpose.

Each class derives from the nearest builtin too, so a caller that does not know `dse` still catches the error that it expects.
A message always says what happened. It may add the place, the expected and the found value, and a remedy. One error may hold
several problems.
"""

from __future__ import annotations

from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


__all__ = [
    "CheckpointError", "DataError", "DseError", "ExportError", "OutputError", "PackageError", "PluginContractError",
    "PluginLoadError", "QueryError", "SetupError", "SourceError", "SpaceError", "StudyError", "TimeLimitError",
    "UnknownNameError", "WorkerError",
]  # fmt: skip


MOST_FOUND, MOST_TOLD, MOST_PROBLEMS = 400, 5000, 50
"""Largest numbers of characters of a found value and of another part of a message, and of problems in a message."""


class DseError(Exception):
    """Base of all errors that a person is to read; the command line shows them without a traceback.

    Attributes:
        problems: errors that this error reports together; empty for a single problem.
    """

    problems: Sequence[DseError] = ()

    def __init__(
        self, what: str, *, where: object = None, expected: object = None, found: object = None, fix: str | None = None
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.fix = fix
        super().__init__(what)  # pickle calls the constructor with this alone, and restores the other attributes

    def __str__(self) -> str:
        parts = [("where", self.where), ("expected", self.expected), ("found", self.found), ("do", self.fix)]
        most = {"found": MOST_FOUND}
        told = [f"  {name}: {shorten(part, most.get(name, MOST_TOLD))}" for name, part in parts if part is not None]
        listed = [f"{number}. {error}" for number, error in enumerate(self.problems[:MOST_PROBLEMS], 1)]
        more = len(self.problems) - len(listed)
        rest = [f"and {more} more"] if more else []
        return "\n".join([shorten(self.what), *told, *(text.replace("\n", "\n ") for text in listed), *rest])


def shorten(value: object, most: int = MOST_TOLD) -> str:
    """Return the text of a value for a terminal: cut, with its length, and with control characters escaped."""
    text = str(value)
    lines = text[:most].split("\n") if most > MOST_FOUND else [text[:most]]
    shown = "\n".join(map(escape, lines))
    return shown if max(len(text), len(shown)) <= most else f"{shown[:most]}... ({len(text)} characters)"


def escape(line: str) -> str:
    """Return a line whose control characters are spelt out, so that no terminal obeys them."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)


def join_errors(errors: Iterable[DseError]) -> DseError:
    """Return a single problem as it is, and several ones as one error that lists each of them once."""
    single = [part for error in errors for part in error.problems or [error]]
    problems = list({str(error): error for error in single}.values())
    if len(problems) == 1:
        return problems[0]
    kinds = {type(error) for error in problems}
    several = (kinds.pop() if len(kinds) == 1 else SpaceError)(f"there are {len(problems)} problems")
    several.problems = problems
    return several


def raise_errors(errors: Iterable[DseError]) -> None:
    """Raise problems as one error, if there are any."""
    if problems := list(errors):
        raise join_errors(problems)


@contextmanager
def collect(problems: list[DseError], where: str = "") -> Iterator[None]:
    """Append an error that the code inside raises to a list, so that the code below still runs.

    Args:
        problems: list that receives each problem of the error.
        where: place in the space file, which the message of a problem names beside its own place.
    """
    try:
        yield
    except DseError as error:
        for part in error.problems or [error]:
            if where and f"{where.partition(': ')[0]}: " not in str(part.where):
                part.where = f"{part.where}, {where}" if part.where else where
            problems.append(part)


class SpaceError(DseError, ValueError):
    """A space file, or a value in it, is not usable."""


class UnknownNameError(DseError, LookupError):
    """A plugin, task, parameter or metric of that name does not exist."""


class PluginLoadError(DseError, ImportError):
    """A plugin, or the package that holds it, could not be loaded."""


class PluginContractError(DseError, TypeError):
    """A plugin returned something that its contract does not allow."""


class PackageError(DseError, ValueError):
    """A package for a new plugin cannot be written under this name or in this folder."""


class SourceError(DseError, OSError):
    """A model or data source is missing, unreachable, or does not match its checksum."""


class DataError(DseError, ValueError):
    """Labelled text cannot be read, split or scored."""


class CheckpointError(DseError, ValueError):
    """A checkpoint's weights do not fit the base model or are not usable."""


class StudyError(DseError, RuntimeError):
    """A study's folder, log or results are missing, damaged, or belong to another study."""


class QueryError(DseError, ValueError):
    """SQL over the results of studies is not usable."""


class ExportError(DseError, ValueError):
    """An exported design is incomplete, damaged, or lacks a part that was asked for."""


class OutputError(DseError, OSError):
    """The file that a command is to write cannot be written."""


class SetupError(DseError, RuntimeError):
    """The machine lacks something `dse` needs."""


class WorkerError(DseError, ChildProcessError):
    """The process that evaluates designs died, and the one that took its place died at the same request."""


class TimeLimitError(DseError, TimeoutError):
    """The process that evaluates designs was silent for longer than the space file allows."""


def missing_package(user: str, package: str, extra: str, *, where: object = None) -> SetupError:
    """Build the error for a package that is not installed and that an extra of dse brings.

    Args:
        user: feature that needs the package, such as "the dashboard".
        package: the package's name.
        extra: name of the extra.
        where: file and key that ask for it, if there are any.
    """
    from importlib.metadata import entry_points

    installed = [script.dist.name for script in entry_points(group="console_scripts", name="dse") if script.dist]
    name = installed[0] if installed else "dse-reram"
    return SetupError(
        f"{user} needs {package}, which is not installed",
        where=where,
        expected=f"the package {package}, which the extra `{extra}` brings",
        fix=f"pip install '{name}[{extra}]'",
    )


def unknown_name(kind: str, name: object, valid: Iterable[str], *, where: object = None) -> UnknownNameError:
    """Build the error for a name that does not exist, with the nearest valid one.

    Args:
        kind: kind of the name, as a reader would call it ("task", "compressor").
        name: name that was given.
        valid: every valid name.
        where: file and key, or another place that the name came from.
    """
    names = sorted(valid)
    near = get_close_matches(str(name), names, n=1)
    return UnknownNameError(
        f"there is no {kind} called {shorten(repr(name), MOST_FOUND)}",
        where=where,
        expected=f"one of: {', '.join(names)}" if names else "(none are available)",
        fix=f"did you mean {near[0]!r}?" if near else None,
    )


def format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Return a warning as a command prints it: a person needs no line of code beside it."""
    del category, filename, lineno, line
    return f"WARNING: {message}\n"
