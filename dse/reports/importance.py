"""Figure of the importance of each parameter for each objective."""

import math
from typing import Any

import optuna
import plotly.graph_objects as go
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from dse.records.plugin import KINDS
from dse.reports.search import scalar
from dse.reports.study import Study, plain, title
from dse.results.points import PREFIX
from dse.results.status import Status
from dse.samplers.suggester import quiet_optuna

LEAST = 20
"""Smallest number of done designs for which importance is computed."""
_MOST = 24
"""Largest number of parameters in the figure; the most important parameters are drawn."""
_DECADES = 100
"""Smallest ratio of the largest to the smallest value for which a range counts as logarithmic."""


def importances(study: Study) -> dict[str, dict[str, float]] | str:
    """Return the importance of each parameter by objective's column, adding up to 1, or the reason why there is none.

    Optuna's PED-ANOVA (Watanabe et al., IJCAI 2023) measures how differently a parameter is distributed among the best
    tenth of the designs and among all of them. A parameter with several values counts with its mean. A parameter that
    only some plugins have counts among the designs with these plugins.
    """
    done = study.trials[study.trials["status"] == Status.DONE]
    if len(done) < LEAST:
        return f"Importance needs {LEAST} done designs; the study has {len(done)} among its {len(study.trials)} trials."
    columns = {name: [scalar(value) for value in plain(done[name])] for name in (*KINDS, *study.columns(PREFIX))}
    domains = {name: domain for name, values in columns.items() if (domain := _domain(values)) is not None}
    if not domains:
        return "All designs agree in every parameter."
    by_column = {}
    for item in study.objectives:
        trials = [
            (float(value), {name: columns[name][row] for name in domains if columns[name][row] is not None})
            for row, value in enumerate(plain(done[item.column]))
            if value is not None and not math.isnan(value)
        ]
        by_column[item.column] = _evaluate_importance(trials, domains, "maximize" if item.maximise else "minimize")
    return by_column


def importance(study: Study) -> go.Figure | str:
    """Draw the importance of the parameters for each objective, or return the reason why it cannot be drawn."""
    shares_of = importances(study)
    if isinstance(shares_of, str):
        return shares_of
    first = next(iter(shares_of.values()))
    total = {name: sum(shares.get(name, 0.0) for shares in shares_of.values()) for name in first}
    names = sorted(total, key=lambda name: -total[name])[:_MOST]
    figure = go.Figure(
        [
            go.Bar(
                orientation="h",
                y=[name.removeprefix(PREFIX) for name in names],
                x=[shares[name] for name in names],
                name=title(column),
                hovertemplate="%{y}<br>%{x:.3f}<extra>%{fullData.name}</extra>",
            )
            for column, shares in shares_of.items()
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
    """Return Optuna's distribution of a column's values, or None if the designs have fewer than two values."""
    distinct = sorted({value for value in values if value is not None})
    if len(distinct) < 2:
        return None
    if any(isinstance(value, str | bool) for value in distinct):
        return CategoricalDistribution(distinct)
    if all(isinstance(value, int) for value in distinct):
        return IntDistribution(distinct[0], distinct[-1])
    return FloatDistribution(distinct[0], distinct[-1], log=distinct[0] > 0 and distinct[-1] / distinct[0] >= _DECADES)


def _evaluate_importance(
    trials: list[tuple[float, dict[str, Any]]], domains: dict[str, Any], direction: Any
) -> dict[str, float]:
    with quiet_optuna(errors_only=True):
        study = optuna.create_study(direction=direction)
        study.add_trials(
            optuna.trial.create_trial(
                value=value, params=params, distributions={name: domains[name] for name in params}
            )
            for value, params in trials
        )
        shares = optuna.importance.get_param_importances(study)
    return {name: float(shares.get(name, 0.0)) for name in domains}
