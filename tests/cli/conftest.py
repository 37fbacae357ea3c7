"""A fast problem behind the command line, a space file for it, and studies to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dse.cli.app import app
from dse.records.design import DesignPoint, PluginParameter
from dse.records.parameters import Int
from dse.records.scored import CostResult, ScoreResult
from dse.records.workload import Encoder, Matrix, Task, Workload
from tests.support.fakes import FakeProblem, Formula

SPACE = """
schema = 1
name = "small"

[workload]
base = "minilm-l6"
tasks = ["trec6", "tweet_sent"]

[search]
sampler = "random"
trials = 6

[generator]
plugins = ["independent"]

[compressor]
plugins = ["none"]

[scheduler]
plugins = ["fixed"]

[hardware]
plugins = ["isaac"]

[hardware.isaac.parameters]
adc_bits = {}
"""


PARAMETERS = (
    PluginParameter(
        "hardware",
        "isaac",
        Int(name="adc_bits", low=1, high=16, default=8, unit="bit", summary="ADC resolution", scores=False),
    ),
)
TASKS = ("trec6", "tweet_sent")


def cost_of_bits(point: DesignPoint) -> CostResult:
    bits = int(point.values["hardware.isaac.adc_bits"])  # type: ignore[arg-type]
    area, energy = {"arrays": 10.0, "adc": 0.5 * bits}, {"arrays": 2.0, "adc": 0.25 * bits}
    names = [f"{name}_ratio{end}" for end in ("", "_reference") for name in ("area", "array_area", "energy", "latency")]
    metrics: dict[str, float | None] = {
        "area_mm2": sum(area.values()),
        "energy_uj": sum(energy.values()),
        "latency_us": 5.0,
        **dict.fromkeys(names, bits / 8),
        "offchip_mb": 12.0,
        "writes": 0.0,
        "lifetime_years": None,
    }
    return CostResult(metrics, area, energy, order=TASKS)


def score_of_bits(point: DesignPoint, split: str) -> ScoreResult:
    del split
    value = 0.5 + int(point.values["hardware.isaac.adc_bits"]) / 40  # type: ignore[arg-type]
    names = ("accuracy_drop", "accuracy_drop_low", "accuracy_drop_high", "accuracy_drop_all", "accuracy_drop_worst")
    metrics = {"score_mean": value, **dict.fromkeys(names, 100 * (0.9 - value))}
    return ScoreResult(metrics, dict.fromkeys(TASKS, value), evaluated=1)


BITS = Formula(PARAMETERS, TASKS, 2, cost_of_bits, score_of_bits)
"""Sixteen designs; more ADC bits cost area and energy and score better."""


class Served(FakeProblem):
    """The problem as the command line builds it: with a workload and reports of progress."""

    workload = Workload(
        "minilm-l6",
        Encoder(2, (Matrix("q", 8, 8, "x"),), 2, 8, 16, 8, 64),
        (Task("trec6", 10.0, 120.0, 16, 0.5), Task("tweet_sent", 20.0, 420.0, 16, 0.5)),
        digests={"base": "b", "task.trec6": "t"},
    )
    digests = workload.digests

    def __init__(self) -> None:
        super().__init__(BITS)
        self.progress: Callable[[str, float | None], None] | None = None
        self.built_with: dict[str, Any] = {}

    def prepare(self, *, scores: bool) -> None:
        super().prepare(scores=scores)
        if self.progress:
            for share in (0.0, 0.1, 0.5, 1.0):
                self.progress("fine-tuning trec6", share)


@pytest.fixture
def problem(monkeypatch: pytest.MonkeyPatch) -> Served:
    fake = Served()

    def build(space: object, registry: object, **options: Any) -> Served:
        fake.built_with = {"space": space, "registry": registry, **options}
        fake.progress = options["progress"]
        return fake

    monkeypatch.setattr("dse.score.build.build_problem", build)
    return fake


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A space file in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DSE_CACHE", raising=False)
    path = tmp_path / "small.toml"
    path.write_text(SPACE, encoding="utf-8")
    return path


Run = Callable[..., Any]


@pytest.fixture
def dse() -> Run:
    """Runs the command line in this process, where the problem is a fake; stdout and stderr apart."""

    def run(*words: object) -> Any:
        here = ("--in-process",) if words[0] in {"run", "check", "validate"} and "--help" not in words else ()
        return CliRunner().invoke(app, [str(word) for word in (*words, *here)], prog_name="dse")

    return run
