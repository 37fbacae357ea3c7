"""Cost and scores of design points, from declared parameters to the cached score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dse
from dse.records.design import DesignPoint
from dse.records.effective import Effective
from dse.records.plugin import KINDS, Kind
from dse.score.build import build_problem
from dse.score.problem import WorkloadProblem
from dse.score.stored_terms import Assembly
from dse.space.file import load
from tests.support.workloads import geometry

BASELINE = ("independent", "none", "fixed", "isaac")
TWO_STAGE = ("independent", "two-stage", "fixed", "isaac")
PREFIX = ("shared-prefix", "two-stage", "searched", "isaac")

SKIPS = """import dse

class Skips:
    def parameters(self, workload):
        return ()

    def prepare(self, context):
        pass

    def plan(self, workload, params):
        owner = dse.separate_models(workload, params.points).owner.copy()
        owner[:, :, 0] = dse.DROPPED
        return dse.Plan(owner)

    def weights(self, context, params, owner):
        return context.base_weights() if owner == dse.BASE else context.task_weights(owner - 1)

@dse.hookimpl
def dse_generators():
    yield dse.Generator(name="skips", summary="skips the first layer", build=lambda options: Skips())
"""


def changed(point: DesignPoint, **values: Any) -> DesignPoint:
    names = {name.rpartition(".")[2]: name for name in point.values}
    return replace(point, values={**point.values, **{names[name]: value for name, value in values.items()}})


def test_the_baseline_is_one_in_every_ratio_and_drops_nothing(problem: WorkloadProblem) -> None:
    point = problem.default_point(BASELINE)
    cost, score = problem.cost([point])[0], problem.score(point)

    assert [cost.metrics[f"{name}_ratio"] for name in ("area", "array_area", "energy", "latency")] == [1, 1, 1, 1]
    assert {value for name, value in score.metrics.items() if name.startswith("accuracy_drop")} == {0.0}
    assert cost.metrics["writes"] == 0
    assert cost.metrics["lifetime_years"] is None


def test_breakdowns_sum_to_the_totals(problem: WorkloadProblem) -> None:
    for names in (BASELINE, TWO_STAGE, PREFIX):
        cost = problem.cost([problem.default_point(names)])[0]
        assert sum(cost.area.values()) == pytest.approx(cost.metrics["area_mm2"], rel=1e-12)
        assert sum(cost.energy.values()) == pytest.approx(cost.metrics["energy_uj"], rel=1e-12)
        assert set(cost.area) <= set(problem.components)


def test_a_batch_costs_what_its_points_cost_alone(problem: WorkloadProblem) -> None:
    points = [
        problem.default_point(BASELINE),
        changed(problem.default_point(PREFIX), depth=(1, 0), order=(1, 0)),
        changed(problem.default_point(TWO_STAGE), selective=(0.5, 0.0), cell_bits=2, adc_bits=9),
        changed(problem.default_point(PREFIX), depth=(2, 2), cosine=(0.8, 0.99)),
        problem.default_point(TWO_STAGE),
    ]

    together = problem.cost(points)

    for point, cost in zip(points, together, strict=True):
        alone = problem.cost([point])[0]
        assert alone.metrics == pytest.approx(cost.metrics)
        assert alone.order == cost.order


def test_a_score_is_measured_once_for_each_recipe(problem: WorkloadProblem) -> None:
    point = changed(problem.default_point(TWO_STAGE), selective=(0.25, 0.0), max_bits=(1, 1))

    first, again = problem.score(point), problem.score(point)
    other_task = problem.score(changed(point, selective=(0.25, 0.375)))
    other_schedule = problem.score(
        replace(point, scheduler="searched", values={**point.values, "scheduler.searched.order": (1, 0)})
    )

    assert first.evaluated >= 1
    assert again.evaluated == 0
    assert other_task.evaluated == 1
    assert other_schedule.evaluated == 0
    assert other_schedule.tasks == again.tasks == first.tasks
    assert other_task.tasks["verdict"] == first.tasks["verdict"]


def test_some_rows_are_scored_by_themselves(problem: WorkloadProblem) -> None:
    point = problem.default_point(("independent", "none", "fixed", "isaac"))
    whole, part = problem.score(point), problem.score(point, "screen")

    assert set(part.tasks) == set(whole.tasks)
    assert part.metrics["accuracy_drop"] == 0
    assert problem.find_unmeasured([point], "screen") == ((),)
    assert problem.measure(point, (0, 1), "screen") == 0


def test_recipes_that_lead_to_the_same_weights_share_a_score(problem: WorkloadProblem) -> None:
    plain = problem.score(problem.default_point(TWO_STAGE))
    prefix = problem.score(changed(problem.default_point(PREFIX), depth=(0, 0)))

    assert prefix.evaluated == 0
    assert prefix.tasks == plain.tasks


def test_a_new_process_finds_scores_and_models_in_the_cache(
    problem: WorkloadProblem, tiny_space: Path, cache: Path
) -> None:
    point = problem.default_point(TWO_STAGE)
    expected = problem.score(point)
    told: list[str] = []
    again = build_problem(
        load(tiny_space),
        dse.Registry().discover(),
        cache=cache,
        device="cpu",
        progress=lambda what, _: told.append(what),
    )
    again.prepare(scores=True)

    assert again.score(point).tasks == expected.tasks
    assert again.score(point).evaluated == 0
    assert not [what for what in told if "fine-tuning" in what or "statistics" in what]


def test_layers_of_the_base_bring_its_biases_and_norms(problem: WorkloadProblem) -> None:
    """With every layer the base's, a task scores as its head on the base: no weight of its encoder is left."""
    point = changed(problem.default_point(("shared-prefix", "none", "fixed", "isaac")), depth=(2, 2))
    cost = problem.cost([point])[0]
    score = problem.score(point)
    own = problem.score(problem.default_point(BASELINE))

    assert cost.metrics["array_area_ratio"] == pytest.approx(1 / len(problem.counted_tasks))
    assert score.tasks != own.tasks or np.isclose(score.metrics["accuracy_drop"], 0)


def test_the_weights_that_are_charged_are_the_weights_that_are_scored(problem: WorkloadProblem) -> None:
    """Full differences, nothing dropped: the score is that of the fine-tuned codes on the base's grid, made here by hand."""
    point = changed(problem.default_point(TWO_STAGE), cosine=(1.0, 1.0), max_bits=(8, 8), selective=(0.0, 0.0))
    score = problem.score(point)
    context = problem.context
    base = context.base_weights()
    for task, name in enumerate(problem.tasks):
        scales = {key: dse.best_scale(weight) for key, weight in base.items()}
        by_hand = {key: dse.quantise(w, scales[key]) * scales[key] for key, w in context.task_weights(task).items()}
        outcome = context.evaluate(task, Effective(by_hand), "search", 8, np.full(problem.layers, task + 1))

        assert score.tasks[name] == outcome.value


def test_skipping_a_layer_is_what_a_plan_that_drops_it_scores(
    problem: WorkloadProblem, tiny_space: Path, cache: Path, tmp_path: Path
) -> None:
    file = tmp_path / "skips.py"
    file.write_text(SKIPS, encoding="utf-8")
    text = tiny_space.read_text(encoding="utf-8").replace('"independent", "shared-prefix"', '"skips"')
    path = tmp_path / "skips.toml"
    path.write_text(text, encoding="utf-8")
    planned = build_problem(load(path), dse.Registry().discover().add_file(file), cache=cache, device="cpu")
    known = problem.layer_scores(skipped=True)

    result = planned.score(planned.default_point(("skips", "none", "fixed", "isaac")))

    assert [result.tasks[name] for name in problem.tasks] == [scores[0] for scores in known]
    assert result.evaluated == 0  # the very same weights, so the very same entry of the cache


def test_a_plugin_the_study_does_not_name_is_refused(problem: WorkloadProblem) -> None:
    with pytest.raises(dse.SpaceError, match="does not name this plugin"):
        problem.cost([DesignPoint("other", "none", "fixed", "isaac", {})])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"adc_bit": 8}, "there is no hardware parameter called 'adc_bit'[\\s\\S]*did you mean 'adc_bits'"),
        ({"adc_bits": 11}, "cannot take this value[\\s\\S]*4 to 10 bit[\\s\\S]*11"),
        ({"cell_bits": 3}, "cannot take this value[\\s\\S]*one of \\[1, 2, 4\\]"),
        ({"adc_bits": 7}, "the reference hardware cannot hold the baseline[\\s\\S]*conversions would clip"),
    ],
)
def test_a_reference_hardware_that_cannot_be_is_refused(
    tiny_space: Path, cache: Path, parameters: dict[str, int], message: str
) -> None:
    space = load(tiny_space)
    reference = space.reference_hardware.model_copy(update={"parameters": parameters})
    space = space.model_copy(update={"reference_hardware": reference})

    with pytest.raises(dse.DseError, match=message):
        _ = build_problem(space, dse.Registry().discover(), cache=cache, device="cpu").baseline


@pytest.mark.parametrize(
    "version",
    [
        "dse.models.training.joint.JOINT_VERSION",
        "dse.models.inference.observe.OBSERVE_VERSION",
        "dse.score.context.FIT_EXITS_VERSION",
    ],
)
def test_what_plugins_measured_is_made_anew_when_the_core_gives_them_something_else(
    tiny_space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    made: list[int] = []

    def measure() -> None:
        built = build_problem(load(tiny_space), dse.Registry().discover(), cache=tmp_path, device="cpu")
        context = built.context.of_plugin("compressor", "none")
        context.cached("something", {}, lambda: made.append(1) or {"value": np.zeros(1)})  # type: ignore[func-returns-value]  # None, so that the arrays follow

    measure()
    measure()
    assert len(made) == 1
    monkeypatch.setattr(version, 99)
    measure()
    assert len(made) == 2


FACTOR = """import dse, numpy as np

class Gen:
    joint = True

    def __init__(self, options): pass

    def parameters(self, workload): return ()

    def prepare(self, context): pass

    def plan(self, workload, params): return dse.separate_models(workload, params.points)

    def weights(self, context, params, owner):
        kept = context.cached("factor", {"of": "all"}, lambda: {"factor": np.array(FACTOR)})
        own = context.base_weights() if owner == dse.BASE else context.task_weights(owner - 1)
        return {key: float(kept["factor"]) * weight for key, weight in own.items()}

@dse.hookimpl
def dse_generators():
    yield dse.Generator(name="factor", summary="one factor", build=Gen)
"""


def test_an_edited_plugin_does_not_get_the_arrays_that_it_cached_while_designs_were_made(
    tiny_space: Path, tmp_path: Path
) -> None:
    """The weights follow the factor in the code, although both versions cache it under one name and one key."""
    norms = []
    for factor in ("0.5", "1.0"):
        (file := tmp_path / "factor.py").write_text(FACTOR.replace("FACTOR", factor), encoding="utf-8")
        space = load(tiny_space)
        generator = space.generator.model_copy(update={"plugins": ["factor"]})
        registry = dse.Registry().discover().add_file(file)
        made = build_problem(
            space.model_copy(update={"generator": generator}), registry, cache=tmp_path / "own", device="cpu"
        )
        combination = ("factor", "none", "fixed", "isaac")
        params = {kind: dse.Params(1) for kind in ("generator", "compressor")}
        assembly = Assembly(made.context, made.costing.build(combination), params, geometry())  # type: ignore[arg-type]  # kinds as text
        norms.append(float(assembly.of_task(0).weights[0, 0].norm()))
    assert norms[0] == pytest.approx(norms[1] / 2, rel=1e-3)


OLD_HARDWARE = """import dse
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions

class Old(Isaac):
    def parameters(self, workload):
        own = dse.Int(name="input_bits", low=6, high=6, default=6, scores=False)
        return (*super().parameters(workload), own)

@dse.hookimpl
def dse_hardware_models():
    yield dse.HardwareModel(name="old", summary="of contract 1", build=Old, options=IsaacOptions)
"""


def test_input_bits_of_the_design_reach_cost_and_score_and_not_the_baseline(problem: WorkloadProblem) -> None:
    point = problem.default_point(BASELINE)
    few, usual, many = (changed(point, input_bits=bits) for bits in (4, 8, 16))
    assert usual == point
    costs = [cost.metrics["energy_uj"] for cost in problem.cost([few, usual, many])]
    assert costs[0] < costs[1] < costs[2]  # type: ignore[operator]
    score = problem.score(few)
    assert score.evaluated == len(problem.tasks)
    assert problem.score(usual).metrics["accuracy_drop_all"] == 0


def test_hardware_of_contract_1_keeps_its_input_bits_and_refuses_others(
    problem: WorkloadProblem, tiny_space: Path, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "old.py").write_text(OLD_HARDWARE)
    registry = dse.Registry().discover().add_file(tmp_path / "old.py")
    names = (*BASELINE[:3], "old")
    chosen: tuple[tuple[Kind, str, dict[str, Any]], ...] = tuple(
        (kind, name, {}) for kind, name in zip(KINDS, names, strict=True)
    )
    other = WorkloadProblem(problem._loaded, chosen, load(tiny_space).reference_hardware, registry, cache=cache)
    other.prepare(scores=True)
    point, same = other.default_point(names), problem.default_point(BASELINE)

    def asking(bits: int) -> DesignPoint:
        return replace(point, values={**point.values, "compressor.none.input_bits": bits})

    costs = [one.metrics["energy_uj"] for one in other.cost([point, asking(6)])]
    costs += [one.metrics["energy_uj"] for one in problem.cost([changed(same, input_bits=6)])]
    assert costs[0] == costs[1] == costs[2]
    with pytest.raises(
        dse.PluginContractError, match="hardware 'old' has input bits that differ from the design's"
    ) as caught:
        other.cost([asking(7)])
    assert "expected: 7 input bits" in str(caught.value)
    assert "found: 6 input bits, by contract 1 of plugins" in str(caught.value)
