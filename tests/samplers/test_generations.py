"""Genetic samplers propose what Optuna's own would propose, one trial after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dse.samplers import factory as samplers
from dse.study import run as runs
from dse.study.provenance import Provenance
from dse.study.run import run
from tests.support.additive import Additive, additive_space
from tests.support.studies import rows

FAILS = 7
"""About every so many designs cannot be evaluated."""


class Failing(Additive):
    """Some designs raise, always the same ones."""

    def cost(self, points: Any) -> Any:
        for point in points:
            bits = point.values["compressor.two-stage.bits"]
            if sum(place * bit for place, bit in enumerate(bits, start=1)) % FAILS == 0:
                raise ArithmeticError
        return super().cost(points)


def go(folder: Path, sampler: str, trials: int) -> list[dict[str, Any]]:
    space = additive_space(
        ("two-stage",),
        sampler=sampler,
        sampler_options={"population_size": 6},
        max_failed_share=1.0,
        objectives=["area", "energy"],
    )
    run(Failing(), space, folder=folder, provenance=Provenance({}, {}), trials=trials)
    found: list[dict[str, Any]] = rows(folder)
    return [
        {name: value for name, value in row.items() if name not in ("trial", "seed", "error_traceback")}
        for row in found
        if row["status"] != "duplicate"
    ]


@pytest.mark.parametrize("sampler", ["nsga2", "nsga3"])
def test_a_genetic_search_is_as_optuna_would_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    ours = go(tmp_path / "ours", sampler, 90)
    monkeypatch.setattr(runs, "make_generations", lambda _space, _codec: None)
    indexed = go(tmp_path / "indexed", sampler, 90)
    monkeypatch.setattr(samplers, "GENETIC", ())
    theirs = go(tmp_path / "theirs", sampler, 90)

    assert ours == indexed == theirs
    assert {row["status"] for row in ours} >= {"done", "failed"}
    assert len(ours) == 90


@pytest.mark.parametrize("sampler", ["nsga2", "nsga3"])
def test_a_genetic_search_is_the_same_when_it_is_continued(tmp_path: Path, sampler: str) -> None:
    problem_free = {"duration_s", "evaluated_tasks"}
    space = additive_space(sampler=sampler, sampler_options={"population_size": 6})
    for folder, steps in (("whole", (40,)), ("parts", (9, 23, 40))):
        for trials in steps:
            run(Additive(), space, folder=tmp_path / folder, provenance=Provenance({}, {}), trials=trials)
    whole, parts = (
        [{name: value for name, value in row.items() if name not in problem_free} for row in rows(tmp_path / folder)]
        for folder in ("whole", "parts")
    )
    assert whole == parts
