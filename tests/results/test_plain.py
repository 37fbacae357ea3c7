from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dse.results.plain import plain_value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ((1, (2.0, None)), [1, [2.0, None]]),
        (float("nan"), None),
        (float("inf"), None),
        (pd.NA, None),
        (pd.NaT, None),
        ("text", "text"),
        ({"a": np.float64(1.5), "b": [float("nan")]}, {"a": 1.5, "b": [None]}),
        (dt.date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_become_what_json_knows(value: Any, plain: Any) -> None:
    assert plain_value(value) == plain
    json.dumps(plain_value(value), allow_nan=False)
