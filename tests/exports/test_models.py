"""Bases of other families, and tasks whose checkpoints have embeddings of their own: exported and scored alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dse
from dse.exports.design import STATE
from dse.exports.tensors import read_tensors
from dse.score.build import build_problem
from dse.space.file import load
from tests.exports.conftest import write
from tests.support.tiny import CLASSIFIER, make_config, make_model, write_space


@pytest.mark.parametrize("kind", ["Bert", "MPNet"])
def test_a_checkpoint_of_a_task_is_exported_whole(tmp_path: Path, kind: str) -> None:
    space, config = write_space(tmp_path), make_config(kind)
    make_model(config, seed=1).save_pretrained(tmp_path / "model")
    config.num_labels = 2
    make_model(config, head=CLASSIFIER, seed=2).save_pretrained(tmp_path / "own")
    line = 'name = "verdict"\n'
    text = space.read_text(encoding="utf-8").replace(line, f'{line}checkpoint = "{tmp_path}/own"\n')
    space.write_text(text, encoding="utf-8")
    problem = build_problem(load(space), dse.Registry().discover(), cache=tmp_path / "cache", device="cpu")
    problem.prepare(scores=False)
    folder = write(tmp_path / "chip", problem, problem.default_point(("independent", "two-stage", "fixed", "isaac")))

    assert (dse.load_export(folder).check()["difference"] == 0).all()
    embeddings = f"{STATE}.{kind.lower()}.embeddings.word_embeddings.weight"
    base, own, other = (
        read_tensors(folder / f"{name}.safetensors")[0] for name in ("base", "delta-verdict", "delta-rating")
    )
    assert embeddings in base
    assert embeddings not in other  # a task that is fine-tuned has the base's
    assert not np.array_equal(own[embeddings], base[embeddings])
