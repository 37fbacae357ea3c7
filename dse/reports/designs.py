"""What the designs of the front are made of, and what each task loses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dse.reports.study import AXES, Study, plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

EMPTY = "No design is on the front."


def area(study: Study) -> go.Figure | str:
    """Area of each design of the front by component, or why that cannot be shown."""
    return _shares(study, "area", "area_mm2")


def energy(study: Study) -> go.Figure | str:
    """Energy of each design of the front by component, or why that cannot be shown."""
    return _shares(study, "energy", "energy_uj")


def drops(study: Study) -> go.Figure | str:
    """What each task loses in each design of the front, in points; scores where the baseline's are not known."""
    import plotly.graph_objects as go

    tasks = [name.removeprefix("score.") for name in study.columns("score.")]
    front = study.front.dropna(subset=[f"score.{task}" for task in tasks])
    if front.empty or not tasks:
        return "No design of the front was scored." if len(study.front) else EMPTY
    known = study.baseline_scores
    values = [
        plain(100 * (known[task] - front[f"score.{task}"]) if known else front[f"score.{task}"]) for task in tasks
    ]
    figure = go.Figure(
        go.Heatmap(
            x=_names(front["trial"]),
            y=tasks,
            z=values,
            colorscale="Reds" if known else "Blues",
            colorbar={"title": {"text": "points lost" if known else "score"}},
            hovertemplate="%{y}<br>%{x}<br>%{z:.4g}<extra></extra>",
        )
    )
    title = "design of the front" if known else "scores: the trials do not settle the baseline's of each task"
    return figure.update_layout(
        height=160 + 32 * len(tasks),
        margin={"t": 30},
        xaxis={"title": {"text": title}, "type": "category"},
        yaxis={"type": "category"},
    )


def _shares(study: Study, what: str, total: str) -> go.Figure | str:
    import plotly.graph_objects as go

    if study.front.empty:
        return EMPTY
    parts = study.front[study.columns(f"{what}.")].sum().sort_values(ascending=False, kind="stable")
    figure = go.Figure(
        [
            go.Bar(
                x=_names(study.front["trial"]),
                y=plain(study.front[name]),
                name=name.removeprefix(f"{what}."),
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
        yaxis={"title": {"text": AXES[total]}},
    )


def _names(trials: Iterable[Any]) -> list[str]:
    return [f"trial {number}" for number in trials]
