"""Each deliberately wrong plugin fails the check made for its fault."""

from __future__ import annotations

import unittest

import pytest

from dse.records.plugin import PluginRecord
from dse.testing import SUITES, PluginTests, SchedulerTests, registry
from dse.testing.outcomes import outcome
from tests.testing.wrong import cell_models, compressors, generators, hardware, heavy, schedulers
from tests.testing.wrong.mistakes import MISTAKES

CASES = (
    *cell_models.CASES,
    *compressors.CASES,
    *generators.CASES,
    *hardware.CASES,
    *schedulers.CASES,
    (heavy.RECORD, "test_registration_loads_nothing_heavy"),
)


def checks(suite: type[PluginTests]) -> list[str]:
    return [name for name in dir(suite) if name.startswith("test_")]


@pytest.mark.filterwarnings("ignore:Pydantic serializer")  # options that are not what they say
@pytest.mark.parametrize(
    ("record", "check"),
    [pytest.param(record, check, id=f"{record.kind}-{record.build.__name__}-{check}") for record, check in CASES],
)
def test_a_fault_fails_the_check_made_for_it(record: PluginRecord, check: str) -> None:
    error = outcome(getattr(SUITES[record.kind](), check), record)
    assert isinstance(error, Exception)
    assert not isinstance(error, unittest.SkipTest), error


def test_a_skipped_check_names_the_one_that_fails() -> None:
    record = generators.record(generators.InputsFirst)
    with pytest.raises(unittest.SkipTest, match=r"^test_weights_fit_the_plan fails$"):
        SUITES["generator"]().test_every_parameter_changes_something(record)


def test_every_check_of_every_suite_is_failed_by_some_wrong_plugin() -> None:
    shown = {(record.kind, check) for record, check in CASES}
    shown |= {(mistake.record.kind, mistake.check) for mistake in MISTAKES}
    anywhere = {check for _, check in shown}
    for kind, suite in SUITES.items():
        own = set(checks(suite)) - set(checks(PluginTests))
        assert {check for of, check in shown if of == kind} >= own
        assert set(checks(suite)) <= anywhere


def test_a_wrong_kind_of_record_is_said() -> None:
    record, _ = generators.CASES[0]
    with pytest.raises(AssertionError, match=r"expected a dse.Scheduler, found Generator"):
        SchedulerTests().test_record_is_valid(record)


def test_a_registry_holds_what_it_is_given_and_discovers_nothing() -> None:
    record, _ = generators.CASES[0]
    made = registry(record)

    assert made.records("generator") == {"wrong": record}
    assert not made.records("hardware")
    assert not registry().records("generator")
