"""Every built-in generator and compressor: what is loaded is what was charged and scored, bit by bit."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import dse
from dse.cost.counts import count
from dse.exports.integers import hold_integers
from dse.exports.write import assemble
from dse.records.design import DesignPoint
from dse.records.effective import OnArrays
from dse.records.plugin import Kind
from dse.score.problem import WorkloadProblem
from dse.score.task_weights import held_by
from dse.testing._values import drawn_point, first_difference
from tests.exports.conftest import write
from tests.support.once import Once

TILES = {"tile_rows": 16, "tile_columns": 16}
LEARNT = {"route": "trained", "passes": 0.5}
INDEPENDENT: dict[str, Any] = {"name": "independent"}
GRADED: dict[str, Any] = {"name": "graded"}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "none": (INDEPENDENT, {"name": "none"}),
    "ptq": (INDEPENDENT, {"name": "ptq"}),
    "two-stage": (INDEPENDENT, {"name": "two-stage", "per_channel": True}),
    "graded": (INDEPENDENT, GRADED),
    "bitdelta": (INDEPENDENT, {"name": "bitdelta"}),
    "dare": (INDEPENDENT, {"name": "dare"}),
    "low-rank": (INDEPENDENT, {"name": "low-rank"}),
    "ternary": (INDEPENDENT, {"name": "ternary"}),
    "tile-drop": (INDEPENDENT, {"name": "tile-drop", **TILES}),
    "mixed-precision": (INDEPENDENT, {"name": "mixed-precision", **TILES}),
    "lora": (INDEPENDENT, {"name": "lora"}),
    "lora, trained": (INDEPENDENT, {"name": "lora", "ranks": [2], **LEARNT}),
    "piggyback": (INDEPENDENT, {"name": "piggyback", **TILES}),
    "piggyback, trained": (INDEPENDENT, {"name": "piggyback", **TILES, **LEARNT}),
    "xma2": (INDEPENDENT, {"name": "xma2", **TILES}),
    "xma2, trained": (INDEPENDENT, {"name": "xma2", **TILES, **LEARNT, "shares": [0.5], "factors": "shift"}),
    "shared-prefix": ({"name": "shared-prefix"}, GRADED),
    "mtl-shared": ({"name": "mtl-shared"}, GRADED),
    "mgen": ({"name": "mgen", "block": 8, "exits": True}, {"name": "ternary"}),
    "mgen, two trunks": ({"name": "mgen", "trunks": 2}, GRADED),
    "mgen, free": ({"name": "mgen", "route": "free", "block": 8, "exits": True}, {"name": "xma2", **TILES}),
}
CHOSEN: dict[str, dict[str, Any]] = {
    "shared-prefix": {"depth": (1, 0)},
    "mgen": {"layers": 2, "own": (1, 0), "ffn": 0.5, "confidence": (0.6, 0.9)},
    "mgen, two trunks": {"layers": 2, "own": (0, 1), "trunk": (0, 1)},
    "mgen, free": {"heads": (0.5, 1.0), "ffn": (0.6, 0.9), "confidence": (0.6, 0.9)},
    "xma2": {"share": (0.3, 0.6), "array_size": 32, "adc_bits": 8},
}
Exported = Callable[[str], tuple[Path, WorkloadProblem, DesignPoint]]
FRESH = """
import json, sys
import dse
print(json.dumps({folder: dse.load_export(folder).check().to_dict("records") for folder in sys.argv[1:]}))
"""


def point_of(problem: WorkloadProblem, case: str) -> DesignPoint:
    """A design drawn from all ranges, but for what is chosen here."""
    generator, compressor = (options["name"] for options in CASES[case])
    values: dict[str, Any] = {}
    for kind, name in (("generator", generator), ("compressor", compressor), ("scheduler", "searched")):
        declared = tuple(item.parameter for item in problem.parameters if (item.kind, item.plugin) == (kind, name))
        drawn = drawn_point(declared, problem.workload, seed=3)
        own = {of: value[0].tolist() for of, value in drawn.items()}
        values |= {f"{kind}.{name}.{of}": tuple(v) if isinstance(v, list) else v for of, v in own.items()}
    default = problem.default_point((generator, compressor, "searched", "isaac"))
    chosen = CHOSEN.get(case, {})
    chosen = {name: chosen[of] for name in default.values if (of := name.rpartition(".")[2]) in chosen}
    return replace(default, values={**default.values, **values, **chosen})


@pytest.fixture(scope="session")
def exported(problem_of: Any, once: Once) -> Exported:
    """Return a case's export, its problem and its design; whichever process asks first for a case writes it."""

    @functools.cache
    def export(case: str) -> tuple[Path, WorkloadProblem, DesignPoint]:
        plain = [{key: value for key, value in options.items() if key != "name"} for options in CASES[case]]
        generator, compressor = (options["name"] for options in CASES[case])
        problem: WorkloadProblem = problem_of(generator, plain[0], compressor, plain[1])
        point = point_of(problem, case)
        folder = once(f"export of {case}", lambda folder: write(folder / "chip", problem, point))
        return folder / "chip", problem, point

    return export


@pytest.fixture(scope="session")
def fresh(exported: Exported, once: Once) -> Any:
    """Scores of all exports, measured in a process that has neither their study nor its cache."""
    folders = {str(exported(case)[0]): case for case in CASES}

    def measure(home: Path) -> None:
        empty = home / "empty"
        empty.mkdir()
        environment = {
            **os.environ,
            "DSE_CACHE": str(empty),
            "HF_HUB_OFFLINE": "1",
            "DSE_DISABLE_PLUGINS": "none,graded",
        }
        command = [sys.executable, "-c", FRESH, *folders]
        done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not list(empty.iterdir())
        (home / "scores.json").write_text(done.stdout, encoding="utf-8")

    scores = json.loads((once("fresh scores", measure) / "scores.json").read_text(encoding="utf-8"))
    return {folders[folder]: pd.DataFrame(rows) for folder, rows in scores.items()}


def test_every_built_in_plugin_is_among_the_cases() -> None:
    found = dse.Registry().discover()
    kinds: tuple[Kind, ...] = ("generator", "compressor")
    for at, kind in enumerate(kinds):
        records = found.records(kind).items()
        known = {name for name, record in records if record.build.__module__.startswith("dse_plugins.")}
        assert known == {both[at]["name"] for both in CASES.values()}


@pytest.mark.parametrize("case", CASES)
def test_scores_in_a_fresh_process_are_those_recorded(fresh: Any, case: str) -> None:
    table = fresh[case]
    assert set(zip(table["task"], table["split"], strict=True)) == {
        (task, split) for task in ("verdict", "rating") for split in ("search", "report")
    }
    assert (table["reloaded"] == table["recorded"]).all()
    assert (table["difference"] == 0).all()


@pytest.mark.parametrize("case", CASES)
def test_weights_are_those_the_scores_were_measured_with(exported: Exported, case: str) -> None:
    folder, problem, point = exported(case)
    chip, assembly = dse.load_export(folder), assemble(problem, point)
    for task, name in enumerate(problem.tasks):
        expected = assembly.of_task(task)
        vectors = problem.context.loaded.base_vectors()
        expected.vectors.update(
            {at: expected.vectors.get(at, vectors[at]) for at in range(2) if assembly.owners(task)[at] == dse.BASE}
        )
        assert not first_difference(expected, chip.model(name).held)


@pytest.mark.parametrize("case", CASES)
def test_pieces_of_integers_add_up_to_the_weights(exported: Exported, case: str) -> None:
    folder = exported(case)[0]
    design = dse.load_export(folder).design
    for task in range(2):
        expected, held = held_by(design, task), hold_integers(design, task)
        assert set(held.arrays) == set(expected.weights)
        for key, weight in expected.weights.items():
            total, pairs = torch.zeros(weight.shape, dtype=torch.float64), []
            for piece in held.arrays[key]:
                if piece.then is None:
                    total += dense(piece)
                else:
                    pairs.append((dense(piece), dense(piece.then)))
            above, beside = held.kept.get(key, (torch.ones(len(weight)), torch.ones(weight.shape[1])))
            torch.testing.assert_close(above[:, None] * total * beside, weight.double(), rtol=1e-6, atol=1e-7)
            products = expected.products.get(key, ())
            assert len(pairs) == len(products)
            for (first, second), (one, two) in zip(pairs, products, strict=True):
                torch.testing.assert_close(first * beside, one.double(), rtol=1e-6, atol=1e-7)
                torch.testing.assert_close(above[:, None] * second, two.double(), rtol=1e-6, atol=1e-7)


def dense(piece: OnArrays) -> torch.Tensor:
    """The whole matrix that a piece multiplies with, float64."""
    levels = piece.slices[0].levels.double() * piece.scale
    levels = levels if piece.offset is None else levels + piece.offset
    whole = torch.zeros(piece.shape, dtype=torch.float64)
    outputs, inputs = (
        torch.arange(size) if indices is None else indices
        for indices, size in zip((piece.outputs, piece.inputs), piece.shape, strict=True)
    )
    whole[outputs[:, None], inputs] = levels
    return whole


@pytest.mark.parametrize("case", CASES)
def test_every_array_that_is_charged_is_in_the_table(exported: Exported, case: str) -> None:
    folder, problem, point = exported(case)
    assembly = assemble(problem, point)
    counted = count(problem.workload, assembly.demand, assembly.footprint, assembly.geometry).arrays[0]
    table = dse.load_export(folder).arrays()
    owners = ["base", *(f"group {group}" for group in range(1, assembly.plan.groups + 1)), *problem.tasks]
    for at, owner in enumerate(owners):
        for layer in range(2):
            held = table[(table["owner"] == owner) & (table["layer"] == layer)]
            assert held["array"].nunique() == counted[at, layer]
    assert sorted(table["array"].unique()) == list(range(int(counted.sum())))


@pytest.mark.parametrize("case", ["xma2", "piggyback"])
def test_arrays_that_are_written_for_a_task_are_those_its_image_covers(exported: Exported, case: str) -> None:
    folder, problem, point = exported(case)
    assembly, table = assemble(problem, point), dse.load_export(folder).arrays()
    assert not table[table["owner"] != "base"]["rewritten_for"].map(len).any()
    for task, name in enumerate(problem.tasks):
        images = {key: one.image for key, one in assembly.get_terms(1 + task, (0, 1)).items()}
        for row in table[table["owner"] == "base"].to_dict("records"):
            matrix = [item.name for item in assembly.encoder.matrices].index(row["matrix"])
            image = images[row["layer"], matrix]
            covered = False
            if image is not None:
                of_weights = image.blocks.repeat_interleave(16, 0).repeat_interleave(16, 1)
                rows, columns = ((row[f"first_{side}"], row[f"{side}s"]) for side in ("row", "column"))
                covered = bool(of_weights[columns[0] :, rows[0] :][: columns[1], : rows[1]].any())
            assert (name in row["rewritten_for"]) == covered
