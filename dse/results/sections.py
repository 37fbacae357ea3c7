"""Tables of one trial for a reader: shares sorted by size, and scores and parameters by task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.results.baseline import baseline_scores
from dse.results.columns import TASK_PREFIXES
from dse.results.files import TRIALS
from dse.results.points import PREFIX, tasks_of
from dse.results.read import read_table, table_file, to_frame, trial_of

Row = Mapping[str, Any]
_TIMES = ("switch_us", "visit_us")


@dataclass(frozen=True, slots=True)
class Section:
    """One table about a trial.

    Attributes:
        title: heading of the table.
        columns: names of its columns, in order.
        rows: values by column.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def sections(path: Path | str, trial: int) -> list[Section]:
    """Return all results of one trial in sections, each value once; empty sections are left out.

    Raises:
        StudyError: the study or the trial does not exist, or the table is damaged.
    """
    file = table_file(path, TRIALS)
    table, _ = read_table(file)
    record = trial_of(table, trial, file)
    tasks = tasks_of(record)
    per_task = [name for name in record if _is_per_task(name, record[name], table.schema, len(tasks))]
    apart = ("area.", "energy.", *TASK_PREFIXES)
    elsewhere = {*per_task, "order", *_TIMES}
    plain = [name for name in record if name not in elsewhere and not name.startswith(apart)]
    made = [
        Section("record", ("column", "value"), tuple({"column": name, "value": record[name]} for name in plain)),
        _shares("area by component", "area", "mm2", record),
        _shares("energy by component", "energy", "uj", record),
        _scores(record, tasks, baseline_scores(to_frame(table, file))),
        _parameters(record, tasks, per_task),
        _order(record),
    ]
    return [section for section in made if section.rows]


def _shares(title: str, cost: str, unit: str, record: Row) -> Section:
    """Make the section of the components with a share, the largest first."""
    parts = {name.removeprefix(f"{cost}."): value for name, value in record.items() if name.startswith(f"{cost}.")}
    total = sum(parts.values())
    amount = f"{cost}_{unit}"
    rows = [
        {"component": name, amount: value, "percent": 100 * value / total}
        for name, value in sorted(parts.items(), key=lambda item: -item[1])
        if value
    ]
    return Section(title, ("component", amount, "percent"), tuple(rows))


def _scores(record: Row, tasks: Sequence[str], baseline: Mapping[str, float]) -> Section:
    rows = []
    for task in tasks:
        if (score := record.get(f"score.{task}")) is None:
            continue
        row: dict[str, Any] = {"task": task, "score": score, "spread": record.get(f"score_spread.{task}")}
        if task in baseline:
            row |= {"baseline": baseline[task], "chance": record.get(f"chance.{task}")}
            row["drop_points"] = 100 * (baseline[task] - score)
            row |= {f"drop_{end}": record.get(f"accuracy_drop_{end}.{task}") for end in ("low", "high")}
        rows.append({name: value for name, value in row.items() if value is not None})
    return Section("scores by task", tuple(dict.fromkeys(name for row in rows for name in row)), tuple(rows))


def _order(record: Row) -> Section:
    order = record.get("order", ())
    times = [name for name in _TIMES if len(record.get(name, ())) == len(order)]
    rows = [
        {"place": place, "task": task} | {name: record[name][place - 1] for name in times}
        for place, task in enumerate(order, start=1)
    ]
    return Section("order of the tasks", ("place", "task", *times), tuple(rows))


def _parameters(record: Row, tasks: Sequence[str], names: Sequence[str]) -> Section:
    short = {name: name.removeprefix(PREFIX) for name in names}
    rows = [{"task": task} | {short[name]: record[name][index] for name in names} for index, task in enumerate(tasks)]
    return Section("parameters by task", ("task", *short.values()), tuple(rows) if names else ())


def _is_per_task(name: str, value: Any, schema: Any, tasks: int) -> bool:
    """Return whether a parameter has one value, or one list over layers, per task."""
    if not name.startswith(PREFIX) or not isinstance(value, list) or len(value) != tasks:
        return False
    scope = (schema.field(name).metadata or {}).get(b"scope")
    if scope is not None:
        return bool(scope.startswith(b"task"))
    # Older tables hold no scopes: a scheduler's list that names every place once is an order.
    return not (name.startswith(f"{PREFIX}scheduler.") and sorted(value) == list(range(tasks)))
