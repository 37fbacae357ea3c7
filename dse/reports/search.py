"""Figures of the course of the search and of the parameters of its designs."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dse.records.plugin import KINDS
from dse.reports.study import Study, plain
from dse.results.pareto import hypervolume_history
from dse.results.points import PREFIX
from dse.results.status import Status

_SCALE = ((0, "#d0d0d0"), (1, "#1f5fa8"))
_NONE = "(none)"


def history(study: Study) -> go.Figure | str:
    """Draw the hypervolume of the front after each done trial, or return the reason why it cannot be drawn."""
    columns = {item.column for item in study.objectives}
    wanted = dict.fromkeys(("trial", "status", *columns, *study.reference))
    names = [name for name in wanted if name in study.trials.columns]
    rows = [dict(zip(names, plain(values), strict=True)) for values in study.trials[names].to_numpy(object)]
    volumes = hypervolume_history(rows, study.objectives, study.reference)
    if volumes is None:
        return f"No hypervolume: {', '.join(study.reference)} were not all measured."
    if not volumes:
        return "No trial was done."
    figure = go.Figure(
        go.Scatter(
            x=[trial for trial, _ in volumes],
            y=[volume for _, volume in volumes],
            mode="lines+markers",
            line={"shape": "hv"},
            marker={"size": 4},
            hovertemplate="trial %{x}<br>%{y:.5g}<extra></extra>",
        )
    )
    return figure.update_layout(
        height=380, xaxis={"title": {"text": "trial"}}, yaxis={"title": {"text": "hypervolume"}}
    )


def parameters(study: Study) -> go.Figure | str:
    """Draw objectives, plugins and parameters of every done design as parallel coordinates; the front is coloured."""
    done = study.trials[study.trials["status"] == Status.DONE]
    if done.empty:
        return "No trial was done."
    done = done.sort_values(["on_front", "trial"])  # the front is drawn last, on top
    names = [*(item.column for item in study.objectives), *KINDS, *study.columns(PREFIX)]
    made = [_dimension(name, done[name]) for name in names]
    dimensions = [item for item in made if item is not None]
    if not dimensions:
        return "All designs agree in every objective and parameter."
    return go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={
                "color": [int(value) for value in plain(done["on_front"])],
                "colorscale": _SCALE,
                "cmin": 0,
                "cmax": 1,
            },
            labelangle=-20,
            labelside="bottom",
        )
    ).update_layout(height=560, margin={"l": 90, "r": 90, "t": 30, "b": 150})


def _dimension(name: str, column: pd.Series[Any]) -> dict[str, Any] | None:
    """Return one axis, or None if every design has the same value.

    The axis shows a list of numbers by its mean, and texts by their numbers. A missing value stands below all others.
    """
    values = [scalar(value) for value in plain(column)]
    distinct = sorted({value for value in values if value is not None})
    if len(distinct) + (None in values) < 2:
        return None
    lists = any(isinstance(value, list) for value in plain(column))
    label = name.removeprefix(PREFIX) + (" (mean)" if lists else "")
    if all(isinstance(value, int | float) for value in distinct):
        if None not in values:
            return {"label": label, "values": values}
        low, high = distinct[0], distinct[-1]
        nothing = low - ((high - low) / 10 or 1)
        return {
            "label": label,
            "values": [nothing if value is None else value for value in values],
            "tickvals": [nothing, low, high] if high > low else [nothing, low],
            "ticktext": [_NONE, *(f"{value:.4g}" for value in ([low, high] if high > low else [low]))],
        }
    texts = [*([_NONE] if None in values else []), *distinct]
    numbers = {text: number for number, text in enumerate(texts)}
    return {
        "label": label,
        "values": [numbers[_NONE if value is None else value] for value in values],
        "tickvals": list(numbers.values()),
        "ticktext": [str(text) for text in texts],
    }


def scalar(value: Any) -> Any:
    """Return one number or text: the mean of a list of numbers, even if nested, and the text of other lists."""
    if not isinstance(value, list):
        return value
    flat = _flat(value)
    if flat and all(isinstance(item, int | float) for item in flat):
        return sum(flat) / len(flat)
    return " ".join(str(item) for item in flat)


def _flat(value: Any) -> list[Any]:
    return [item for inner in value for item in _flat(inner)] if isinstance(value, list) else [value]
