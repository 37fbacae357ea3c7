"""The baseline of each task beside its floating-point score and chance, and what the commands say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dse
from dse.models.inference.evaluate import Evaluator
from dse.records.baseline_facts import BaselineFacts
from dse.score.build import build_problem
from dse.score.problem import WorkloadProblem
from dse.score.separate_models import SeparateModels
from dse.space.file import load
from tests.support.tiny import CLASSIFIER, make_config, make_model, write_space


def test_every_task_has_its_scores_in_eight_bits_and_in_floats(problem: WorkloadProblem) -> None:
    facts = problem.baselines()
    assert tuple(each.score for each in facts) == problem.baseline_scores()
    for each, name in zip(facts, problem.tasks, strict=True):
        evaluator = problem._loaded.evaluator(name)  # the score by hand
        weights = problem._loaded.task_weights(name)
        assert each.fp32 == evaluator.score(weights, input_bits=0, precision="fp32").value
    assert problem.baselines(ready=True) == ()


def test_the_precision_of_a_space_file_is_that_of_every_score(
    problem: WorkloadProblem, tiny_space: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores in bf16 stay what they were; those in fp32 are others, in the cache and by hand."""
    text = tiny_space.read_text(encoding="utf-8").replace("[search]\n", '[search]\nprecision = "fp32"\n')
    (tmp_path / "exact.toml").write_text(text, encoding="utf-8")
    exact = build_problem(load(tmp_path / "exact.toml"), dse.Registry().discover(), cache=cache, device="cpu")
    point = problem.default_point(("independent", "none", "fixed", "isaac"))
    problem.score(point)
    assert problem.find_unmeasured([point]) == ((),)
    assert exact.find_unmeasured([point]) == ((0, 1),)
    used: list[str] = []
    run = Evaluator.compute_outputs

    def note(self: Evaluator, *args: Any) -> Any:
        used.append(args[3])
        return run(self, *args)

    monkeypatch.setattr(Evaluator, "compute_outputs", note)
    exact.score(point)
    assert set(used) == {"fp32"}
    assert exact.find_unmeasured([point]) == ((),)


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A space file with a checkpoint that answers one class to every text, and texts that are too long."""
    import torch

    space = write_space(tmp_path)
    model = make_model(make_config(num_labels=2), head=CLASSIFIER)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias[:] = torch.tensor([0.0, 9.0])
    model.save_pretrained(tmp_path / "own")
    line = 'name = "verdict"\n'
    text = space.read_text(encoding="utf-8").replace(line, f'{line}checkpoint = "{tmp_path}/own"\n')
    start, _, end = text.partition('[[workload.tasks]]\nname = "rating"')
    text = start.replace("max_length = 16", "max_length = 8") + "[search]" + end.partition("[search]")[2]
    space.write_text(text.replace("trials = 4", "trials = 1"), encoding="utf-8")
    return space


def test_check_scores_a_ready_checkpoint_and_run_says_the_same(ready: Path, tmp_path: Path) -> None:
    told: list[str] = []
    report = dse.check(ready, cache=tmp_path / "cache", device="cpu", in_process=True)
    (baseline,), (data,) = report.baselines, report.data
    assert isinstance(baseline, BaselineFacts)
    assert (baseline.task, baseline.metric, baseline.score) == ("verdict", "accuracy", baseline.fp32)
    assert baseline.warning().startswith("task 'verdict' is at or below chance")
    assert data.warnings() == () or data.cut_share > 0.05

    dse.run(
        ready,
        results=tmp_path / "results",
        cache=tmp_path / "cache",
        device="cpu",
        in_process=True,
        activity=lambda text, _share: told.append(text),
    )
    for text in (data.sentence(), data.class_sentence(), *data.warnings(), baseline.sentence(), baseline.warning()):
        assert any(text in said for said in told)


@pytest.mark.parametrize("scores", [True, False])
def test_a_task_that_does_not_beat_chance_is_left_out_of_costs(
    tiny_space: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, scores: bool
) -> None:
    told: list[str] = []
    registry = dse.Registry().discover()
    made = build_problem(
        load(tiny_space), registry, cache=cache, device="cpu", progress=lambda what, _: told.append(what)
    )
    good, bad = made.tasks
    monkeypatch.setattr(SeparateModels, "chance", lambda _, name, __: 0.0 if name == good else 1.0)
    made.prepare(scores=scores)
    (cost,) = made.cost([made.default_point(("independent", "none", "fixed", "isaac"))])
    assert cost.order == ((good,) if scores else (good, bad))
    assert cost.metrics["area_ratio"] == cost.metrics["area_ratio_reference"] == 1.0
    assert any(text.startswith(f"costs leave out {bad}:") for text in told) == scores
    assert made.digests.get("baseline.counted") == (good if scores else None)
