"""Figures of the area and energy of the front's designs by component, and of the points that each task loses."""

from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go

from dse.reports.study import Study, plain, title
from dse.results.columns import task_names

EMPTY = "No design is on the front."


def drops(study: Study) -> go.Figure | str:
    """Draw the points that each task loses in each design of the front, or scores if the baseline is unknown."""
    tasks = task_names(study.columns("score."))
    front = study.front.dropna(subset=[f"score.{task}" for task in tasks])
    if front.empty or not tasks:
        return "No design of the front was scored." if len(study.front) else EMPTY
    baseline = study.baseline_scores
    values = [
        plain(100 * (baseline[task] - front[f"score.{task}"]) if baseline else front[f"score.{task}"]) for task in tasks
    ]
    figure = go.Figure(
        go.Heatmap(
            x=_names(front["trial"]),
            y=tasks,
            z=values,
            colorscale="Reds" if baseline else "Blues",
            colorbar={"title": {"text": "points lost" if baseline else "score"}},
            hovertemplate="%{y}<br>%{x}<br>%{z:.4g}<extra></extra>",
        )
    )
    title = "design of the front" if baseline else "scores: the trials do not determine each task's baseline score"
    return figure.update_layout(
        height=160 + 32 * len(tasks),
        margin={"t": 30},
        xaxis={"title": {"text": title}, "type": "category"},
        yaxis={"type": "category"},
    )


def shares(study: Study, cost: str, total: str) -> go.Figure | str:
    """Draw area or energy of each design of the front by component, or return the reason why it cannot be drawn.

    Args:
        study: study to draw.
        cost: ``area`` or ``energy``: columns ``<cost>.<component>`` hold the shares.
        total: column of the sum of the shares.
    """
    if study.front.empty:
        return EMPTY
    parts = study.front[study.columns(f"{cost}.")].sum().sort_values(ascending=False, kind="stable")
    figure = go.Figure(
        [
            go.Bar(
                x=_names(study.front["trial"]),
                y=plain(study.front[name]),
                name=name.removeprefix(f"{cost}."),
                marker={"line": {"width": 0}},
                hovertemplate="%{fullData.name} %{y:.4g}<br>%{x}<extra></extra>",
            )
            for name in map(str, parts.index)
            if parts[name]
        ]
    )
    return figure.update_layout(
        barmode="stack",
        bargap=0.1,
        height=440,
        margin={"t": 30},
        xaxis={"title": {"text": "design of the front"}, "type": "category"},
        yaxis={"title": {"text": title(total)}},
    )


def _names(trials: Iterable[Any]) -> list[str]:
    return [f"trial {number}" for number in trials]
