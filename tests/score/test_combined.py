"""Every built-in generator with every built-in compressor: what is charged is what is stored, and it can be scored."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dse
from dse.records.design import DesignPoint, PluginParameter
from dse.score.build import build_problem
from dse.score.problem import WorkloadProblem
from dse.space.file import load

TILES = {"tile_rows": 16, "tile_columns": 16}
COMPRESSORS: dict[str, dict[str, Any]] = {
    "none": {},
    "ptq": {},
    "two-stage": {},
    "graded": {},
    "bitdelta": {},
    "dare": {},
    "lora": {},
    "low-rank": {},
    "ternary": {},
    "tile-drop": TILES,
    "mixed-precision": TILES,
    "piggyback": TILES,
    "xma2": TILES,
}
OTHERS: dict[str, dict[str, Any]] = {
    "two-stage": {"per_channel": True, "layer_groups": 2},
    "graded": {"recover": False},
    "tile-drop": {},
    "xma2": {},
}
"""Options of a second kind; of `tile-drop` and `xma2`, tiles larger than any matrix."""
GENERATORS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "independent": ("independent", {}, {}),
    "shared-prefix": ("shared-prefix", {}, {"depth": (1, 0)}),
    "mtl-shared": ("mtl-shared", {}, {}),
    "one trunk": ("mgen", {"trunks": 1}, {"layers": 2, "own": (1, 0)}),
    "two trunks": ("mgen", {"trunks": 2}, {"layers": 2, "own": (0, 1), "trunk": (0, 1)}),
    "a trunk beneath nothing": ("mgen", {"trunks": 2}, {"layers": 1, "own": (0, 0), "trunk": (1, 1)}),
    "free": ("mgen", {"route": "free", "block": 8}, {"heads": (0.5, 1.0), "ffn": (0.6, 0.9)}),
}
CASES = [
    *((generator, name, options) for generator in GENERATORS for name, options in COMPRESSORS.items()),
    *((generator, name, options) for generator in ("two trunks", "free") for name, options in OTHERS.items()),
]


@pytest.fixture(scope="module")
def problem_of(tiny_space: Path, cache: Path) -> Any:
    """The tiny workload's problem for one combination; what is trained and measured is found again in the cache."""
    space, registry = load(tiny_space), dse.Registry().discover()
    first = build_problem(space, registry, cache=cache, device="cpu")

    def made(generator: str, options: dict[str, Any], compressor: str, own: dict[str, Any]) -> WorkloadProblem:
        plugins = (("generator", generator, options), ("compressor", compressor, own))
        found = WorkloadProblem(
            first._loaded,
            (*plugins, ("scheduler", "fixed", {}), ("hardware", "isaac", {})),  # type: ignore[arg-type]
            space.reference_hardware,
            registry,
            cache=cache,
        )
        found.prepare(scores=False)
        return found

    return made


def unlike(point: DesignPoint, declared: tuple[PluginParameter, ...]) -> DesignPoint:
    """The point with values of the compressor that differ between its tasks: one end of each range, and the other."""
    values = dict(point.values)
    for item in declared:
        if item.kind == "compressor" and "task" in item.parameter.scope:
            assert isinstance(item.parameter, dse.Float | dse.Int)
            values[item.full_name] = (item.parameter.low, item.parameter.high)
    return replace(point, values=values)


@pytest.mark.parametrize(("generator", "compressor", "options"), CASES)
def test_it_is_costed_stored_as_charged_and_scored(
    problem_of: Any, generator: str, compressor: str, options: dict[str, Any]
) -> None:
    name, own, chosen = GENERATORS[generator]
    problem = problem_of(name, own, compressor, options)
    point = problem.default_point((name, compressor, "fixed", "isaac"))
    point = replace(point, values={**point.values, **{f"generator.{name}.{of}": value for of, value in chosen.items()}})
    for one in (point, unlike(point, problem.parameters)):
        (cost,) = problem.cost([one])
        score = problem.score(one)  # refuses terms that are not what the footprint charged for

        assert not cost.violations
        assert cost.metrics["area_mm2"] > 0
        assert np.isfinite([*score.tasks.values(), score.metrics["accuracy_drop"]]).all()


@pytest.mark.parametrize("compressor", sorted(COMPRESSORS.keys() - {"ptq"}))
def test_one_trunk_alone_is_stored_whole_by_all(problem_of: Any, compressor: str) -> None:
    scored = []
    for which in ("none", compressor):
        problem = problem_of("mtl-shared", {}, which, COMPRESSORS[which])
        point = problem.default_point(("mtl-shared", which, "fixed", "isaac"))
        scored.append((problem.cost([point])[0].metrics["array_area_ratio"], problem.score(point).tasks))

    assert scored[1] == scored[0]


def test_parameters_of_every_user_reach_the_score_of_a_group(problem_of: Any) -> None:
    name, own, chosen = GENERATORS["two trunks"]
    problem = problem_of(name, own, "ternary", {})
    point = problem.default_point((name, "ternary", "fixed", "isaac"))
    density: partial[dict[str, Any]] = partial(
        dict, point.values, **{f"generator.{name}.{of}": value for of, value in chosen.items()}
    )
    shared = {f"generator.{name}.trunk": (1, 1), f"generator.{name}.own": (0, 0)}
    full_name = "compressor.ternary.density"
    first, other = (
        replace(point, values=density() | shared | {full_name: densities}) for densities in ((0.2, 0.2), (0.2, 0.9))
    )
    problem.score(first)

    assert problem.score(other).evaluated == 2  # the second task's density changes the trunk of the first
