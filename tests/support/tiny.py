"""A random two-layer model and text made up here, as files a space file can name."""

from __future__ import annotations

import random
from pathlib import Path

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


def write_model(folder: Path, layers: int = 2) -> None:
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
        num_hidden_layers=layers,
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


def write_space(folder: Path, layers: int = 2) -> Path:
    """Write model, data and the space file that names them; return the space file."""
    write_model(folder / "model", layers)
    write_data(folder)
    path = folder / "tiny.toml"
    path.write_text(SPACE.format(folder=folder), encoding="utf-8")
    return path
