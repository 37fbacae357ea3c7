"""Every column of a result file: its name, type and meaning. This module has no heavy imports.

New versions add columns; they never rename a column or change its type. The type of a ``param.*`` column follows from
the plugin's declaration and never from a space file, so that files of different studies stay readable together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from dse.records.design import PluginParameter
from dse.records.parameters import Choice, Float, Int, Permutation

SCHEMA_VERSION = 2
Goal: TypeAlias = Literal["min", "max"]


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
class Metric(Column):
    """A column of numbers that says what a design is: a study can optimise or limit it, and an expression can read it.

    Attributes:
        goal: ``min`` if smaller values are better, ``max`` if larger ones are; None: a study must say.
        reference: worst value that counts for the hypervolume; None: a study must say.
        unit: unit of its values; empty for a pure number.
        needs_score: whether the value is known only once the design is scored.
        measured_by: columns in which the hypervolume may measure it instead, the usual one first: absolute costs of two
            workloads lie far apart, ratios to a baseline do not.
    """

    goal: Goal | None = "min"
    reference: float | None = 0.0
    unit: str = ""
    needs_score: bool = False
    measured_by: tuple[str, ...] = ()


def _metric(name: str, summary: str, **facts: Any) -> Metric:
    return Metric(name, "float64", summary, **facts)


def _measures(*names: str) -> tuple[str, ...]:
    """Return the ratios to the reference hardware's baseline, and those of edition 1, which has no others."""
    return tuple(f"{name}_ratio{suffix}" for suffix in ("_reference", "") for name in names)


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
    Column("reason", "string", "reason why a trial is infeasible, stopped, duplicate or failed"),
    Column("source", "string", "origin of the design: sampler, profile, enqueued, random or sweep"),
    Column("on_front", "bool", FRONT_RULE),
    Column("generator", "string", "plugin"),
    Column("compressor", "string", "plugin"),
    Column("scheduler", "string", "plugin"),
    Column("hardware", "string", "plugin"),
    Column("tasks", "list<string>", "task names in the order of the values of every parameter that is set per task"),
    Column(
        "order", "list<string>", "names of the tasks that costs are for, in the order in which the chip serves them"
    ),
    Column("visit_us", "list<float64>", "duration of each of these visits in one turn of all tasks, us"),
    Column("switch_us", "list<float64>", "duration of the switch before each visit, us"),
)
_OWN_BASELINES = (
    ("", "separate models in 8 bits on the same hardware"),
    ("_best", "separate models in the fewest bits without a loss, on the same hardware"),
)
COST_METRICS = (
    _metric("area_mm2", "chip area, mm2", unit="mm2", measured_by=_measures("array_area", "area")),
    _metric("energy_uj", "energy per request, uJ", unit="uJ", measured_by=_measures("energy")),
    _metric("latency_us", "latency per request, us", unit="us", measured_by=_measures("latency")),
    _metric(
        "cycle_us",
        "service time of one turn of all tasks, each with its batch, us",
        unit="us",
        reference=1e6,
    ),
    *(
        _metric(
            f"{name}_ratio{suffix}",
            f"{cost}, relative to {baseline}",
            reference=worst,
            measured_by=() if suffix == "_best" else (f"{name}_ratio_reference",),
        )
        for suffix, baseline in (
            *_OWN_BASELINES,
            ("_reference", "separate models in 8 bits on the reference hardware"),
        )
        for name, cost, worst in (
            ("area", "area of the whole chip", 1.0),
            ("array_area", "area of the arrays of linear weights", 1.0),
            ("energy", "energy", 1.25),
            ("latency", "latency", 1.25),
        )
    ),
    *(
        _metric(f"throughput_ratio{suffix}", f"throughput, relative to {baseline}", goal="max")
        for suffix, baseline in _OWN_BASELINES
    ),
    _metric(
        "area_ratio_iso",
        f"area with the replicas and digital units that reach the throughput of {_OWN_BASELINES[0][1]}, relative to theirs",
        reference=1.0,
    ),
    *(
        _metric(
            f"static_break_even{suffix}",
            f"static share of converters from which, or up to which, energy is below that of {baseline}; empty outside 0 to 1",
            reference=1.0,
        )
        for suffix, baseline in _OWN_BASELINES
    ),
    _metric("throughput_rps", "requests per second that the busiest part lets through", goal="max", unit="1/s"),
    _metric("load", "arrival rate by throughput_rps; infeasible from 1 on", reference=1.0),
    _metric(
        "wait_mean_us", "mean wait for a batch and its turn, us; 0 where nothing is written", unit="us", reference=1e9
    ),
    _metric(
        "wait_bound_us",
        "longest wait for a batch and its turn, us; 0 where nothing is written",
        unit="us",
        reference=1e9,
    ),
    _metric("tops", "tera-operations per second of linear matrices at throughput_rps", goal="max", unit="TOPS"),
    _metric("tops_per_w", "tops by the power at that rate", goal="max", unit="TOPS/W"),
    _metric("tops_per_mm2", "tops by area_mm2", goal="max", unit="TOPS/mm2"),
    _metric("edp", "energy_uj * latency_us", unit="uJ us", reference=1e9),
    _metric("edap", "energy_uj * latency_us * area_mm2", unit="uJ us mm2", reference=1e12),
    _metric("static_w", "mean static power under the hardware's gating, W", unit="W", reference=100.0),
    _metric("arrays", "physical arrays, copies included", unit="arrays", reference=1e5),
    _metric("tiles", "tiles of the chip; empty where the hardware model has no tiles", unit="tiles", reference=1e4),
    _metric("utilisation", "share of the cells of these arrays that hold a bit slice of a code", goal="max"),
    _metric("offchip_mb", "size of embeddings and reprogramming images, MB", unit="MB", reference=1000.0),
    _metric("writes", "cells written per request", unit="cells", reference=1e9),
    _metric(
        "lifetime_years",
        "years until the most-written cell wears out; empty if nothing is written",
        goal="max",
        unit="years",
    ),
)
BASELINE_COLUMNS = (
    Column("trial", "int64", "number of the trial whose hardware the baseline has"),
    Column("baseline", "string", "paper, best, digital, digital-best or time-shared"),
    Column("accounting", "int64", "edition of the accounting that filled this row"),
    Column("array_area_mm2", "float64", "area of the arrays of linear weights, mm2"),
    *(column for column in COST_METRICS if "_ratio" not in column.name and "break_even" not in column.name),
)
"""Columns of ``baselines.parquet``: what designs are compared with, in absolute numbers."""
_OF_SCORE: dict[str, Any] = {"goal": "max", "needs_score": True}
_OF_DROP: dict[str, Any] = {"reference": 5.0, "unit": "points", "needs_score": True}
SCORE_METRICS = (
    _metric("score_mean", "mean score over tasks", **_OF_SCORE, measured_by=("accuracy_drop", "accuracy_drop_all")),
    _metric("accuracy_drop", "percentage points lost against the baseline (100 = 1.0)", **_OF_DROP),
    _metric("accuracy_drop_low", "lower end of its 95 % interval", **_OF_DROP),
    _metric("accuracy_drop_high", "upper end of its 95 % interval", **_OF_DROP),
    _metric("accuracy_drop_rated", "percentage points lost, weighted by the rates of the tasks", **_OF_DROP),
    _metric("accuracy_drop_all", "percentage points lost, mean over all tasks", **_OF_DROP),
    _metric("accuracy_drop_worst", "percentage points lost by the task that loses most", **_OF_DROP),
    _metric("accuracy_drop_spread", "standard deviation of accuracy_drop over draws", **_OF_DROP),
)
RECORD = (
    Column("violation", "float64", "amount by which limits are exceeded; 0 if the design keeps all limits"),
    Column("flagged_tasks", "list<string>", "tasks whose score is 0 because predictions were constant"),
    Column("evaluated_tasks", "int64", "task scores measured for this trial; the other scores came from the cache"),
    Column("screened_tasks", "int64", "tasks that were scored on some rows for screening"),
    _metric(
        "layers_run",
        "layers that inputs ran in scoring, mean over tasks with early exits; else empty",
        reference=24.0,
        needs_score=True,
    ),
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
    _metric("score", "score of the task on the search split", **_OF_SCORE),
    _metric("score_spread", "standard deviation of the score over draws", reference=0.05, needs_score=True),
    _metric("accuracy_drop_low", "lower end of the 95 % interval of the points that the task loses", **_OF_DROP),
    _metric("accuracy_drop_high", "upper end of this interval", **_OF_DROP),
    _metric("baseline", "score of the task's baseline on the search split", **_OF_SCORE),
    _metric("chance", "score of the best constant answer on the search split", **_OF_SCORE),
)
"""Columns per task: a dot and the task's name follow each name."""
TASK_PREFIXES = tuple(f"{column.name}." for column in PER_TASK)
COST_NAMES = tuple(column.name for column in COST_METRICS)
SCORE_NAMES = tuple(column.name for column in SCORE_METRICS)
METRIC_NAMES = (*COST_NAMES, *SCORE_NAMES)
COLUMN_NAMES = tuple(column.name for column in (*IDENTITY, *COST_METRICS, *SCORE_METRICS, *RECORD))
PER_COMPONENT = (
    _metric("area", "share of area_mm2", unit="mm2", reference=800.0),
    _metric("energy", "share of energy_uj", unit="uJ", reference=1e6),
)
"""Columns per component: a dot and the component's name follow each name."""
PARAMETER = _metric("param", "value of a parameter", goal=None, reference=None)
METRICS = {column.name: column for column in (*COST_METRICS, *SCORE_METRICS, *RECORD) if isinstance(column, Metric)}
"""Columns of numbers that a study can optimise, limit or put into an expression, beside those of `OPEN_METRICS`."""
OPEN_METRICS = {f"{column.name}.": column for column in (*PER_TASK, *PER_COMPONENT, PARAMETER)}
"""Columns whose names depend on tasks, hardware and plugins, by their prefix."""


def find_metric(name: str) -> Metric | None:
    """Return the metric of this name; None if there is none. Tasks, components and parameters are not checked."""
    prefix, dot, rest = name.partition(".")
    of_many = OPEN_METRICS.get(prefix + dot) if rest else None
    return METRICS.get(name) if of_many is None else replace(of_many, name=name)


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
    parameters: Iterable[PluginParameter],
    tasks: Iterable[str],
    components: Iterable[str],
    expressions: Iterable[Column] = (),
) -> tuple[Column, ...]:
    """Return all columns of a study with these parameters, tasks, cost components and objectives by expression."""
    parts, names = sorted(set(components)), list(tasks)
    return (
        *IDENTITY,
        *COST_METRICS,
        *SCORE_METRICS,
        *expressions,
        *(replace(column, name=f"{column.name}.{task}") for column in PER_TASK for task in names),
        *RECORD,
        *(
            Column(f"param.{item.full_name}", parameter_type(item), item.parameter.summary, _scope(item))
            for item in sorted(parameters, key=lambda item: item.full_name)
        ),
        *(replace(column, name=f"{column.name}.{part}") for column in PER_COMPONENT for part in parts),
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
