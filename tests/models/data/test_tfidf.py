from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.tfidf import tfidf
from dse.models.data.splits import split
from dse.space.workload import TaskSpec
from tests.support.text import frame, rows

Make = Callable[..., TaskSpec]


def test_a_bag_of_words_learns_what_one_word_tells(task: Make) -> None:
    table = rows(160)
    parts = split(task(), frame(list(table["text"]), list(table["label"])))
    assert tfidf(task(), parts, "search") > 0.9
    numbers = frame(list(table["text"]), list(table["label"])).assign(label=table["value"].to_numpy())
    spec = task(kind="regression", metric="pearson")
    assert tfidf(spec, split(spec, numbers), "report") > 0.8


def test_it_learns_from_training_rows_only(task: Make) -> None:
    table = rows(160)
    parts = split(task(), frame(list(table["text"]), list(table["label"])))
    wrong = parts.search.assign(label=1 - parts.search["label"])
    flipped = type(parts)(parts.train, wrong, parts.report)
    assert tfidf(task(), parts, "search") + tfidf(task(), flipped, "search") == 1.0


def test_pairs_are_told_by_what_their_sides_share(task: Make) -> None:
    generator = np.random.default_rng(0)
    words = [f"w{index}" for index in range(12)]
    first = [" ".join(generator.choice(words, 4, replace=False)) for _ in range(400)]
    other = [" ".join(generator.choice(words, 4, replace=False)) for _ in range(400)]
    labels = [index % 2 for index in range(400)]
    pairs = frame(first, labels).assign(text_b=[a if y else b for a, b, y in zip(first, other, labels, strict=True)])
    assert tfidf(task(), split(task(), pairs), "search") > 0.8
