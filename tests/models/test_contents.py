"""Content hashes: tokenizers and configurations count by what they compute, fine-tuned tasks by their weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse.models import loaded_workload as service
from dse.models.contents import config_digest, tokenizer_digest
from dse.models.training import finetune
from dse.models.training.joint import digest_of
from dse.records.training import Training
from dse.space.workload import parse
from tests.support.text import WORDS
from tests.support.tiny import make_config, write_tokenizer

Load = Callable[..., service.LoadedWorkload]


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_act": "relu"},
        {"num_attention_heads": 2},
        {"layer_norm_eps": 1e-5},
        {"max_position_embeddings": 16},
        {"hidden_size": 64},
        {"pad_token_id": 1},
        {"is_decoder": True},
    ],
)
def test_a_field_that_changes_what_weights_compute_changes_the_digest(change: dict[str, Any]) -> None:
    assert config_digest(make_config(**change)) != config_digest(make_config())


def test_names_and_labels_do_not() -> None:
    named = make_config(id2label={0: "no", 1: "yes"}, architectures=["X"], name_or_path="elsewhere")
    assert config_digest(named) == config_digest(make_config())


def words(folder: Path, *names: str, **changes: Any) -> Any:
    from transformers import AutoTokenizer

    write_tokenizer(folder, names)
    return AutoTokenizer.from_pretrained(folder, **changes)


def test_a_tokenizer_counts_by_its_words_and_rules(tmp_path: Path) -> None:
    one, other = words(tmp_path / "one", "a", "b"), words(tmp_path / "two", "a", "b")
    one(["a b a b", "a"], truncation=True, max_length=4, padding=True)
    assert tokenizer_digest(one) == tokenizer_digest(other)
    assert tokenizer_digest(words(tmp_path / "swapped", "b", "a")) != tokenizer_digest(one)
    assert tokenizer_digest(words(tmp_path / "sided", "a", "b", truncation_side="left")) != tokenizer_digest(one)


def test_a_tokenizer_without_a_backend_counts_by_its_options() -> None:
    from transformers import CanineTokenizer

    assert tokenizer_digest(CanineTokenizer()) == tokenizer_digest(CanineTokenizer())
    assert tokenizer_digest(CanineTokenizer(model_max_length=8)) != tokenizer_digest(
        CanineTokenizer(model_max_length=9)
    )


def test_a_task_is_fine_tuned_again_for_another_tokenizer(base: Path, tmp_path: Path, raw: dict[str, Any]) -> None:
    copied = shutil.copytree(base, tmp_path / "base")
    spec = parse({"base": str(copied), "tasks": [raw | {"name": "t"}]})
    first = service.LoadedWorkload(spec, cache=tmp_path, device="cpu")
    digests, path, recorded = dict(first.shape.digests), first.tasks["t"].path, first.recorded
    write_tokenizer(copied, WORDS[::-1])
    other = service.LoadedWorkload(spec, cache=tmp_path, device="cpu")
    assert {name for name, value in other.recorded.items() if value != recorded[name]} == {"tokenizer"}
    assert {name for name, value in other.shape.digests.items() if value != digests[name]} == {"base", "task.t"}
    assert other.tasks["t"].path != path


def test_a_task_is_its_weights(load: Load) -> None:
    work, merged, alone = load(), Training((0, 1), merged=True, passes=0), Training((0, 1))
    content, joint, own = work.shape.digests["task.class"], digest_of(work, merged), digest_of(work, alone)
    loaded: tuple[Any, dict[str, float]] = work.tasks["class"].model()
    model, scaling = loaded
    model.classifier.bias.data[0] += 0.5  # what other threads, or another build of torch, would have trained
    finetune.save(work.tasks["class"].path, model, scaling)
    assert work.shape.digests["task.class"] != content
    assert digest_of(work, merged) != joint
    assert digest_of(work, alone) == own
    assert load().shape.digests["task.class"] == work.shape.digests["task.class"]


def test_rows_that_another_rule_reads_have_another_digest(load: Load, table: Path, tmp_path: Path) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    text, rest = lines[1].split(",", 1)
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([*lines, f"{text.upper()}!,{rest}"]) + "\n", encoding="utf-8")
    plain = {rule: load(data={"path": str(table), "same_text": rule}).shape.seeds for rule in ("exact", "words")}
    alike = {rule: load(data={"path": str(path), "same_text": rule}).shape.seeds for rule in ("exact", "words")}
    assert plain["exact"]["data.class"] == plain["words"]["data.class"]
    assert alike["exact"]["data.class"] != alike["words"]["data.class"]
