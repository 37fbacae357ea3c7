"""Two-layer models with a vocabulary of forty words, and rows of such words: small enough to train in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dse.workload.spec import TaskSpec

WORDS = [f"w{index}" for index in range(40)]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    import torch

    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def config() -> Callable[..., Any]:
    """Make the configuration of a small BERT, with changes."""

    def make(**changes: Any) -> Any:
        from transformers import BertConfig

        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
        return BertConfig(vocab_size=len(SPECIAL) + len(WORDS), max_position_embeddings=32, **(sizes | changes))

    return make


def save_tokenizer(folder: Path) -> None:
    from transformers import BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*SPECIAL, *WORDS]))
    BertTokenizerFast(vocab_file=str(vocabulary)).save_pretrained(folder)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, config: Callable[..., Any]) -> Path:
    """Folder of a random BERT with its tokenizer, as a hub would hold it."""
    import torch
    from transformers import BertModel

    folder: Path = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    BertModel(config()).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    """Texts of 3 to 8 words; the label (0 or 1) is whether ``w0`` or ``w1`` comes first; the value is how many w0 there are."""
    generator = np.random.default_rng(seed)
    texts, labels, values = [], [], []
    for index in range(count):
        label = index % 2
        words = list(generator.choice(WORDS[2:], generator.integers(3, 9)))
        texts.append(" ".join([f"w{label}", *words]))
        labels.append(label)
        values.append(label + 0.1 * len(words))
    return pd.DataFrame({"text": texts, "label": labels, "value": values}).drop_duplicates("text")


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of 160 rows with the columns text, label and value."""
    path: Path = tmp_path_factory.mktemp("data") / "rows.csv"
    rows(160).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def task() -> Callable[..., TaskSpec]:
    """Make a task, with changes."""

    def make(**changes: Any) -> TaskSpec:
        raw = {"name": "t", "kind": "classification", "metric": "accuracy", "data": {"path": "rows.csv"}}
        return TaskSpec.model_validate(raw | {"max_length": 16} | changes)

    return make
