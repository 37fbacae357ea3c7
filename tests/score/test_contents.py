"""Scores follow what computes them: a changed tokenizer, configuration or stored task never gets an old score."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import dse
from dse.score.build import build_problem
from dse.space.file import parse
from tests.support.tiny import WORDS, write_tokenizer


def score(
    model: Path,
    data: Path,
    cache: Path,
    kind: str = "generator",
    plugin: str = "independent",
    *,
    plugin_file: Path | None = None,
    **options: Any,
) -> tuple[float, int, dict[str, str]]:
    """Score of a regression with one plugin, tasks evaluated for it, and digests; ``plugin`` may be a bare file."""
    task = {"name": "rating", "kind": "regression", "metric": "pearson", "max_length": 16, "fine_tune": {"epochs": 1}}
    task["data"] = {"path": str(data / "rating.tsv"), "columns": {"text": "text", "label": "label"}}
    registry, name = dse.Registry().discover(), Path(plugin).stem
    if name != plugin:
        registry.add_file(Path(plugin))
    if plugin_file is not None:
        registry.add_file(plugin_file)
    kinds = {"generator": "independent", "compressor": "two-stage", "scheduler": "fixed", "hardware": "isaac"}
    kinds[kind] = name
    tables: dict[str, Any] = {each: {"plugins": [one]} for each, one in kinds.items()}
    tables[kind][name] = {"options": options}
    raw = {"schema": 1, "name": "contents", "workload": {"base": str(model), "tasks": [task]}, **tables}
    problem = build_problem(parse(raw), registry, cache=cache, device="cpu")
    problem.prepare(scores=False)
    result = problem.score(problem.default_point((*kinds.values(),)))  # type: ignore[arg-type]  # four names
    return result.tasks["rating"], result.evaluated, problem.digests


def change_words(model: Path, cache: Path) -> None:
    del cache
    write_tokenizer(model, WORDS[::-1])


def change_config(model: Path, cache: Path) -> None:
    del cache
    file = model / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"hidden_act": "relu", "num_attention_heads": 2}))


def change_task(model: Path, cache: Path) -> None:
    """Store another model of the task, as other threads would have trained it."""
    del model
    (file,) = (cache / "tasks").glob("*.safetensors")
    stored = load_file(file)
    chance = np.random.default_rng(0)
    for name, value in stored.items():
        stored[name] = value + value.new_tensor(chance.normal(0, 0.2, value.shape)) if value.ndim == 2 else value
    save_file(stored, file, metadata={"scaling": json.dumps({"mean": 0.0, "spread": 1.0})})


@pytest.mark.parametrize("change", [change_words, change_config, change_task])
def test_a_change_is_measured_again(tuned: Path, tmp_path: Path, change: Callable[[Path, Path], None]) -> None:
    model, cache = shutil.copytree(tuned / "model", tmp_path / "model"), tmp_path / "cache"
    before, _, old = score(model, tuned, cache)
    assert score(model, tuned, cache)[:2] == (before, 0)
    change(model, cache)
    after, evaluated, new = score(model, tuned, cache)
    shutil.rmtree(cache / "scores")
    shutil.rmtree(cache / "plugins")
    assert evaluated > 0
    assert after != before
    assert score(model, tuned, cache)[0] == after
    assert old["base"] == new["base"]


SCALED = """
import pathlib
import numpy
import dse
from dse_plugins.generators.independent import Independent

PATH = pathlib.Path(__file__).with_name("factor.txt")


def read():
    return float(PATH.read_text())


class Options(dse.Options):
    table: str | None = None


class Scaled(Independent):
    def __init__(self, options):
        self.factor = FACTOR_OF_BUILD

    def prepare(self, context):
        FACTOR_OF_PREPARE

    def weights(self, context, params, owner):
        FACTOR_OF_WEIGHTS
        noise = numpy.random.default_rng(0)
        weights = super().weights(context, params, owner)
        return {
            key: weight + weight.new_tensor(noise.normal(0, self.factor, weight.shape)) for key, weight in weights.items()
        }


AT_IMPORT


@dse.hookimpl
def dse_generators():
    yield dse.Generator(name="scaled", summary="", build=Scaled, options=Options)
"""
CACHED = "self.factor = float(context.cached('f', {}, lambda: {'f': numpy.array(read())})['f'])"
PLACES = {
    "import": {"AT_IMPORT": "READ = read()", "FACTOR_OF_BUILD": "READ"},
    "build": {"FACTOR_OF_BUILD": "read()"},
    "prepare": {"FACTOR_OF_PREPARE": "self.factor = read()"},
    "arrays cached in prepare": {"FACTOR_OF_PREPARE": CACHED},
    "weights": {"FACTOR_OF_WEIGHTS": "self.factor = read()"},
    "arrays cached in weights": {"FACTOR_OF_WEIGHTS": CACHED},
}
NOTHING = {"AT_IMPORT": "", "FACTOR_OF_BUILD": "None", "FACTOR_OF_PREPARE": "pass", "FACTOR_OF_WEIGHTS": "pass"}


@pytest.mark.parametrize("place", PLACES)
def test_a_file_that_a_plugin_reads_is_part_of_its_scores(tuned: Path, tmp_path: Path, place: str) -> None:
    cache, file = shutil.copytree(tuned / "cache", tmp_path / "cache"), tmp_path / "scaled.py"
    text = SCALED
    for name, value in (NOTHING | PLACES[place]).items():
        text = text.replace(name, value)
    file.write_text(text, encoding="utf-8")
    seen = []
    for factor in ("0.05", "0.05", "1.0", "0.05"):
        file.with_name("factor.txt").write_text(factor)
        seen.append(score(tuned / "model", tuned, cache, plugin=str(file)))
    values, evaluated = [value for value, _, _ in seen], [count > 0 for _, count, _ in seen]
    assert values[0] == values[1] == values[3] != values[2]
    assert evaluated[:3] == [True, False, True]
    if "weights" not in place:
        hashes = [digests["file.generator.scaled.factor.txt"] for _, _, digests in seen]
        assert hashes[0] == hashes[1] == hashes[3] != hashes[2]


def test_a_file_that_an_option_names_is_part_of_scores_whoever_reads_it(tuned: Path, tmp_path: Path) -> None:
    cache, file = shutil.copytree(tuned / "cache", tmp_path / "cache"), tmp_path / "scaled.py"
    text = SCALED
    for name, value in (NOTHING | {"FACTOR_OF_BUILD": "pathlib.Path(options.table).stat().st_size / 10"}).items():
        text = text.replace(name, value)
    file.write_text(text, encoding="utf-8")
    counts = []
    for content in (b"one", b"one", b"three"):
        (tmp_path / "table.parquet").write_bytes(content)
        table = str(tmp_path / "table.parquet")
        counts.append(score(tuned / "model", tuned, cache, plugin=str(file), table=table)[1] > 0)
    assert counts == [True, False, True]


AGED = """
import math
import numpy as np
import dse
from dse import plugin


class AgedOptions(dse.Options):
    age_s: float = 1.0


class Law:
    def __init__(self, age_s):
        self.age_s = age_s

    def program(self, target, normal):
        return target * np.exp(np.float32(0.5 * (1 + math.log10(self.age_s))) * normal)


def build(options):
    return plugin.CellLaw(program=Law(options.age_s).program, g_min_us=1.0, g_max_us=40.0)


@dse.hookimpl
def dse_cell_models():
    yield plugin.CellModel(name="aged", summary="spreads with age", build=build, options=AgedOptions)
"""


def test_a_law_of_cells_of_an_authors_own_is_in_the_key_with_its_options_and_code(tuned: Path, tmp_path: Path) -> None:
    cache, file = shutil.copytree(tuned / "cache", tmp_path / "cache"), tmp_path / "aged.py"
    file.write_text(AGED, encoding="utf-8")

    def measure(model: str, **options: Any) -> float:
        given = {"cell_model": model, "cell_options": options, "draws": 1}
        return score(tuned / "model", tuned, cache, "hardware", "isaac", plugin_file=file, **given)[0]

    values = [measure("lognormal", sigma=0.05), measure("aged"), measure("aged", age_s=1e9)]
    file.write_text(AGED.replace("0.5 *", "0.05 *"), encoding="utf-8")
    values.append(measure("aged"))
    assert len(set(values[1:])) == 3  # the changed code is the law of the first


STALE = """
import dse, numpy as np


class Gen:
    joint = True
    def __init__(self, options): pass
    def parameters(self, workload): return ()
    def prepare(self, context): pass
    def plan(self, workload, params): return dse.separate_models(workload, params.points)
    def weights(self, context, params, owner):
        factor = float(context.cached("factor", {"of": "all"}, lambda: {"f": np.array(0.1)})["f"])
        own = context.base_weights() if owner == 0 else context.task_weights(owner - 1)
        return {k: factor * w for k, w in own.items()}


@dse.hookimpl
def dse_generators():
    yield dse.Generator(name="stale", summary="s", build=Gen)
"""


def test_arrays_that_an_edited_plugin_cached_are_not_used_again(tuned: Path, tmp_path: Path) -> None:
    cache, file = shutil.copytree(tuned / "cache", tmp_path / "cache"), tmp_path / "stale.py"
    values = []
    for factor in (0.1, 1.0):
        file.write_text(STALE.replace("0.1", str(factor)), encoding="utf-8")
        values.append(score(tuned / "model", tuned, cache, plugin=str(file))[0])
    assert values[1] == score(tuned / "model", tuned, cache)[0] != values[0]
