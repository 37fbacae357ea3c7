"""Task metrics from scikit-learn and SciPy, and their paired bootstrap."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.space.workload import REGRESSION, Metric

Array = NDArray[Any]

DRAWS = 1000
"""Number of bootstrap resamples per interval."""


def score(metric: Metric, labels: Array, predictions: Array) -> tuple[float, bool]:
    """Score predictions.

    Args:
        metric: name of the metric.
        labels: true classes or values, shape (n,).
        predictions: predicted classes or values, shape (n,).

    Returns:
        The score, and a flag for a correlation that is 0 by definition because the prediction is constant.
    """
    if metric == "accuracy":
        return float(np.mean(labels == predictions)), False
    if metric == "f1":
        from sklearn.metrics import f1_score

        average = "binary" if _detects(labels, predictions) else "macro"
        return float(f1_score(labels, predictions, average=average, zero_division=0)), False
    if np.ptp(predictions) == 0 or np.ptp(labels) == 0:
        return 0.0, True
    if metric == "matthews":
        from sklearn.metrics import matthews_corrcoef

        return float(matthews_corrcoef(labels, predictions)), False
    from scipy.stats import pearsonr, spearmanr

    correlation: Any = pearsonr(labels, predictions) if metric == "pearson" else spearmanr(labels, predictions)
    return float(correlation.statistic), False


def chance(metric: Metric, labels: Array) -> float:
    """Score the constant answer of the most frequent class, or any constant value, on labels (n,)."""
    if metric in REGRESSION:
        return 0.0
    values, counts = np.unique(labels, return_counts=True)
    return score(metric, labels, np.full_like(labels, values[counts.argmax()]))[0]


def bootstrap(metric: Metric, labels: Array, predictions: Array, groups: tuple[str, ...], seed: int = 0) -> Array:
    """Score resamples (draws,) of the rows, or of whole groups if rows have groups.

    The resamples depend on the groups and the seed only, so two predictions over the same rows are paired. Spearman
    resamples the ranks of the whole sample.

    Args:
        metric: name of the metric.
        labels: true classes or values, shape (n,).
        predictions: predicted classes or values, shape (n,).
        groups: group of each row, shape (n,); empty strings if rows are independent.
        seed: seed of the resamples.
    """
    weights = _resamples(groups, seed)
    if metric == "accuracy":
        return _mean(weights, labels == predictions)
    if metric in REGRESSION:
        if metric == "spearman":
            from scipy.stats import rankdata

            labels, predictions = rankdata(labels), rankdata(predictions)
        return _correlation(weights, labels.astype(float), predictions.astype(float))
    detects = metric == "f1" and _detects(labels, predictions)
    classes = np.array([0, 1]) if detects else np.union1d(labels, predictions)
    truth = (labels[:, None] == classes).astype(float)
    guess = (predictions[:, None] == classes).astype(float)
    both = np.einsum("nk,nj->nkj", truth, guess).reshape(len(labels), -1)
    confusion = (weights @ both).reshape(len(weights), len(classes), len(classes))
    return _matthews(confusion) if metric == "matthews" else _f1(confusion, detects=detects)


@lru_cache(maxsize=64)
def _resamples(groups: tuple[str, ...], seed: int) -> Array:
    """Count how often each resample draws each row, shape (draws, n)."""
    generator = np.random.default_rng(seed)
    names = [group or f"\0{index}" for index, group in enumerate(groups)]
    _, member = np.unique(names, return_inverse=True)
    count = int(member.max()) + 1
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return np.asarray(drawn[:, member], dtype=np.float32)


def _mean(weights: Array, values: Array) -> Array:
    return np.asarray((weights @ values.astype(np.float32)) / weights.sum(axis=1), dtype=float)


def _correlation(weights: Array, x: Array, y: Array) -> Array:
    x, y = x - x.mean(), y - y.mean()
    columns = np.stack([x, y, x * x, y * y, x * y], axis=1)
    mean = (weights.astype(float) @ columns) / weights.sum(axis=1, keepdims=True)
    spread = np.sqrt(np.maximum(mean[:, 2] - mean[:, 0] ** 2, 0) * np.maximum(mean[:, 3] - mean[:, 1] ** 2, 0))
    joint = mean[:, 4] - mean[:, 0] * mean[:, 1]
    return np.asarray(np.divide(joint, spread, out=np.zeros_like(joint), where=spread > 1e-12))


def _matthews(confusion: Array) -> Array:
    total, right = confusion.sum(axis=(1, 2)), np.trace(confusion, axis1=1, axis2=2)
    truth, guess = confusion.sum(axis=2), confusion.sum(axis=1)
    joint = right * total - (truth * guess).sum(axis=1)
    spread = np.sqrt((total**2 - (truth**2).sum(axis=1)) * (total**2 - (guess**2).sum(axis=1)))
    return np.asarray(np.divide(joint, spread, out=np.zeros_like(joint), where=spread > 1e-9), dtype=float)


def _detects(labels: Array, predictions: Array) -> bool:
    """Return whether the classes are 0 and 1, so that F1 is that of class 1; otherwise F1 is the mean over classes."""
    return bool(np.isin(np.union1d(labels, predictions), (0, 1)).all())


def _f1(confusion: Array, *, detects: bool) -> Array:
    right = np.diagonal(confusion, axis1=1, axis2=2)
    sums = confusion.sum(axis=1) + confusion.sum(axis=2)
    each = np.divide(2 * right, sums, out=np.zeros_like(sums), where=sums > 0)
    return np.asarray(each[:, 1] if detects else each.mean(axis=1), dtype=float)
