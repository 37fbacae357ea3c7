"""Figure of the order in which a design serves its tasks, with the duration of each visit and switch."""

from typing import Any

import plotly.graph_objects as go

from dse.reports.study import Study, plain

MOST = 24
"""Largest number of designs in the figure; the first designs of the front are drawn."""
_GREY = "#8c8c8c"

Bar = tuple[str, float, float]
"""A design's name, the start of a bar and its length."""


def timeline(study: Study) -> go.Figure | str:
    """Draw one turn of all tasks per design of the front, or return the reason why it cannot be drawn.

    Older tables hold only the order, without times: the figure then draws every visit with the same length.
    """
    rows: list[dict[Any, Any]] = study.front.head(MOST).to_dict("records")
    if not rows:
        return "No design is on the front."
    orders = [_list(row, "order") for row in rows]
    times = [(_list(row, "visit_us"), _list(row, "switch_us")) for row in rows]
    timed = all(
        len(visits) == len(switches) == len(order) for (visits, switches), order in zip(times, orders, strict=True)
    )
    bars: dict[str, list[Bar]] = {}
    pauses: list[Bar] = []
    for row, order, (visits, switches) in zip(rows, orders, times, strict=True):
        name, clock = f"trial {row['trial']}", 0.0
        steps = zip(order, visits, switches, strict=True) if timed else ((task, 1.0, 0.0) for task in order)
        for task, visit, switch in steps:
            if switch:
                pauses.append((name, clock, switch))
            bars.setdefault(task, []).append((name, clock + switch, visit))
            clock += switch + visit
    if not bars:
        return "The table does not say in which order tasks are served."
    traces = [_trace(task, visits) for task, visits in bars.items()]
    if pauses:
        traces.append(_trace("switch", pauses).update(marker={"color": _GREY}))
    return go.Figure(traces).update_layout(
        barmode="overlay",
        height=160 + 24 * len(rows),
        margin={"t": 30},
        xaxis={"title": {"text": "from the start of a turn, µs" if timed else "place (the table has no times)"}},
        yaxis={"type": "category", "autorange": "reversed"},
    )


def _trace(name: str, bars: list[Bar]) -> Any:
    return go.Bar(
        orientation="h",
        y=[design for design, _, _ in bars],
        base=[start for _, start, _ in bars],
        x=[length for _, _, length in bars],
        name=name,
        hovertemplate="%{fullData.name} %{x:.5g}, from %{base:.5g}<br>%{y}<extra></extra>",
    )


def _list(row: dict[Any, Any], name: str) -> list[Any]:
    return plain(row[name]) if row.get(name) is not None else []
