"""Mistakes that authors made: each is caught by a check that names no plugin, and its message names the mistake."""

from __future__ import annotations

import unittest
from typing import Any

import pytest

import dse
from dse.records.plugin import Kind
from dse.testing import SUITES, PluginTests, tiny_workload
from dse.testing.outcomes import outcome
from tests.testing.wrong.mistakes import MISTAKES, Mistake

KNOWN: tuple[str, ...] = ()
"""Mistakes that no check catches yet."""


def small(suite: PluginTests) -> tuple[dse.Workload, ...]:
    """One workload; weights of compressors and generators are small, and a chip has several tiles."""
    return (tiny_workload() if suite.kind == "hardware" else tiny_workload(2, layers=2, hidden=16, ffn=32, heads=2),)


QUICK: dict[Kind, Any] = {kind: type("Quick", (suite,), {"workloads": small})() for kind, suite in SUITES.items()}


def failing(mistake: Mistake) -> str:
    """Message of the check that should fail; empty where it passes or does not run."""
    error = outcome(getattr(QUICK[mistake.record.kind], mistake.check), mistake.record)
    return "" if error is None or isinstance(error, unittest.SkipTest) else " ".join(str(error).split())


def test_the_table_has_all_mistakes() -> None:
    kinds = [mistake.record.kind for mistake in MISTAKES]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        "hardware": 22,
        "compressor": 13,
        "generator": 9,
        "scheduler": 5,
    }
    assert len(MISTAKES) - len(KNOWN) >= 44


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=lambda mistake: f"{mistake.record.kind}-{mistake.record.build.__name__}"
)
def test_a_check_names_the_mistake(mistake: Mistake) -> None:
    assert mistake.words in KNOWN or mistake.message in failing(mistake)
