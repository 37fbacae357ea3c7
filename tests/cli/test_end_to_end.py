"""The whole way from a space file to a front, with a random two-layer model and text made up here."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

WORDS = ("good", "bad", "film", "plot", "the", "a", "very", "not", "actor", "scene", "music", "end")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SPACE = """
schema = 1
name = "tiny"

[workload]
base = "{folder}/model"

[[workload.tasks]]
name = "verdict"
kind = "classification"
metric = "accuracy"
max_length = 16
data = {{ path = "{folder}/verdict.tsv", columns = {{ text = "text", label = "label" }} }}
fine_tune = {{ epochs = 1 }}

[[workload.tasks]]
name = "rating"
kind = "regression"
metric = "pearson"
max_length = 16
data = {{ path = "{folder}/rating.tsv", columns = {{ text = "text", label = "label" }} }}
fine_tune = {{ epochs = 1 }}

[search]
sampler = "random"
trials = 4

[generator]
plugins = ["independent", "shared-prefix"]

[compressor]
plugins = ["two-stage", "none"]

[scheduler]
plugins = ["fixed", "searched"]

[hardware]
plugins = ["isaac"]
"""


def write_model(folder: Path) -> None:
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS]) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate([*SPECIAL, *WORDS])})
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)


def write_data(folder: Path) -> None:
    chance = random.Random(0)
    texts = list(dict.fromkeys(" ".join(chance.choices(WORDS, k=6)) for _ in range(150)))
    verdicts = [f"{text}\t{int('good' in text)}" for text in texts]
    ratings = [f"{text}\t{text.count('good') - text.count('bad') + chance.random():.3f}" for text in texts]
    for name, lines in (("verdict", verdicts), ("rating", ratings)):
        (folder / f"{name}.tsv").write_text("\n".join(["text\tlabel", *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_model(tmp_path / "model")
    write_data(tmp_path)
    path = tmp_path / "tiny.toml"
    path.write_text(SPACE.format(folder=tmp_path), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DSE_CACHE", str(tmp_path / "cache"))
    return path


def test_from_a_space_file_to_a_front_and_on(tiny: Path, dse: Any) -> None:
    checked = dse("check", tiny, "--device", "cpu", "--format", "json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["layers"] == 2
    assert "fine-tuning" not in checked.stderr

    first = dse("run", tiny, "--device", "cpu", "--trials", 2)
    assert first.exit_code == 0, first.output
    assert "fine-tuning verdict" in first.stderr

    second = dse("run", tiny, "--device", "cpu")
    assert second.exit_code == 0, second.output
    assert "fine-tuning" not in second.stderr
    trials = pd.read_parquet("results/tiny/trials.parquet")
    assert (trials["status"] == "done").sum() == 4, trials[["status", "reason"]]
    assert trials[["area_mm2", "energy_uj", "score_mean"]][trials["status"] == "done"].notna().all(axis=None)

    front = json.loads(dse("pareto", "tiny", "--format", "json").stdout)
    assert {row["trial"] for row in front} == set(trials.loc[trials["on_front"], "trial"])
    shown = json.loads(dse("show", "tiny", front[0]["trial"], "--format", "json").stdout)
    assert shown["score.verdict"] == trials.set_index("trial").loc[front[0]["trial"], "score.verdict"]
