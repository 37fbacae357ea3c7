"""Rows of forty words."""

from __future__ import annotations

import numpy as np
import pandas as pd

WORDS = [f"w{index}" for index in range(40)]
FAST = {"epochs": 1, "learning_rate": 1e-3, "batch": 16}
"""A fine-tuning of a few seconds."""


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


def frame(texts: list[str], labels: list[int], groups: list[str] | None = None) -> pd.DataFrame:
    """Make a table as `data.read` returns it."""
    return pd.DataFrame({"text": texts, "text_b": "", "label": labels, "group": groups or [""] * len(texts)})
