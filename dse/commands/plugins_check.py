"""Whether plugins keep their contract: the conformance suites of `dse.testing`, run without pytest."""

from __future__ import annotations

import inspect
import sys
import traceback
import unittest
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dse.errors import DseError, unknown_name
from dse.plugins.registry import Provider
from dse.plugins.targets import Target, plugins_of
from dse.records.callbacks import ProgressCallback
from dse.records.plugin import PluginRecord

if TYPE_CHECKING:
    from dse.testing.common import Outcome

MOST_LINES = 6
"""Of a message that is shown whole; of a longer one, such as a traceback, the first and the last say most."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check of one plugin found.

    Attributes:
        kind: of the plugin; empty where it did not load.
        plugin: its name.
        check: what was checked, in words.
        meaning: what holds where it passes, in a sentence.
        outcome: skipped where it means nothing because an earlier one failed.
        reason: what is wrong, or which earlier one failed.
    """

    kind: str
    plugin: str
    check: str
    meaning: str
    outcome: Literal["passed", "failed", "skipped"]
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Values by attribute."""
        return asdict(self)


def plugins_check(
    target: Path | str, *, options: Mapping[str, Any] | None = None, activity: ProgressCallback | None = None
) -> list[CheckResult]:
    """Run the conformance suite of its kind on each plugin of a file, of a package folder, or of a name.

    Nothing is downloaded or trained, and a package need not be installed: the suites run on tiny encoders with random
    weights.

    Args:
        target: a ``.py`` file, a folder whose ``pyproject.toml`` has entry points of group ``dse``, or the name of an
            installed plugin.
        options: by name, instead of their defaults; each reaches the plugins that have an option of that name.
        activity: is told which check runs.

    Returns:
        One result a check, in the order in which they build on one another. A plugin that does not load has one result.

    Raises:
        PluginLoadError: there is no such file or folder, or nothing in it registers a plugin.
        UnknownNameError: no plugin has that name, or none an option of that name.
        PluginContractError: an option has a value its plugin refuses.
    """
    with redirect_stdout(sys.stderr), plugins_of(target) as found:  # as in a study, what a plugin prints is no result
        given = _options(found, options or {})
        results = [_not_loaded(provider) for provider in found.broken]
        for record, own in zip(found.records, given, strict=True):
            results += _run_suite(record, own, activity)
    return results


def _options(found: Target, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each plugin's own part of the options, read by its type."""
    known = {name for record in found.records for name in record.options.model_fields}
    for name in options:
        if found.records and name not in known:
            raise unknown_name("option", name, known)
    own = [
        {name: value for name, value in options.items() if name in record.options.model_fields}
        for record in found.records
    ]
    for record, part in zip(found.records, own, strict=True):
        found.registry.validate_options(record.kind, record.name, part)
    return own


def _not_loaded(provider: Provider) -> CheckResult:
    assert provider.error is not None
    reason = describe_error(provider.error, Path(provider.name).parent if provider.name.endswith(".py") else None)
    return CheckResult("", provider.name, "loads", "The plugin's module and hooks run.", "failed", reason)


def _run_suite(record: PluginRecord, options: dict[str, Any], activity: ProgressCallback | None) -> list[CheckResult]:
    """Run every check of a plugin's kind; those that others build on come first."""
    from dse.testing import SUITES
    from dse.testing.common import OUTCOMES, outcome

    suite = type("Suite", (SUITES[record.kind],), {"options": options})()
    names = [name for name in dir(suite) if name.startswith("test_")]
    for number, name in enumerate(names):
        if activity is not None:
            activity(f"checking {record.kind} {record.name!r}", number / len(names))
        outcome(getattr(suite, name), record)
    if activity is not None:
        activity(f"checking {record.kind} {record.name!r}", 1.0)
    mine = [found for found in OUTCOMES if found.suite is type(suite)]
    OUTCOMES[:] = [found for found in OUTCOMES if found.suite is not type(suite)]
    return [_result(found) for found in mine]


def _result(found: Outcome) -> CheckResult:
    record, error = found.record, found.error
    outcome: Literal["passed", "failed", "skipped"] = "passed"
    reason = ""
    if isinstance(error, unittest.SkipTest):
        outcome, reason = "skipped", _words(str(error))
    elif error is not None:
        outcome, reason = "failed", describe_error(error, _folder(record))
    meaning = inspect.getdoc(getattr(found.suite, found.check)) or ""
    return CheckResult(record.kind, record.name, _words(found.check), meaning, outcome, reason)


def _folder(record: PluginRecord) -> Path | None:
    try:
        source = inspect.getsourcefile(record.build)
    except TypeError:  # neither a class nor a function
        return None
    return Path(source).parent if source else None


def _words(text: str) -> str:
    return text.removeprefix("test_").replace("_", " ")


def describe_error(error: BaseException, folder: Path | None) -> str:
    """What went wrong on one line, with the place in the plugin unless a check or the core says it by itself.

    Args:
        error: what was raised.
        folder: of the plugin.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        lines = [f"{lines[0]} ... {lines[-1]}"]
    message = "; ".join(lines)
    if message and isinstance(error, DseError | AssertionError):
        return message
    places = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if folder is not None and Path(frame.filename).is_relative_to(folder)
    ]
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"{said} ({places[-1]})" if places else said
