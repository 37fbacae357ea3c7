"""The tiny encoder of the tests: random weights, a vocabulary made up here, and text, as files that a space file can name."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WORDS = ("good", "bad", "film", "plot", "the", "a", "very", "not", "actor", "scene", "music", "end")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
CLASSIFIER = "ForSequenceClassification"
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


def make_config(family: str = "Bert", words: Sequence[str] = WORDS, **changes: Any) -> Any:
    """Make the configuration of a tiny encoder of a family of transformers, with changes."""
    import transformers

    vocabulary = {"vocab_size": len(SPECIAL) + len(words), "max_position_embeddings": 32}
    return getattr(transformers, f"{family}Config")(**(SIZES | vocabulary | changes))


def make_model(config: Any = None, *, head: str = "Model", seed: int = 0) -> Any:
    """Make an encoder with random weights.

    Args:
        config: of the encoder; None: the default of `make_config`.
        head: end of the class's name: ``Model``, `CLASSIFIER` or ``ForMaskedLM``.
        seed: of the weights.
    """
    import torch
    import transformers

    config = config or make_config()
    torch.manual_seed(seed)
    family = type(config).__name__.removesuffix("Config")
    return getattr(transformers, family + head)(config).eval()


def make_classifier(words: Sequence[str] = WORDS, **changes: Any) -> Any:
    """Make a classifier whose answers differ from row to row: its weights are larger than those of a new encoder."""
    config = make_config(words=words, **({"initializer_range": 0.3} | changes))
    return make_model(config, head=CLASSIFIER)


def write_tokenizer(folder: Path, words: Sequence[str] = WORDS) -> None:
    from transformers import BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = [*SPECIAL, *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    BertTokenizer(vocab={word: index for index, word in enumerate(vocabulary)}).save_pretrained(folder)


def write_model(folder: Path, *, words: Sequence[str] = WORDS, layers: int = 2) -> None:
    """Write a random encoder with its tokenizer, as a hub would hold it."""
    make_model(make_config(words=words, num_hidden_layers=layers)).save_pretrained(folder)
    write_tokenizer(folder, words)


def write_data(folder: Path) -> None:
    chance = random.Random(0)
    texts = list(dict.fromkeys(" ".join(chance.choices(WORDS, k=6)) for _ in range(150)))
    verdicts = [f"{text}\t{int('good' in text)}" for text in texts]
    ratings = [f"{text}\t{text.count('good') - text.count('bad') + chance.random():.3f}" for text in texts]
    for name, lines in (("verdict", verdicts), ("rating", ratings)):
        (folder / f"{name}.tsv").write_text("\n".join(["text\tlabel", *lines]) + "\n", encoding="utf-8")


def write_space(folder: Path, layers: int = 2) -> Path:
    """Write model, data and the space file that names them; return the space file."""
    write_model(folder / "model", layers=layers)
    write_data(folder)
    path = folder / "tiny.toml"
    path.write_text(SPACE.format(folder=folder), encoding="utf-8")
    return path
