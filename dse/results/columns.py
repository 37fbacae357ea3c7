"""Every column of a result file: its name, type and meaning. This module has no heavy imports.

New versions add columns; they never rename a column or change its type. The type of a ``param.*`` column follows from
the plugin's declaration and never from a space file, so that files of different studies stay readable together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dse.records.design import PluginParameter
from dse.records.parameters import Choice, Float, Int, Permutation

SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result file.

    Attributes:
        name: name of the column in the file.
        type: ``float64``, ``int64``, ``string``, ``bool``, or ``list<...>`` of these.
        summary: meaning of its values, with their unit.
        scope: axes of a parameter's list, ``task``, ``layer`` or ``task layer``; ``order`` for a permutation.
    """

    name: str
    type: str
    summary: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """One quantity that a study can optimise.

    Attributes:
        column: column of its metric.
        maximise: whether larger values are better.
    """

    column: str
    maximise: bool


OBJECTIVES: dict[str, Objective] = {
    "area": Objective("area_mm2", maximise=False),
    "energy": Objective("energy_uj", maximise=False),
    "latency": Objective("latency_us", maximise=False),
    "accuracy": Objective("score_mean", maximise=True),
}

EQUAL_DIGITS = 12
"""Significant digits of an objective that count when designs are compared."""
FRONT_RULE = (
    "true if no other done trial is at least as good in every objective and better in one; among trials that agree in every "
    f"objective to {EQUAL_DIGITS} significant digits, only the first is on the front"
)
"""Rule of every front of a study, for tables and pages."""
IDENTITY = (
    Column("schema_version", "int64", "version of this table"),
    Column("accounting", "int64", "edition of the accounting that filled this row; absent: 1"),
    Column("trial", "int64", "number of the trial, counted from 0 in the order of the proposals"),
    Column(
        "status",
        "string",
        "done, infeasible, stopped, duplicate or failed; stale if plugins, data or weights have changed since",
    ),
    Column("stage", "string", "last stage that the trial reached: cost, screen or score"),
    Column("reason", "string", "why a trial is infeasible, stopped, duplicate or failed"),
    Column("source", "string", "origin of the design: sampler, profile, enqueued or random"),
    Column("on_front", "bool", FRONT_RULE),
    Column("generator", "string", "plugin"),
    Column("compressor", "string", "plugin"),
    Column("scheduler", "string", "plugin"),
    Column("hardware", "string", "plugin"),
    Column("tasks", "list<string>", "task names in the order of the values of every parameter that is set per task"),
    Column("order", "list<string>", "task names in the order in which the chip serves them"),
    Column("visit_us", "list<float64>", "duration of each of these visits in one turn of all tasks, us"),
    Column("switch_us", "list<float64>", "duration of the switch before each visit, us"),
)
COST_METRICS = (
    Column("area_mm2", "float64", "chip area, mm2"),
    Column("energy_uj", "float64", "energy per request, uJ"),
    Column("latency_us", "float64", "latency per request, us"),
    Column("cycle_us", "float64", "duration of one turn of all tasks: the longest wait for a task's turn, us"),
    *(
        Column(f"{name}_ratio{suffix}", "float64", f"{cost}, relative to {baseline}")
        for suffix, baseline in (
            ("", "separate models in 8 bits on the same hardware"),
            ("_best", "separate models in the fewest bits without a loss, on the same hardware"),
            ("_reference", "separate models in 8 bits on the reference hardware"),
        )
        for name, cost in (
            ("area", "area of the whole chip"),
            ("array_area", "area of the arrays of linear weights"),
            ("energy", "energy"),
            ("latency", "latency"),
        )
    ),
    Column("offchip_mb", "float64", "size of embeddings and reprogramming images, MB"),
    Column("writes", "float64", "cells written per request"),
    Column("lifetime_years", "float64", "years until the most-written cell wears out; empty if nothing is written"),
)
SCORE_METRICS = (
    Column("score_mean", "float64", "mean score over tasks"),
    Column("accuracy_drop", "float64", "percentage points lost against the baseline (100 = 1.0)"),
    Column("accuracy_drop_low", "float64", "lower end of its 95 % interval"),
    Column("accuracy_drop_high", "float64", "upper end of its 95 % interval"),
    Column("accuracy_drop_all", "float64", "percentage points lost, mean over all tasks"),
    Column("accuracy_drop_worst", "float64", "percentage points lost by the task that loses most"),
    Column("accuracy_drop_spread", "float64", "standard deviation of accuracy_drop over draws"),
)
RECORD = (
    Column("violation", "float64", "amount by which limits are exceeded; 0 if the design keeps all limits"),
    Column("flagged_tasks", "list<string>", "tasks whose score is 0 because predictions were constant"),
    Column("evaluated_tasks", "int64", "task scores measured for this trial; the other scores came from the cache"),
    Column("screened_tasks", "int64", "tasks that were scored on some rows for screening"),
    Column("layers_run", "float64", "layers that inputs ran in scoring, mean over tasks with early exits; else empty"),
    Column("draws", "int64", "chips that were drawn; scores are means over them; empty if arrays are ideal"),
    Column("adc_rows", "int64", "rows per task that were scored with real ADCs; empty if conversions are exact"),
    Column("duplicate_of", "int64", "earlier trial of the same design"),
    Column("seed", "int64", "seed of this trial"),
    Column("duration_s", "float64", "time spent on this trial, s"),
    Column("error_type", "string", "exception of a failed trial"),
    Column("error_message", "string", "text of the exception"),
    Column("error_traceback", "string", "traceback of the exception"),
    Column("versions", "string", "versions of dse and of the plugins used, a JSON object"),
)
PER_TASK = (
    Column("score", "float64", "score of the task on the search split"),
    Column("score_spread", "float64", "standard deviation of the score over draws"),
    Column("accuracy_drop_low", "float64", "lower end of the 95 % interval of the points that the task loses"),
    Column("accuracy_drop_high", "float64", "upper end of this interval"),
    Column("baseline", "float64", "score of the task's baseline on the search split"),
    Column("chance", "float64", "score of the best constant answer on the search split"),
)
"""Columns per task: a dot and the task's name follow each name."""
TASK_PREFIXES = tuple(f"{column.name}." for column in PER_TASK)
COST_NAMES = tuple(column.name for column in COST_METRICS)
SCORE_NAMES = tuple(column.name for column in SCORE_METRICS)
METRIC_NAMES = (*COST_NAMES, *SCORE_NAMES)


def parameter_type(parameter: PluginParameter) -> str:
    """Return the type of a parameter's column: the type of its values, in one list per axis of its scope."""
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
    """Return all columns of a study with these parameters, tasks and cost components."""
    parts, names = sorted(set(components)), list(tasks)
    return (
        *IDENTITY,
        *COST_METRICS,
        *SCORE_METRICS,
        *(replace(column, name=f"{column.name}.{task}") for column in PER_TASK for task in names),
        *RECORD,
        *(
            Column(f"param.{item.full_name}", parameter_type(item), item.parameter.summary, _scope(item))
            for item in sorted(parameters, key=lambda item: item.full_name)
        ),
        *(Column(f"area.{name}", "float64", "share of area_mm2") for name in parts),
        *(Column(f"energy.{name}", "float64", "share of energy_uj") for name in parts),
    )


def task_names(columns: Iterable[str]) -> list[str]:
    """Return the tasks that columns ``score.<task>`` name, in the order of the columns."""
    return [name.removeprefix("score.") for name in columns if name.startswith("score.")]


def merge_columns(*tables: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns of several sessions of one study, each once, in the order of their first session."""
    merged: dict[str, Column] = {}
    for columns in tables:
        for column in columns:
            merged.setdefault(column.name, column)
    return tuple(merged.values())
