"""Scores on arrays that are not ideal: exact without noise, worse with more of it, and found again in the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.hardware.isaac.options import IsaacOptions

import dse
from dse.cost.cost import Built, nonideality
from dse.models.inference.adc import product
from dse.records.design import DesignPoint
from dse.results.columns import study_columns
from dse.results.rows import score_cells
from dse.score.build import build_problem
from dse.score.noisy_terms import OnChip
from dse.score.problem import WorkloadProblem
from dse.score.stored_terms import Assembly
from dse.space.file import load
from dse.space.toml_text import toml_value
from dse.testing import tiny_workload
from tests.support.devices import cells_of, stuck, wan22
from tests.support.workloads import BoundContext, geometry
from tests.testing.wrong.hardware import NoiseInWords

WHOLE = ("independent", "none", "fixed", "isaac")
DELTAS = ("shared-prefix", "two-stage", "fixed", "isaac")
Make = Callable[..., WorkloadProblem]


@pytest.fixture
def told() -> list[str]:
    """What problems say they do."""
    return []


@pytest.fixture
def make(tiny_space: Path, cache: Path, tmp_path: Path, told: list[str]) -> Make:
    """Build the tiny problem with options of its hardware, on the cache of the others or a new one."""

    def build(folder: Path = cache, **options: Any) -> WorkloadProblem:
        lines = [f"{name} = {toml_value(value)}" for name, value in options.items()]
        path = tmp_path / "noisy.toml"
        text = tiny_space.read_text(encoding="utf-8")
        path.write_text(text + "\n".join(["[hardware.isaac.options]", *lines]) + "\n", encoding="utf-8")
        made = build_problem(
            load(path),
            dse.Registry().discover(),
            cache=folder,
            device="cpu",
            progress=lambda what, _: told.append(what),
        )
        made.prepare(scores=True)
        return made

    return build


def at(problem: WorkloadProblem, names: Any = WHOLE, **values: Any) -> DesignPoint:
    point = problem.default_point(names)
    full = {name.rpartition(".")[2]: name for name in point.values}
    return replace(point, values={**point.values, **{full[name]: value for name, value in values.items()}})


QUIET = (
    {"cell_model": "wan22", "cell_options": {"scale": 0.0, "stuck_on": 0.0, "stuck_off": 0.0}},
    {"cell_model": "lognormal", "cell_options": {"sigma": 0.0}},
)


@pytest.mark.parametrize("options", QUIET)
@pytest.mark.parametrize("cell_draws", ["codes", "cells"])
@pytest.mark.parametrize("names", [WHOLE, DELTAS])
def test_without_noise_scores_are_those_of_ideal_arrays(
    problem: WorkloadProblem, make: Make, options: dict[str, Any], cell_draws: str, names: Any
) -> None:
    ideal = problem.score(at(problem, names))
    quiet = make(**options, cell_draws=cell_draws, draws=2)
    score = quiet.score(at(quiet, names))

    assert score.tasks == ideal.tasks
    assert score.evaluated == 0  # the very same weights, bit for bit, so their scores are known
    assert {name: score.metrics[name] for name in ideal.metrics} == ideal.metrics
    assert score.metrics["accuracy_drop_spread"] == 0
    assert (score.draws, score.spread) == (2, dict.fromkeys(problem.tasks, 0.0))
    assert (ideal.draws, ideal.adc_rows, ideal.spread) == (None, None, {})


WIDE: dict[str, Any] = {"cell_model": "lognormal", "cell_options": {"sigma": 0.5}}


def test_a_row_has_the_mean_over_draws_and_how_far_they_lie_apart(make: Make) -> None:
    noisy = make(**WIDE, draws=3)
    point = at(noisy)
    score = noisy.score(point)
    built = noisy.costing.build(WHOLE)
    for task, name in enumerate(noisy.tasks):
        values = [outcome.value for outcome in noisy._scorer.task(built, point, task, "search")]
        assert len(set(values)) > 1 or name == "verdict"
        assert score.tasks[name] == pytest.approx(np.mean(values))
        assert score.spread[name] == pytest.approx(np.std(values, ddof=1))
    assert score.metrics["accuracy_drop_low"] < score.metrics["accuracy_drop"] < score.metrics["accuracy_drop_high"]
    cells = score_cells(score)
    assert {"draws": 3, "adc_rows": None}.items() <= cells.items()
    assert set(cells) <= {column.name for column in study_columns((), noisy.tasks, ())}
    one = make(**WIDE, draws=1)
    assert "accuracy_drop_spread" not in one.score(at(one)).metrics


def test_draws_are_found_again_and_more_of_them_cost_only_what_is_new(make: Make, tmp_path: Path) -> None:
    options: dict[str, Any] = {"cell_model": "wan22", "cell_age": "2 d", "folder": tmp_path / "own"}
    first = make(**options, draws=2)
    point = at(first)
    score = first.score(point)
    again, more = make(**options, draws=2), make(**options, draws=3)

    assert score.evaluated == 2
    assert again.find_unmeasured([point]) == ((),)
    assert again.score(point) == replace(score, evaluated=0)
    assert more.find_unmeasured([point, point]) == ((0, 1), ())
    assert more.score(point).evaluated == 2
    other = make(**options, draws=2, noise_seed=1)
    assert other.score(point).tasks != score.tasks


def test_scores_on_ideal_arrays_are_known_by_what_they_were_known_by(problem: WorkloadProblem, make: Make) -> None:
    """Options that are off, and geometry that only noise depends on, are no part of a recipe."""
    (recipe,) = problem._scorer.recipes(problem.costing.build(WHOLE), at(problem), 0, "search")
    off = make(draws=7, cell_options={"sigma": 0.3}, cell_age="2 d")
    assert off._scorer.recipes(off.costing.build(WHOLE), at(off, cell_bits=2), 0, "search") == [recipe]
    common = {"base", "task", "data", "split", "input_bits", "evaluator", "precision"}
    assert set(recipe) == {*common, "plugins", "core", "parameters", "geometry"}


AGED = """import numpy as np
import dse
from dse import plugin

class AgedOptions(dse.Options):
    age: float = 1.0

def build(options):
    return plugin.CellLaw(program=Law(options.age).program, g_min_us=1.0, g_max_us=40.0)

class Law:
    def __init__(self, age):
        self.age = age

    def program(self, target, normal):
        return target * (1 + np.float32(0.05 * self.age) * normal)

@dse.hookimpl
def dse_cell_models():
    yield plugin.CellModel(name="aged", summary="spreads with age", build=build, options=AgedOptions)
"""


def test_a_cell_model_of_an_authors_own_shares_no_key_with_another_law(
    tiny_space: Path, cache: Path, tmp_path: Path
) -> None:
    """The law is code with options: both are in the key of a score."""
    keys: set[str] = set()
    for model, options, code in (
        ("lognormal", "", AGED),
        ("aged", "", AGED),
        ("aged", "age = 9.0", AGED),
        ("aged", "", AGED.replace("0.05", "0.06")),
    ):
        (file := tmp_path / "aged.py").write_text(code, encoding="utf-8")
        text = f'[hardware.isaac.options]\ncell_model = "{model}"\ncell_options = {{{options}}}\ndraws = 1\n'
        (path := tmp_path / "aged.toml").write_text(tiny_space.read_text(encoding="utf-8") + text, encoding="utf-8")
        made = build_problem(load(path), dse.Registry().discover().add_file(file), cache=cache, device="cpu")
        keys |= made._scorer.unknown(made.costing.build(WHOLE), made.default_point(WHOLE), 0, "search").keys()
    assert len(keys) == 4


def test_scores_do_not_depend_on_the_order_in_which_they_are_measured(make: Make, tmp_path: Path) -> None:
    one, other = (make(folder=tmp_path / name, cell_model="wan22", draws=2) for name in "ab")
    point = at(one, DELTAS)
    one.measure(point, (0, 1))
    other.measure(at(other, WHOLE), (1,))
    other.measure(point, (1, 0))
    assert one.score(point).tasks == other.score(point).tasks


def test_an_adc_that_clips_is_refused_when_ideal_and_scored_when_real(
    problem: WorkloadProblem, make: Make, told: list[str]
) -> None:
    real = make(adc="real", adc_rows=12, draws=1)
    assert problem.cost([at(problem, adc_bits=7)])[0].violations
    assert not real.cost([at(real, adc_bits=7)])[0].violations
    enough, few = real.score(at(real)), real.score(at(real, adc_bits=4))
    some = problem.score(at(problem), "search:12")

    assert (enough.adc_rows, enough.draws) == (12, 1)
    assert enough.tasks == some.tasks  # nothing is lost, so nothing is simulated
    assert enough.metrics["accuracy_drop"] == 0
    assert few.evaluated == 2
    assert few.baseline == some.baseline
    assert "scoring with real ADCs" in told  # a study waits only so long without a word


def assemble_deltas() -> tuple[Assembly, dse.Geometry]:
    """Deltas of two tasks over a base, with random weights."""
    load_, chip = tiny_workload(2), geometry(rows=16, columns=16)
    context: Any = BoundContext(load_, spread=0.1)
    compressor = dse.Registry().discover().build("compressor", "two-stage", {})
    compressor.prepare(context)
    chosen = [item.default for item in compressor.parameters(load_)]
    names = [item.name for item in compressor.parameters(load_)]
    values = {name: np.full((1, 2), value) for name, value in zip(names, chosen, strict=True)}
    generator = dse.Registry().discover().build("generator", "independent", {})
    built: Any = Built(("independent", "two-stage", "s", "h"), generator, compressor, None, None)  # type: ignore[arg-type]
    given: Any = {"generator": dse.Params(1), "compressor": dse.Params(1, values)}
    return Assembly(context, built, given, chip), chip


def test_deltas_and_the_base_beneath_them_are_converted_apart() -> None:
    """With every cell as it was stored, sums converted one by one come to the effective weights."""
    made, chip = assemble_deltas()
    real = stuck(stuck_off=1e-12).model_copy(update={"adc": "real"})  # so that they are simulated
    simulated = OnChip(made, cells_of(real, chip)).of_task(0)
    exact = made.of_task(0)
    assert set(simulated.arrays) == set(exact.weights)
    for key, weight in exact.weights.items():
        x = torch.randint(-127, 128, (5, weight.shape[1]), generator=torch.Generator().manual_seed(0)).float()
        summed = sum((product(piece, x) for piece in simulated.arrays[key]), x @ simulated.weights[key].T)
        torch.testing.assert_close(summed, x @ weight.T, rtol=1e-4, atol=1e-3)
        assert len(simulated.arrays[key]) >= 2


def test_reads_of_deltas_and_of_the_base_beneath_them_are_noisy_together() -> None:
    """The variance of a weight's read is that of the base's cells and of the delta's, whichever way weights are drawn."""
    made, chip = assemble_deltas()
    pcm = dse.Nonideality(cell_model="pcm")
    codes, cells = (
        OnChip(made, cells_of(pcm.model_copy(update={"cell_draws": way}), chip)).of_task(0)
        for way in ("codes", "cells")
    )
    assert codes.read_variance.keys() == cells.read_variance.keys() == codes.weights.keys()
    assert codes.read_seed == cells.read_seed
    for key, variance in codes.read_variance.items():
        assert float(variance.mean()) == pytest.approx(float(cells.read_variance[key].mean()), rel=0.1)
        assert (variance > 0).all()
    assert not OnChip(made, cells_of(wan22(), chip)).of_task(0).read_variance
    real = pcm.model_copy(update={"adc": "real"})
    with pytest.raises(dse.SpaceError, match="real ADCs are not simulated together with noisy reads"):
        OnChip(made, cells_of(real, chip))


def test_drops_are_taken_to_ideal_arrays(tiny_space: Path, cache: Path) -> None:
    space = load(tiny_space)
    reference = space.reference_hardware.model_copy(update={"options": {"cell_model": "wan22"}})
    noisy = space.model_copy(update={"reference_hardware": reference})
    with pytest.raises(dse.SpaceError, match="arrays of the reference hardware must be ideal") as caught:
        _ = build_problem(noisy, dse.Registry().discover(), cache=cache, device="cpu").baseline
    assert "[hardware.isaac.options]" in str(caught.value)


class Base:
    """Every task on the base's weights."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        return dse.Plan(np.zeros((params.points, len(workload.tasks), workload.encoder.layers), dtype=int))

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights:
        del params, owner
        return context.base_weights()


def test_tasks_that_share_an_array_share_its_cells() -> None:
    load_ = tiny_workload(2)
    context: Any = BoundContext(load_, spread=0.1)
    generator: Any = Base()
    none: Any = None
    built = Built(
        ("base", "none", "s", "h"), generator, dse.Registry().discover().build("compressor", "none", {}), none, none
    )
    given: Any = {"generator": dse.Params(1), "compressor": dse.Params(1)}
    what = wan22()
    made = Assembly(context, built, given, geometry())
    drawn = [OnChip(made, cells_of(what, geometry(), draw)) for draw in (0, 1)]
    first, second, other = drawn[0].of_task(0), drawn[0].of_task(1), drawn[1].of_task(0)
    for key, weight in first.weights.items():
        assert (weight == second.weights[key]).all()
        assert not (weight == other.weights[key]).all()


def test_a_hardware_that_gives_something_else_is_named(make: Make) -> None:
    hardware: Any = make().costing.build(WHOLE).hardware
    wrong = NoiseInWords(IsaacOptions())
    with pytest.raises(dse.PluginContractError, match="nonideality\\(\\) returned a type that") as caught:
        nonideality("wrong", wrong, dse.Params(1))
    assert "hardware 'wrong'" in str(caught.value)
    assert hardware.nonideality(dse.Params(1)).is_off
    assert nonideality("silent", object(), dse.Params(1)) is None  # type: ignore[arg-type]  # as above
