"""Scores to compare a task's scores with: a bag of words and a linear model on the same split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dse.models.data.splits import Splits
from dse.models.inference import task_metrics as metrics
from dse.space.workload import TaskSpec

if TYPE_CHECKING:
    import pandas as pd


def tfidf(task: TaskSpec, splits: Splits, split: str) -> float:
    """Score TF-IDF of words and word pairs with a linear model, trained on all training rows.

    A pair has both texts' features and their cosine. Classes use logistic regression, values use ridge regression.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    vectorizer.fit(splits.train["text"] + " " + splits.train["text_b"])

    def extract_features(frame: pd.DataFrame) -> Any:
        first = vectorizer.transform(frame["text"])
        if not (splits.train["text_b"] != "").any():
            return first
        second = vectorizer.transform(frame["text_b"])
        overlap = csr_matrix(np.asarray(first.multiply(second).sum(axis=1)).reshape(-1, 1))
        return hstack([first, second, overlap]).tocsr()

    regression = task.kind == "regression"
    model = Ridge() if regression else LogisticRegression(C=10, max_iter=1000)
    model.fit(extract_features(splits.train), splits.train["label"])
    held = getattr(splits, split)
    return metrics.score(task.metric, held["label"].to_numpy(), np.asarray(model.predict(extract_features(held))))[0]
