"""Tokenizers of strangers' models: missing, too large, of another model, or in another order."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse.errors import CheckpointError
from dse.models import loaded_workload as service
from dse.models import tokenizers
from dse.models.inference.similarity import similarity
from dse.models.training.losses import rows
from dse.models.training.trunk import Together
from dse.records.training import Training
from dse.space.workload import parse
from tests.support.text import WORDS
from tests.support.tiny import CLASSIFIER, make_config, make_model, write_tokenizer

Load = Callable[..., service.LoadedWorkload]


@pytest.fixture
def own(base: Path, tmp_path: Path, raw: dict[str, Any]) -> Callable[..., service.LoadedWorkload]:
    """Load a workload of one task over a copy of the base, whose files a test may change."""
    shutil.copytree(base, tmp_path / "base")

    def make(traffic: str = "independent", **changes: Any) -> service.LoadedWorkload:
        tasks = [raw | {"name": "t"} | changes]
        spec = parse({"base": str(tmp_path / "base"), "tasks": tasks, "traffic": {"mode": traffic}})
        return service.LoadedWorkload(spec, cache=tmp_path / "cache", device="cpu")

    return make


@pytest.fixture
def tuned(tmp_path: Path, config: Callable[..., Any]) -> Path:
    """Folder of a checkpoint without a tokenizer."""
    make_model(config(num_labels=2), head=CLASSIFIER, seed=1).save_pretrained(tmp_path / "tuned")
    return tmp_path / "tuned"


def remove_tokenizer(folder: Path) -> None:
    for name in tokenizers.FILES:
        (folder / name).unlink(missing_ok=True)


def test_a_base_without_a_tokenizer_is_refused(own: Load, tmp_path: Path) -> None:
    remove_tokenizer(tmp_path / "base")
    with pytest.raises(CheckpointError, match="the base has no tokenizer") as caught:
        _ = own().shape
    assert str(tmp_path / "base") in str(caught.value)
    assert "tokenizer.json" in str(caught.value)


def test_a_tokenizer_of_special_tokens_alone_is_refused(own: Load, tmp_path: Path) -> None:
    remove_tokenizer(tmp_path / "base")
    write_tokenizer(tmp_path / "base", ())
    (tmp_path / "base" / "vocab.txt").unlink()
    with pytest.raises(CheckpointError, match="knows no word"):
        _ = own().shape


def test_more_words_than_embeddings_are_refused(own: Load, tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "base", [*WORDS, "one", "more"])
    with pytest.raises(CheckpointError, match="more tokens than the embeddings have rows") as caught:
        _ = own().shape
    assert "expected: at most 45 tokens" in str(caught.value)
    assert "found: 47 tokens" in str(caught.value)


def test_fewer_words_than_embeddings_are_usual(own: Load, tmp_path: Path) -> None:
    make_model(make_config(words=[*WORDS, *"abc"])).save_pretrained(tmp_path / "base")
    assert own().shape.task_names == ("t",)


def test_a_checkpoint_with_fewer_embeddings_than_words_is_refused(own: Load, tmp_path: Path) -> None:
    make_model(make_config(words=WORDS[:-1], num_labels=2), head=CLASSIFIER).save_pretrained(tmp_path / "few")
    with pytest.raises(CheckpointError, match="more tokens than the embeddings have rows") as caught:
        own(checkpoint=str(tmp_path / "few")).task_weights("t")
    assert str(tmp_path / "few") in str(caught.value)


@pytest.mark.parametrize(("known", "refused"), [(4, True), (36, False)])
def test_a_tokenizer_that_knows_less_than_half_of_the_tokens_is_refused(
    own: Load, tmp_path: Path, known: int, refused: bool
) -> None:
    write_tokenizer(tmp_path / "base", [*WORDS[:known], *(f"other{index}" for index in range(40 - known))])
    if not refused:
        assert own().shape.task_names == ("t",)
        return
    with pytest.raises(CheckpointError, match="does not know most words of task 't'") as caught:
        _ = own().shape
    assert "at most 50% of the tokens replaced by [UNK]" in str(caught.value)


def test_the_same_words_in_another_order_beside_a_checkpoint_are_used(own: Load, tuned: Path) -> None:
    plain = own(checkpoint=str(tuned))
    assert plain.tasks["t"].own_tokenizer == ""
    write_tokenizer(tuned, random.Random(0).sample(WORDS, len(WORDS)))
    work = own(checkpoint=str(tuned))
    one, other = (each.tasks["t"].evaluator.batches("search")[0][1]["input_ids"] for each in (plain, work))
    assert one.shape == other.shape
    assert not one.equal(other)
    assert work.shape.digests["task.t"] != plain.shape.digests["task.t"]
    assert work.recorded.items() - plain.recorded.items() == {("tokenizer.t", work.tasks["t"].own_tokenizer)}


SHARING = pytest.mark.parametrize(
    "use", [lambda work: work.shape, lambda work: similarity(work, 8)], ids=["traffic", "similarity"]
)


@SHARING
def test_a_tokenizer_of_a_tasks_own_is_refused_where_tasks_share_tokens(own: Load, tuned: Path, use: Any) -> None:
    write_tokenizer(tuned, random.Random(0).sample(WORDS, len(WORDS)))
    with pytest.raises(CheckpointError, match="of task 't' has a different tokenizer from the base") as caught:
        use(own("shared", checkpoint=str(tuned)))
    assert f"where: {tuned}" in str(caught.value)
    assert "use a checkpoint with the base's tokenizer" in str(caught.value)


@SHARING
@pytest.mark.parametrize("rules", [{"strip_accents": True}, {"tokenizer_class": "PreTrainedTokenizerFast"}], ids=str)
def test_tasks_share_tokens_if_other_rules_change_no_row(
    own: Load, tuned: Path, use: Any, rules: dict[str, Any]
) -> None:
    write_tokenizer(tuned, WORDS)
    settings = json.loads((tuned / "tokenizer_config.json").read_text(encoding="utf-8"))
    (tuned / "tokenizer_config.json").write_text(json.dumps(settings | rules), encoding="utf-8")
    work = own("shared", checkpoint=str(tuned))
    assert work.tasks["t"].own_tokenizer
    use(work)


def test_a_joint_training_reads_each_task_with_its_own_tokenizer(own: Load, tuned: Path, table: Path) -> None:
    write_tokenizer(tuned, random.Random(0).sample(WORDS, len(WORDS)))
    head, *lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    files = {"path": tuned / "path.csv", "train": tuned / "train.csv"}
    for file, part in zip(files.values(), (lines[:80], lines[80:]), strict=True):
        file.write_text(head + "".join(part), encoding="utf-8")
    task = {"checkpoint": str(tuned), "data": {key: str(file) for key, file in files.items()}}
    work = own(**task)
    tokens = rows(work, list(work.tasks.values()), 0, Training((0,))).tokens.inputs["input_ids"]
    frame = work.tasks["t"].splits.train
    own_tokens = work.tasks["t"].tokenizer(list(frame["text"]), truncation=True, max_length=16)["input_ids"]
    assert sorted(tokens) == sorted(own_tokens)
    work = own(**task)
    config = json.loads((tuned / "config.json").read_text(encoding="utf-8"))
    (tuned / "config.json").write_text(json.dumps(config | {"pad_token_id": 3}), encoding="utf-8")
    with pytest.raises(
        CheckpointError, match="needs the base's number for padding, and task 't' has another"
    ) as caught:
        Together(work, Training((0,)))
    assert str(tuned) in str(caught.value)


def test_a_checkpoint_without_a_tokenizer_or_with_that_of_the_base_is_used(own: Load, tuned: Path) -> None:
    assert own(checkpoint=str(tuned)).shape.task_names == ("t",)
    write_tokenizer(tuned, WORDS)
    assert own(checkpoint=str(tuned)).shape.task_names == ("t",)


def test_a_damaged_tokenizer_beside_a_checkpoint_is_named(own: Load, tuned: Path) -> None:
    (tuned / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="the tokenizer beside a checkpoint cannot be loaded") as caught:
        _ = own(checkpoint=str(tuned)).shape
    assert f"where: {tuned}" in str(caught.value)
