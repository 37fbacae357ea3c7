from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from dse.models.inference.task_metrics import DRAWS, _resamples, bootstrap, chance, score
from dse.space.workload import Metric

CLASSES: list[Metric] = ["accuracy", "f1", "matthews"]
ALL: list[Metric] = [*CLASSES, "pearson", "spearman"]


def sample(classes: int, count: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, count)
    return labels, np.where(generator.random(count) < 0.7, labels, generator.integers(0, classes, count))


def values(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = generator.normal(size=count)
    return labels, labels + generator.normal(size=count)


def test_scores_are_those_of_the_libraries() -> None:
    labels, predictions = sample(4)
    assert score("accuracy", labels, predictions) == (accuracy_score(labels, predictions), False)
    assert score("matthews", labels, predictions) == (matthews_corrcoef(labels, predictions), False)
    assert score("f1", labels, predictions)[0] == f1_score(labels, predictions, average="macro")
    two, guess = sample(2)
    assert score("f1", two, guess)[0] == f1_score(two, guess)


@pytest.mark.parametrize("metric", ["matthews", "pearson", "spearman"])
def test_a_constant_prediction_scores_0_and_is_flagged(metric: Metric) -> None:
    labels = sample(2)[0] if metric == "matthews" else values()[0]
    assert score(metric, labels, np.full_like(labels, 1)) == (0.0, True)
    assert score(metric, np.full_like(labels, 1), labels) == (0.0, True)
    assert set(bootstrap(metric, labels, np.full_like(labels, 1), ("",) * len(labels))) == {0.0}


def test_chance_is_the_most_frequent_class_or_nothing() -> None:
    labels = np.array([0, 1, 1, 1])
    assert chance("accuracy", labels) == 0.75
    assert chance("matthews", labels) == 0.0
    assert chance("f1", labels) == pytest.approx(6 / 7)
    assert chance("pearson", labels) == 0.0


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("metric", CLASSES)
def test_each_draw_is_the_score_of_its_resample(metric: Metric, classes: int) -> None:
    labels, predictions = sample(classes)
    groups = tuple(f"g{index // 4}" for index in range(len(labels)))
    drawn = bootstrap(metric, labels, predictions, groups, seed=3)
    counts = _resamples(groups, 3).astype(int)
    assert drawn.shape == (DRAWS,)
    for at in range(0, DRAWS, 97):
        rows = np.repeat(np.arange(len(labels)), counts[at])
        assert set(labels[rows]) == set(range(classes))
        assert drawn[at] == pytest.approx(score(metric, labels[rows], predictions[rows])[0], abs=1e-5)


def test_each_draw_of_a_correlation_is_that_of_its_resample() -> None:
    labels, predictions = values()
    groups = ("",) * len(labels)
    pearson = bootstrap("pearson", labels, predictions, groups)
    spearman = bootstrap("spearman", labels, predictions, groups)
    ranks = rankdata(labels), rankdata(predictions)
    counts = _resamples(groups, 0).astype(int)
    for at in range(0, DRAWS, 97):
        rows = np.repeat(np.arange(len(labels)), counts[at])
        assert pearson[at] == pytest.approx(pearsonr(labels[rows], predictions[rows]).statistic, abs=1e-6)
        assert spearman[at] == pytest.approx(pearsonr(ranks[0][rows], ranks[1][rows]).statistic, abs=1e-6)


def test_draws_are_paired_and_follow_the_seed() -> None:
    labels, predictions = sample(2, 200)
    groups = ("",) * len(labels)
    worse = predictions.copy()
    worse[:5] = 1 - labels[:5]
    worse[5:10] = labels[5:10]
    same = bootstrap("accuracy", labels, predictions, groups) - bootstrap("accuracy", labels, predictions, groups)
    assert not same.any()
    difference = bootstrap("accuracy", labels, worse, groups) - bootstrap("accuracy", labels, predictions, groups)
    assert difference.std() < bootstrap("accuracy", labels, predictions, groups).std()
    other = bootstrap("accuracy", labels, predictions, groups, seed=1)
    assert (other != bootstrap("accuracy", labels, predictions, groups)).any()


def test_whole_groups_are_drawn_and_lone_rows_alone() -> None:
    counts = _resamples(("a", "a", "b", "", ""), 0)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3] != counts[:, 4]).any()
    assert counts.mean(axis=0) == pytest.approx(np.ones(5), abs=0.15)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.sampled_from(ALL), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=30))
def test_no_score_is_ever_undefined(metric: Metric, pairs: list[tuple[int, int]]) -> None:
    labels, predictions = np.array(pairs).T
    value, _ = score(metric, labels, predictions)
    drawn = bootstrap(metric, labels, predictions, ("",) * len(labels))
    assert np.isfinite(value)
    assert np.isfinite(drawn).all()
    low = -1.0 if metric in {"matthews", "pearson", "spearman"} else 0.0
    assert low - 1e-6 <= min(value, drawn.min())
    assert max(value, drawn.max()) <= 1 + 1e-6


def test_f1_of_two_classes_of_three() -> None:
    labels, predictions = np.array([0, 2, 2, 0]), np.array([0, 2, 0, 0])
    value = score("f1", labels, predictions)[0]
    assert 0 < value < 1


def test_f1_of_a_detector_that_never_fires_is_0_in_every_draw() -> None:
    labels = np.zeros(20, dtype=int)
    assert score("f1", labels, labels)[0] == 0.0
    assert set(bootstrap("f1", labels, labels, ("",) * 20)) == {0.0}
