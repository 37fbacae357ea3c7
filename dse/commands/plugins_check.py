"""`dse plugins check`: run the conformance suites of `dse.testing` on plugins, without pytest."""

import inspect
import traceback
import unittest
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from dse.commands.plugins_list import describe_end, plugins_list
from dse.errors import DseError, TimeLimitError, WorkerError, unknown_name
from dse.plugins.call import describe_error
from dse.plugins.listing import unknown_of
from dse.plugins.registry import Provider
from dse.plugins.targets import Target, names_path, plugins_of
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.plugin import PluginRecord
from dse.testing import SUITES
from dse.testing.common import PluginTests
from dse.testing.outcomes import OUTCOMES, Outcome, outcome
from dse.worker.process import Worker

Report: TypeAlias = Callable[..., object]
"""Receives the progress, as two values, or a result; a result without an outcome is that of a check that begins."""
TIME_LIMIT_S = 120.0
"""Time that the import of a plugin and each check may take."""
_LOADS = "The plugin's module and hooks run."
_ERRORS: dict[str, Exception] = {"failed": AssertionError(), "skipped": unittest.SkipTest("")}
"""Error that stands for the outcome of a check that an earlier process ran."""
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
        outcome: result; "skipped" if an earlier check failed, so that this check would mean nothing; empty while the check runs.
        reason: fault, or the earlier check that failed.
    """

    kind: str
    plugin: str
    check: str
    meaning: str
    outcome: Literal["passed", "failed", "skipped", ""] = ""
    reason: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Kind, plugin and check."""
        return self.kind, self.plugin, self.check

    def as_dict(self) -> dict[str, Any]:
        """Return values by attribute."""
        return asdict(self)


def plugins_check(
    target: Path | str,
    *,
    options: Mapping[str, Any] | None = None,
    activity: ProgressCallback | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> list[CheckResult]:
    """Run the conformance suites on the plugins of a file or a package folder, or on an installed plugin.

    The checks run in a process of their own; a check that ends it, or is silent for too long, fails, and another process
    goes on with the next check. Nothing is downloaded or trained, and a package need not be installed: the suites run on tiny encoders with random
    weights.

    Args:
        target: a ``.py`` file, a folder whose ``pyproject.toml`` has entry points of group ``dse``, or the name of an
            installed plugin.
        options: values by name, instead of the defaults; each reaches the plugins that have an option of that name.
        activity: callback for the check that runs.
        time_limit_s: time that the import and each check may take, s.

    Returns:
        One result per check, in the order in which the checks build on one another. A plugin that does not load has one
        result.

    Raises:
        PluginLoadError: there is no such file or folder, or nothing in it registers a plugin.
        UnknownNameError: no plugin, or no option of these plugins, has that name.
        PluginContractError: the plugin refuses the value of an option.
    """
    points: set[str] = set()
    if not names_path(target):
        infos = plugins_list(time_limit_s=time_limit_s)
        points = {info.provider for info in infos if info.name == target and info.status != "disabled"}
        if not points:
            raise unknown_of(infos, "plugin", str(target))
    results: dict[tuple[str, str, str], CheckResult] = {}
    begun: list[CheckResult] = []

    def take(*content: Any) -> None:
        if not isinstance(content[0], CheckResult):
            (activity or ignore_progress)(*content)
        elif content[0].outcome:
            results[content[0].place] = content[0]
        else:
            begun.append(content[0])

    while True:
        try:
            with Worker(time_limit_s, take) as worker:
                worker.call(_check_all, target, points, dict(options or {}), tuple(results.values()))
        except (WorkerError, TimeLimitError) as error:
            running = [item for item in begun if item.place not in results]
            last = running[-1] if running else CheckResult("", str(target), "loads", _LOADS)
            reason = f"the plugin's process {describe_end(error, time_limit_s)}"
            results[last.place] = replace(last, outcome="failed", reason=reason)
            begun.clear()
            if running:
                continue
        return list(results.values())


def _check_all(
    target: Path | str, points: set[str], options: dict[str, Any], done: tuple[CheckResult, ...], report: Report
) -> None:
    """Run the checks of all plugins of a target that are not done; called in a worker."""
    plugins = plugins_of(target, points)
    given = _split_options(plugins, options)
    for provider in plugins.broken:
        report(_report_broken(provider))
    for record, own in zip(plugins.records, given, strict=True):
        _check_plugin(record, own, done, report)


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
    return CheckResult("", provider.name, "loads", _LOADS, "failed", reason)


def _check_plugin(record: PluginRecord, options: dict[str, Any], done: tuple[CheckResult, ...], report: Report) -> None:
    """Run every check of a plugin's kind that is not done; report each when it begins and when it ends."""

    def on_check(suite: PluginTests, item: Outcome, *, ended: bool) -> None:
        del suite
        result = _read_outcome(item)
        report(result if ended else replace(result, outcome=""))

    members = {"options": options, "on_check": on_check}
    suite = type("Suite", (SUITES[record.kind],), members)()
    names = [name for name in dir(suite) if name.startswith("test_")]
    for result in done:
        if (result.kind, result.plugin) == (record.kind, record.name):
            error = _ERRORS.get(result.outcome)
            OUTCOMES.append(Outcome(type(suite), f"test_{result.check.replace(' ', '_')}", record, error))
    for number, name in enumerate(names):
        report(f"checking {record.kind} {record.name!r}", number / len(names))
        outcome(getattr(suite, name), record)
    report(f"checking {record.kind} {record.name!r}", 1.0)


def _read_outcome(item: Outcome) -> CheckResult:
    record, error = item.record, item.error
    result = CheckResult(
        record.kind, record.name, _words(item.check), inspect.getdoc(getattr(item.suite, item.check)) or "", "passed"
    )
    if isinstance(error, unittest.SkipTest):
        return replace(result, outcome="skipped", reason=_words(str(error)))
    return result if error is None else replace(result, outcome="failed", reason=explain(error, _folder(record)))


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
    kind = type(error).__name__
    lines = [line.strip() for line in describe_error(error).splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        lines = [f"{lines[0]} ... {lines[-1]}"]
    said = "; ".join(lines)
    if isinstance(error, DseError | AssertionError) and said != kind:
        return said.removeprefix(f"{kind}: ")
    places = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if folder is not None and Path(frame.filename).is_relative_to(folder)
    ]
    return f"{said} ({places[-1]})" if places else said
