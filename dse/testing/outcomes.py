"""Outcomes of checks: each check runs once per suite and record, and is skipped where an earlier one fails."""

import unittest
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeAlias, TypeVar

from dse.plugins.call import refuse_interrupt
from dse.records.plugin import PluginRecord

Check: TypeAlias = Callable[[PluginRecord], None]
Suite = TypeVar("Suite", bound=type)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a check of a suite on a record.

    Attributes:
        suite: the suite's class, which has the options.
        check: name of the method.
        record: record of the plugin.
        error: error that the check raised; a `unittest.SkipTest` where an earlier check fails; None where the check passed.
    """

    suite: type
    check: str
    record: PluginRecord
    error: BaseException | None


OUTCOMES: list[Outcome] = []
"""Outcome of every check that ran, whoever asked for it; checks that others build on come first."""


def once_each(suite: Suite) -> Suite:
    """Make each check that a suite defines run once per record: a later call has the outcome of the first.

    Args:
        suite: the class. A subclass that overrides a check decides itself when the check runs.
    """
    for name, check in list(vars(suite).items()):
        if name.startswith("test_"):
            setattr(suite, name, _once(check))
    return suite


def _once(check: Callable[[Any, PluginRecord], None]) -> Callable[[Any, PluginRecord], None]:
    @wraps(check)
    def run(self: Any, record: PluginRecord) -> None:
        if getattr(type(self), check.__name__) is not run:  # a check that overrides this one calls it
            check(self, record)
            return
        error = outcome(getattr(self, check.__name__), record)
        if error is not None:
            raise error

    return run


def outcome(check: Check, record: PluginRecord) -> BaseException | None:
    """Return the error that a check raises, or None; the check runs once per suite and record.

    Args:
        check: method of a suite.
        record: record of the plugin.
    """
    suite: Any = getattr(check, "__self__", None)
    result = Outcome(type(suite), check.__name__, record, None)
    for earlier in OUTCOMES:
        if (earlier.suite, earlier.check) == (result.suite, result.check) and earlier.record == record:
            return earlier.error
    body = getattr(check, "__wrapped__", None)
    suite.on_check(result, ended=False)
    try:
        if body is None:
            check(record)
        else:
            body(suite, record)
    except BaseException as raised:
        refuse_interrupt(raised)
        result = replace(result, error=raised)
    OUTCOMES.append(result)
    suite.on_check(result, ended=True)
    return result.error


def after(*checks: Check, record: PluginRecord) -> None:
    """Skip a check where an earlier one fails, so that one fault fails one check."""
    for check in checks:
        error = outcome(check, record)
        if isinstance(error, NothingToTest):
            continue
        if isinstance(error, unittest.SkipTest):
            raise error
        if error is not None:
            raise unittest.SkipTest(f"{check.__name__} fails") from error


class NothingToTest(unittest.SkipTest):
    """Outcome of a check that has nothing to test on a plugin; checks that build on it go on.

    Args:
        reason: what the plugin does not have.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"nothing to test: {reason}")
