"""Which parameters decide how good a design is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dse.records.plugin import KINDS
from dse.reports.search import scalar
from dse.reports.study import AXES, Study, plain
from dse.results.points import PREFIX
from dse.results.status import Status

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEAST = 20
"""Done designs below which nothing can be said."""
_MOST = 24
"""Parameters drawn, the most important ones."""
_DECADES = 100
"""Largest value by smallest from which on a range is taken for one that was searched by its logarithm."""


def importances(study: Study) -> dict[str, dict[str, float]] | str:
    """Importance of each parameter for each objective, by column, adding up to 1; or why there is none.

    Optuna's PED-ANOVA (Watanabe et al., IJCAI 2023): how differently a parameter is distributed among the best tenth of the
    designs and among all of them. Of a parameter with several values the mean counts; one that only some plugins have
    counts among designs of these.
    """
    done = study.trials[study.trials["status"] == Status.DONE]
    if len(done) < LEAST:
        return f"Importance needs {LEAST} done designs; there are {len(done)}."
    columns = {name: [scalar(value) for value in plain(done[name])] for name in (*KINDS, *study.columns(PREFIX))}
    domains = {name: domain for name, values in columns.items() if (domain := _domain(values)) is not None}
    if not domains:
        return "All designs agree in every parameter."
    found = {}
    for item in study.objectives:
        trials = [
            (float(value), {name: columns[name][row] for name in domains if columns[name][row] is not None})
            for row, value in enumerate(plain(done[item.column]))
            if value is not None and not math.isnan(value)
        ]
        found[item.column] = _evaluate_importance(trials, domains, "maximize" if item.maximise else "minimize")
    return found


def importance(study: Study) -> go.Figure | str:
    """Importance of the parameters for each objective, or why that cannot be shown."""
    import plotly.graph_objects as go

    found = importances(study)
    if isinstance(found, str):
        return found
    total = {name: sum(shares.get(name, 0.0) for shares in found.values()) for name in next(iter(found.values()))}
    names = sorted(total, key=lambda name: -total[name])[:_MOST]
    figure = go.Figure(
        [
            go.Bar(
                orientation="h",
                y=[name.removeprefix(PREFIX) for name in names],
                x=[shares[name] for name in names],
                name=AXES[column],
                hovertemplate="%{y}<br>%{x:.3f}<extra>%{fullData.name}</extra>",
            )
            for column, shares in found.items()
        ]
    )
    return figure.update_layout(
        barmode="group",
        height=160 + 40 * len(names),
        margin={"t": 30, "l": 260},
        xaxis={"title": {"text": "share of the importance for each objective"}},
        yaxis={"type": "category", "autorange": "reversed"},
    )


def _domain(values: list[Any]) -> Any:
    """Optuna's distribution of what a column holds, or None where nothing was chosen."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    known = sorted({value for value in values if value is not None})
    if len(known) < 2:
        return None
    if any(isinstance(value, str | bool) for value in known):
        return CategoricalDistribution(known)
    if all(isinstance(value, int) for value in known):
        return IntDistribution(known[0], known[-1])
    return FloatDistribution(known[0], known[-1], log=known[0] > 0 and known[-1] / known[0] >= _DECADES)


def _evaluate_importance(
    trials: list[tuple[float, dict[str, Any]]], domains: dict[str, Any], direction: Any
) -> dict[str, float]:
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # a study in memory is nothing to announce
    try:
        study = optuna.create_study(direction=direction)
        study.add_trials(
            optuna.trial.create_trial(
                value=value, params=params, distributions={name: domains[name] for name in params}
            )
            for value, params in trials
        )
        found = optuna.importance.get_param_importances(study)
    finally:
        optuna.logging.set_verbosity(level)
    return {name: float(found.get(name, 0.0)) for name in domains}
