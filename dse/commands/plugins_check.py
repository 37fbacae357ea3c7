"""`dse plugins check`: run the conformance suites of `dse.testing` on plugins, without pytest."""

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
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.plugin import PluginRecord

if TYPE_CHECKING:
    from dse.testing.common import Outcome

MOST_LINES = 6
"""Lines of the longest message that is shown whole; a longer message, such as a traceback, is cut to two lines."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check of one plugin.

    Attributes:
        kind: kind of the plugin; empty if it did not load.
        plugin: name of the plugin.
        check: name of the check, in words.
        meaning: sentence that holds if the check passes.
        outcome: result; "skipped" if an earlier check failed, so that this check would mean nothing.
        reason: fault, or the earlier check that failed.
    """

    kind: str
    plugin: str
    check: str
    meaning: str
    outcome: Literal["passed", "failed", "skipped"]
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return values by attribute."""
        return asdict(self)


def plugins_check(
    target: Path | str, *, options: Mapping[str, Any] | None = None, activity: ProgressCallback | None = None
) -> list[CheckResult]:
    """Run the conformance suites on the plugins of a file or a package folder, or on an installed plugin.

    Nothing is downloaded or trained, and a package need not be installed: the suites run on tiny encoders with random
    weights.

    Args:
        target: a ``.py`` file, a folder whose ``pyproject.toml`` has entry points of group ``dse``, or the name of an
            installed plugin.
        options: values by name, instead of the defaults; each reaches the plugins that have an option of that name.
        activity: callback for the check that runs.

    Returns:
        One result per check, in the order in which the checks build on one another. A plugin that does not load has one
        result.

    Raises:
        PluginLoadError: there is no such file or folder, or nothing in it registers a plugin.
        UnknownNameError: no plugin, or no option of these plugins, has that name.
        PluginContractError: the plugin refuses the value of an option.
    """
    # As in a study, text that a plugin prints is not a result.
    with redirect_stdout(sys.stderr), plugins_of(target) as target_plugins:
        given = _split_options(target_plugins, options or {})
        results = [_report_broken(provider) for provider in target_plugins.broken]
        for record, own in zip(target_plugins.records, given, strict=True):
            results += _check_plugin(record, own, activity or ignore_progress)
    return results


def _split_options(target: Target, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each plugin's own part of the options, after its type has checked them."""
    names = {name for record in target.records for name in record.options.model_fields}
    for name in options:
        if target.records and name not in names:
            raise unknown_name("option", name, names)
    own = []
    for record in target.records:
        own.append({name: value for name, value in options.items() if name in record.options.model_fields})
        target.registry.validate_options(record.kind, record.name, own[-1])
    return own


def _report_broken(provider: Provider) -> CheckResult:
    assert provider.error is not None
    reason = explain(provider.error, Path(provider.name).parent if provider.name.endswith(".py") else None)
    return CheckResult("", provider.name, "loads", "The plugin's module and hooks run.", "failed", reason)


def _check_plugin(record: PluginRecord, options: dict[str, Any], activity: ProgressCallback) -> list[CheckResult]:
    """Run every check of a plugin's kind; checks that others build on come first."""
    from dse.testing import SUITES
    from dse.testing.common import OUTCOMES, outcome

    suite = type("Suite", (SUITES[record.kind],), {"options": options})()
    names = [name for name in dir(suite) if name.startswith("test_")]
    for number, name in enumerate(names):
        activity(f"checking {record.kind} {record.name!r}", number / len(names))
        outcome(getattr(suite, name), record)
    activity(f"checking {record.kind} {record.name!r}", 1.0)
    mine = [item for item in OUTCOMES if item.suite is type(suite)]
    OUTCOMES[:] = [item for item in OUTCOMES if item.suite is not type(suite)]
    return [_read_outcome(item) for item in mine]


def _read_outcome(item: Outcome) -> CheckResult:
    record, error = item.record, item.error
    outcome: Literal["passed", "failed", "skipped"] = "passed"
    reason = ""
    if isinstance(error, unittest.SkipTest):
        outcome, reason = "skipped", _words(str(error))
    elif error is not None:
        outcome, reason = "failed", explain(error, _folder(record))
    meaning = inspect.getdoc(getattr(item.suite, item.check)) or ""
    return CheckResult(record.kind, record.name, _words(item.check), meaning, outcome, reason)


def _folder(record: PluginRecord) -> Path | None:
    try:
        source = inspect.getsourcefile(record.build)
    except TypeError:  # neither a class nor a function
        return None
    return Path(source).parent if source else None


def _words(text: str) -> str:
    return text.removeprefix("test_").replace("_", " ")


def explain(error: BaseException, folder: Path | None) -> str:
    """Describe an error on one line, with its place in the plugin unless a check or the core raised the error.

    Args:
        error: error that was raised.
        folder: folder of the plugin.
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
