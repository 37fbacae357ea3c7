"""Scores follow what computes them: a changed tokenizer, configuration or stored task never gets an old score."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import dse
from dse.score.build import build_problem
from dse.space.file import parse
from tests.support.tiny import WORDS, write_tokenizer


def score(model: Path, data: Path, cache: Path) -> tuple[float, int, dict[str, str]]:
    """Score of a regression by the baseline's generator and compressor, tasks evaluated for it, and digests."""
    task = {"name": "rating", "kind": "regression", "metric": "pearson", "max_length": 16, "fine_tune": {"epochs": 1}}
    task["data"] = {"path": str(data / "rating.tsv"), "columns": {"text": "text", "label": "label"}}
    kinds = {"generator": "independent", "compressor": "two-stage", "scheduler": "fixed", "hardware": "isaac"}
    tables = {kind: {"plugins": [name]} for kind, name in kinds.items()}
    raw = {"schema": 1, "name": "contents", "workload": {"base": str(model), "tasks": [task]}, **tables}
    problem = build_problem(parse(raw), dse.Registry().discover(), cache=cache, device="cpu")
    problem.prepare(scores=False)
    design = problem.default_point(("independent", "two-stage", "fixed", "isaac"))
    result = problem.score(design)
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
