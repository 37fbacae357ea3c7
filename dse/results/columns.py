"""Every column of a result file: its name, type and meaning. No heavy imports.

Columns are added, never retyped or renamed. The type of a ``param.*`` column follows from the plugin's declaration and
never from a space file, so that files of different studies stay readable together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dse.records.design import PluginParameter
from dse.records.parameters import Choice, Float, Int, Permutation

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as in the file.
        type: ``float64``, ``int64``, ``string``, ``bool``, or ``list<...>`` of these.
        summary: what it holds, with its unit.
        scope: of a parameter: what its list is over, ``task``, ``layer``, ``task layer``, or ``order`` for a permutation.
    """

    name: str
    type: str
    summary: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """What a study can optimise.

    Attributes:
        column: the metric it reads.
        maximise: its direction.
    """

    column: str
    maximise: bool


OBJECTIVES: dict[str, Objective] = {
    "area": Objective("area_mm2", maximise=False),
    "energy": Objective("energy_uj", maximise=False),
    "latency": Objective("latency_us", maximise=False),
    "accuracy": Objective("score_mean", maximise=True),
}

IDENTITY = (
    Column("schema_version", "int64", "of this table"),
    Column("trial", "int64", "number, counted from 0 in the order asked"),
    Column("status", "string", "done, infeasible, stopped, duplicate or failed"),
    Column("stage", "string", "last stage reached: cost, screen or score"),
    Column("reason", "string", "why a trial is infeasible, stopped, duplicate or failed"),
    Column("source", "string", "who proposed the point: sampler, profile, enqueued or random"),
    Column("on_front", "bool", "whether no other done trial is better in every objective"),
    Column("generator", "string", "plugin"),
    Column("compressor", "string", "plugin"),
    Column("scheduler", "string", "plugin"),
    Column("hardware", "string", "plugin"),
    Column("order", "list<string>", "tasks in the order in which they are served"),
    Column("visit_us", "list<float64>", "how long each visit of the order takes in one turn, us"),
    Column("switch_us", "list<float64>", "how long the switch before each of them takes, us"),
)
COST_METRICS = (
    Column("area_mm2", "float64", "chip area, mm2"),
    Column("energy_uj", "float64", "energy a request, uJ"),
    Column("latency_us", "float64", "latency a request, us"),
    Column("cycle_us", "float64", "one turn of all tasks at their batches: the longest wait for a task's turn, us"),
    Column("area_ratio", "float64", "whole chip to the baseline"),
    Column("array_area_ratio", "float64", "arrays of linear weights to the baseline"),
    Column("energy_ratio", "float64", "energy to the baseline"),
    Column("latency_ratio", "float64", "latency to the baseline"),
    Column("offchip_mb", "float64", "embeddings and reprogramming images, MB"),
    Column("writes", "float64", "cells written a request"),
    Column("lifetime_years", "float64", "of the most-written cell; empty where nothing is written"),
)
SCORE_METRICS = (
    Column("score_mean", "float64", "mean score over tasks"),
    Column("accuracy_drop", "float64", "points lost to the baseline (100 = 1.0)"),
    Column("accuracy_drop_low", "float64", "lower end of its 95 % interval"),
    Column("accuracy_drop_high", "float64", "upper end of its 95 % interval"),
    Column("accuracy_drop_all", "float64", "points lost, mean over all tasks"),
    Column("accuracy_drop_worst", "float64", "points lost by the worst task"),
    Column("accuracy_drop_spread", "float64", "standard deviation of accuracy_drop over draws"),
)
RECORD = (
    Column("violation", "float64", "by how much limits are exceeded; 0 where they are kept"),
    Column("flagged_tasks", "list<string>", "tasks scored 0 because predictions were constant"),
    Column("evaluated_tasks", "int64", "task scores measured for this trial; the rest came from the cache"),
    Column("screened_tasks", "int64", "tasks whose scores on some rows were looked at first"),
    Column("layers_run", "float64", "layers inputs ran, as scored, on average over tasks with early exits; else empty"),
    Column("draws", "int64", "chips that scores are means over; empty where arrays are ideal"),
    Column("adc_rows", "int64", "rows of a task scored with real ADCs; empty where conversions are exact"),
    Column("duplicate_of", "int64", "earlier trial of the same design"),
    Column("seed", "int64", "of this trial"),
    Column("duration_s", "float64", "time spent on this trial, s"),
    Column("error_type", "string", "exception of a failed trial"),
    Column("error_message", "string", "its text"),
    Column("error_traceback", "string", "where it was raised"),
    Column("versions", "string", "dse and plugins used, as a JSON object"),
)
COST_NAMES = tuple(column.name for column in COST_METRICS)
SCORE_NAMES = tuple(column.name for column in SCORE_METRICS)
METRIC_NAMES = (*COST_NAMES, *SCORE_NAMES)


def parameter_type(parameter: PluginParameter) -> str:
    """Type of a parameter's column: its values' type, in one list for each axis of its scope."""
    declared = parameter.parameter
    if isinstance(declared, Permutation):
        return "list<int64>"
    if isinstance(declared, Choice):
        inner = {bool: "bool", int: "int64", float: "float64", str: "string"}[type(declared.choices[0])]
    else:
        inner = {Float: "float64", Int: "int64"}[type(declared)]
    for _ in declared.scope:
        inner = f"list<{inner}>"
    return inner


def _scope(parameter: PluginParameter) -> str:
    declared = parameter.parameter
    return "order" if isinstance(declared, Permutation) else " ".join(declared.scope)


def study_columns(
    parameters: Iterable[PluginParameter], tasks: Iterable[str], components: Iterable[str]
) -> tuple[Column, ...]:
    """All columns of a study with these parameters, tasks and cost components."""
    parts = sorted(set(components))
    return (
        *IDENTITY,
        *COST_METRICS,
        *SCORE_METRICS,
        *(Column(f"score.{task}", "float64", "score of the task on the search split") for task in tasks),
        *(Column(f"score_spread.{task}", "float64", "standard deviation of the score over draws") for task in tasks),
        *RECORD,
        *(
            Column(f"param.{item.full_name}", parameter_type(item), item.parameter.summary, _scope(item))
            for item in sorted(parameters, key=lambda item: item.full_name)
        ),
        *(Column(f"area.{name}", "float64", "share of area_mm2") for name in parts),
        *(Column(f"energy.{name}", "float64", "share of energy_uj") for name in parts),
    )


def merge_columns(*tables: Iterable[Column]) -> tuple[Column, ...]:
    """Columns of several sessions of one study, each once, in the order first seen."""
    found: dict[str, Column] = {}
    for columns in tables:
        for column in columns:
            found.setdefault(column.name, column)
    return tuple(found.values())
