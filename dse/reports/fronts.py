"""Figures of designs by objective: the front, dominated and infeasible designs, the baseline and published designs."""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dse.reports.published import DESIGNS, place_design
from dse.reports.study import Study, plain, title
from dse.results.status import Status

PER_ROW = 3
_FRONT, _GREY, _DARK, _BLACK, _PAPER = "#1f5fa8", "#c2c2c2", "#9a9a9a", "#111111", "#c4501b"


def tradeoff(study: Study) -> go.Figure | str:
    """Draw chip area against points lost, or return the reason why the figure cannot be drawn."""
    if study.trials["accuracy_drop"].isna().all():
        return "No design was scored."
    figure = _spaces(study, [("area_mm2", "accuracy_drop")])
    for trace in figure.select_traces({"name": "published"}):
        trace.update(mode="markers+text", text=trace.customdata, textposition="middle right")
    return figure


def objectives(study: Study, dimensions: int) -> go.Figure | str:
    """Draw a subplot for each choice of two or three objectives, or return that the study has too few objectives."""
    chosen = list(combinations([item.column for item in study.objectives], dimensions))
    if not chosen:
        return f"The study has {len(study.objectives)} objective(s); this figure needs {dimensions}."
    return _spaces(study, chosen)


def _spaces(study: Study, chosen: Sequence[tuple[str, ...]]) -> go.Figure:
    """Draw a subplot per choice of columns."""
    dimensions = len(chosen[0])
    columns = min(len(chosen), PER_ROW)
    rows = math.ceil(len(chosen) / PER_ROW)
    kind = {"type": "scene" if dimensions == 3 else "xy"}
    figure = make_subplots(rows=rows, cols=columns, specs=[[kind] * columns for _ in range(rows)])
    listed: set[str] = set()
    for number, names in enumerate(chosen):
        place = {"row": number // PER_ROW + 1, "col": number % PER_ROW + 1}
        for trace in _traces(study, names):
            trace.update(legendgroup=trace.name, showlegend=trace.name not in listed)
            listed.add(trace.name)
            figure.add_trace(trace, **place)
        if dimensions == 3:
            figure.update_scenes(
                {f"{axis}axis": {"title": {"text": title(name)}} for axis, name in zip("xyz", names, strict=True)},
                **place,
            )
        else:
            figure.update_xaxes(title_text=title(names[0]), **place)
            figure.update_yaxes(title_text=title(names[1]), **place)
    figure.update_layout(
        height=(640 if dimensions == 3 else 420) * rows, legend={"orientation": "h", "y": 1.1}, margin={"t": 60}
    )
    return figure


def _traces(study: Study, names: tuple[str, ...]) -> Iterator[Any]:
    """Yield the layers of a subplot, from the bottom up."""
    small = 3 if len(names) == 3 else 6
    layers: tuple[tuple[str, pd.DataFrame, dict[str, Any]], ...] = (
        (Status.INFEASIBLE.value, study.infeasible, {"color": _DARK, "symbol": "x", "size": small}),
        ("dominated", study.dominated, {"color": _GREY, "size": small}),
        ("front", study.front, {"color": _FRONT, "size": small + 2}),
    )
    for name, rows, marker in layers:
        placed = rows.dropna(subset=list(names))
        if len(placed):
            values = [plain(placed[column]) for column in names]
            yield _markers(names, values, name, marker, "trial %{customdata}", plain(placed["trial"]))
    baselines = (
        ("baseline", study.baseline, "diamond", "separate 8-bit models"),
        ("best baseline", study.best, "diamond-open", "separate models in the fewest bits without a loss"),
    )
    for name, metrics, symbol, text in baselines:
        placed_at = {"accuracy_drop": 0.0, **metrics}
        if metrics and all(column in placed_at for column in names):
            marker = {"color": _BLACK, "symbol": symbol, "size": small + 4}
            yield _markers(names, [[placed_at[column]] for column in names], name, marker, text)
    yield from _papers(study, names)


def _papers(study: Study, names: tuple[str, ...]) -> Iterator[Any]:
    """Yield published designs: a marker if a paper gives every objective, a line if it gives one of two objectives."""
    placed = {design: place_design(design, study) for design in DESIGNS}
    points = {design.name: metrics for design, metrics in placed.items() if all(column in metrics for column in names)}
    solid = len(names) == 3
    if points:
        marker = {"color": _PAPER, "symbol": "cross" if solid else "star", "size": 4 if solid else 11}
        values = [[metrics[column] for metrics in points.values()] for column in names]
        yield _markers(names, values, "published", marker, "%{customdata}", list(points))
    for design, metrics in placed.items():
        given = [column for column in names if column in metrics]
        if solid or not design.tells_one or not given:
            continue
        other = names[1 - names.index(given[0])]
        reach = study.trials[study.trials["status"] == Status.DONE][other].dropna()
        if len(reach):
            ends = {given[0]: [metrics[given[0]]] * 2, other: [float(reach.min()), float(reach.max())]}
            yield go.Scatter(
                x=ends[names[0]],
                y=ends[names[1]],
                name=design.name,
                mode="lines",
                visible="legendonly",  # far from the other designs: a click in the legend shows it
                line={"color": _PAPER, "dash": "dot"},
                hovertemplate=f"{design.name}: {title(given[0])} {metrics[given[0]]:.5g}<extra></extra>",
            )


def _markers(
    names: tuple[str, ...],
    values: Sequence[Sequence[float]],
    name: str,
    marker: dict[str, Any],
    hover: str,
    labels: Sequence[Any] | None = None,
) -> Any:
    """Return a trace of markers in two or three dimensions.

    Args:
        names: column of each axis.
        values: coordinates of the markers, one sequence per axis.
        name: name of the trace in the legend.
        marker: colour, symbol and size of the markers.
        hover: first line of the text that a marker shows; it may hold ``%{customdata}``.
        labels: text that takes the place of ``%{customdata}``, one per marker.
    """
    return (go.Scatter3d if len(names) == 3 else go.Scatter)(
        **dict(zip("xyz", values, strict=False)),
        name=name,
        mode="markers",
        marker=marker,
        customdata=labels,
        hovertemplate=f"{hover}<br>" + _hover(names),
    )


def _hover(names: tuple[str, ...]) -> str:
    lines = [f"{title(name)} %{{{axis}:.5g}}" for axis, name in zip("xyz", names, strict=False)]
    return "<br>".join(lines) + "<extra></extra>"
