"""Workloads of shapes: costs without weights or text, equal to those of a model of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import dse
from dse.errors import CheckpointError, DseError
from dse.models import shapes
from dse.models.loaded_workload import LoadedWorkload
from dse.space.workload import catalogue, parse
from tests.support.shapes import TINY, written
from tests.support.tiny import make_config


def loaded(tmp_path: Path, **raw: Any) -> LoadedWorkload:
    return shapes.load(parse(raw, path=tmp_path / "space.toml"), cache=tmp_path)


def test_the_shape_of_bert_base_is_counted_by_hand(tmp_path: Path) -> None:
    workload = loaded(tmp_path, encoder="bert-base", tasks=[{"name": "t", "tokens": 20}]).shape
    encoder = workload.encoder
    assert (encoder.layers, encoder.hidden, encoder.heads, encoder.ffn) == (12, 768, 12, 3072)
    assert [(one.rows, one.columns) for one in encoder.matrices] == [(768, 768)] * 4 + [(768, 3072), (3072, 768)]
    assert encoder.vector_parameters == 4 * 768 + 3072 + 768 + 2 * 2 * 768
    assert encoder.embedding_parameters == (30_522 + 512 + 2 + 2) * 768
    assert workload.tasks[0].head_parameters == 768 * 768 + 768 + 2 * 768 + 2


def test_tokens_have_the_moments_of_their_list_or_file(tmp_path: Path) -> None:
    (tmp_path / "lengths.txt").write_text("10\n30\n", encoding="utf-8")
    tasks = [{"name": "list", "tokens": [10, 30]}, {"name": "file", "tokens": "lengths.txt", "rate": 3}]
    encoder = {"layers": 2, "hidden": 32, "heads": 4, "ffn": 64}
    for task, rate in zip(loaded(tmp_path, encoder=encoder, tasks=tasks).shape.tasks, (0.25, 0.75), strict=True):
        assert (task.tokens, task.tokens_squared, task.rate) == (20, 500, rate)
    pooled = loaded(
        tmp_path, encoder=encoder, tasks=[*tasks, {"name": "one", "tokens": 40}], traffic={"mode": "shared"}
    )
    assert {task.tokens for task in pooled.shape.tasks} == {np.mean([10, 30, 10, 30, 40])}


def test_a_configuration_alone_has_the_shape_of_its_model(tmp_path: Path) -> None:
    config = make_config()
    config.save_pretrained(tmp_path / "bare")
    sizes = {"layers": config.num_hidden_layers, "hidden": config.hidden_size, "heads": config.num_attention_heads}
    sizes |= {"ffn": config.intermediate_size, "words": config.vocab_size, "positions": config.max_position_embeddings}
    tasks = [{"name": "t", "tokens": 12}]
    bare, given = loaded(tmp_path, base="bare", tasks=tasks), loaded(tmp_path, encoder=sizes, tasks=tasks)
    assert bare.encoder == given.encoder
    assert bare.shape.tasks == given.shape.tasks


@pytest.mark.parametrize("name", [name for name in catalogue()["shape"] if "large" not in name])
def test_every_named_shape_is_an_encoder(name: str, tmp_path: Path) -> None:
    encoder = loaded(tmp_path, encoder=name, tasks=[{"name": "t", "tokens": 20}]).encoder
    config = catalogue()["shape"][name]
    assert encoder.layers == config.get("num_hidden_layers", encoder.layers)
    assert encoder.hidden == config.get("hidden_size", encoder.hidden)


def test_costs_are_searched_read_and_shown_without_a_weight(tmp_path: Path) -> None:
    results = tmp_path / "results"
    dse.run(written(tmp_path), results=results, cache=tmp_path, in_process=True)
    rows = pq.read_table(results / "shapes" / "trials.parquet").to_pylist()
    assert {row["status"] for row in rows} == {"done"}
    assert all(row["area_mm2"] > 0 and row["accuracy_drop"] is None for row in rows)
    assert dse.check(written(tmp_path), cache=tmp_path, in_process=True).data == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objectives": '["area", "accuracy_drop"]'}, "a score needs weights and text"),
        ({"workload": TINY.replace("heads = 4", "heads = 5")}, "hidden = 32 is not a multiple of heads = 5"),
        ({"workload": TINY.replace("tokens = 8", "tokens = 0.5")}, "tokens"),
        ({"workload": TINY.replace("tokens = 8", "tokens = 4000")}, "more tokens than the encoder has positions for"),
        ({"workload": TINY.replace("tokens = 8", 'tokens = "absent.txt"')}, "numbers of tokens cannot be read"),
        ({"workload": TINY.replace("tokens = 8", 'tokens = "shapes.toml"')}, "numbers of tokens cannot be read"),
        ({"workload": TINY.replace("tokens = 8", 'tokens = 8, checkpoint = "model"')}, "leave out data and checkpoint"),
        ({"workload": TINY.replace('"short", tokens = 8', '"trec6"')}, "needs tokens in every task"),
        ({"workload": 'base = "minilm-l6"\n' + TINY}, "either base or encoder"),
        ({"workload": 'encoder = "bert-bas"\ntasks = [{ name = "t", tokens = 8 }]'}, "'bert-base'"),
        ({"workload": 'encoder = 7\ntasks = [{ name = "t", tokens = 8 }]'}, "name of a shape"),
    ],
)
def test_what_shapes_cannot_do_is_told_in_a_sentence(change: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(DseError) as told:
        dse.check(written(tmp_path, **change), cache=tmp_path, in_process=True)
    assert said in str(told.value)
    assert "where: " in str(told.value)


@pytest.mark.parametrize("workload", [TINY, TINY.replace(TINY.splitlines()[0], 'base = "bare"')])
@pytest.mark.parametrize("command", [dse.deltas, dse.redundancy, dse.profile])
def test_commands_that_read_weights_or_text_say_that_there_are_none(
    command: Callable[..., Any], workload: str, tmp_path: Path
) -> None:
    make_config().save_pretrained(tmp_path / "bare")
    here = {} if command is dse.deltas else {"in_process": True}
    with pytest.raises(CheckpointError, match="the workload has shapes alone, without"):
        command(written(tmp_path, workload, compressor="ternary"), cache=tmp_path, **here)


def test_a_plugin_that_measures_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as told:
        dse.run(written(tmp_path, compressor="two-stage"), results=tmp_path, cache=tmp_path, in_process=True)
    assert "compressor 'two-stage'" in str(told.value)
    assert "shapes alone" in str(told.value)
