"""Tables of a breakdown: the parts of one design's costs, summed by component, owner, layer or matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

By: TypeAlias = Literal["component", "owner", "layer", "matrix"]
PLACE = ("part", "owner", "layer", "matrix")
_SUMMED = ("area_mm2", "energy_uj", "latency_us", "arrays", "tiles", "cells", "room", "macs", "bits")
COLUMNS = ("area_mm2", "energy_uj", "latency_us", "arrays", "tiles", "utilisation", "tokens", "macs", "bits")
"""Columns of numbers of a breakdown by owner, layer or matrix."""


def sum_parts(rows: Sequence[Mapping[str, Any]], by: By | None) -> pd.DataFrame:
    """Sum rows of `dse.cost.breakdown.break_down`.

    Args:
        rows: the rows.
        by: owner, layer or matrix; None returns the rows one by one.

    Returns:
        `COLUMNS` of numbers behind the first column, which names the owner, layer or matrix. Rows that have none are summed by
        their part. ``tokens`` counts a token once for each layer, whatever the number of the layer's matrices.
    """
    import pandas as pd

    table = pd.DataFrame(rows, columns=[*PLACE, *_SUMMED, "tokens"]).astype({"layer": "Int64"})
    keys = list(PLACE)
    if by is not None:
        label = table[by].astype("string").fillna(table["part"])
        summed = table.groupby(label, sort=False)[list(_SUMMED)].sum(min_count=1)
        once = table.groupby([label, "owner", "layer"], sort=False)["tokens"].max()
        summed["tokens"] = once.groupby(level=0, sort=False).sum(min_count=1)
        table, keys = summed.reset_index(names=by), [by]
    table["utilisation"] = table["cells"] / table["room"].where(table["room"] > 0)
    return table[[*keys, *COLUMNS]]


def list_components(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the area and energy of each component of a trial's row."""
    import pandas as pd

    parts: dict[str, dict[str, Any]] = {}
    for column in ("area_mm2", "energy_uj"):
        prefix = column.split("_", maxsplit=1)[0] + "."
        for name, value in record.items():
            if name.startswith(prefix):
                parts.setdefault(name.removeprefix(prefix), {})[column] = value
    rows = [{"component": name, **costs} for name, costs in parts.items()]
    return pd.DataFrame(rows, columns=["component", "area_mm2", "energy_uj"])
