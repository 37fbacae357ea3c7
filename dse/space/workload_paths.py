"""Paths in the `[workload]` table of a space file, before it is validated."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dse.files import has_table
from dse.space.data import FILES
from dse.space.workload import catalogue, expand_home


def with_paths(raw: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return a ``[workload]`` table with every text changed that may name a file or folder.

    Args:
        raw: the table, as a space file holds it.
        change: function that gives the new text for one that may be a path; names of packaged models stay.
    """
    table = dict(raw)
    base = table.get("base")
    if isinstance(base, str) and base not in catalogue()["base"]:
        table["base"] = change(base)
    elif isinstance(base, dict) and isinstance(base.get("source"), str):
        table["base"] = base | {"source": change(base["source"])}
    if isinstance(table.get("tasks"), list):
        table["tasks"] = [_task_with_paths(task, change) if isinstance(task, dict) else task for task in table["tasks"]]
    return table


def with_data_folder(raw: dict[str, Any], beside: Path, folder: Path) -> dict[str, Any]:
    """Return a ``[workload]`` table that names the files of a data folder which do not lie beside the space file.

    Args:
        raw: the table, as a space file holds it.
        beside: folder of the space file.
        folder: the user's data folder.
    """

    def locate(name: str) -> str:
        path = expand_home(name, beside)
        return str(folder / path) if not has_table(beside / path) and has_table(folder / path) else name

    tasks = raw.get("tasks")
    return raw | {"tasks": [_task_with_data(task, locate) for task in tasks]} if isinstance(tasks, list) else raw


def _task_with_paths(task: dict[str, Any], change: Callable[[str], str]) -> Any:
    changed = dict(task)
    if isinstance(task.get("checkpoint"), str):
        changed["checkpoint"] = change(task["checkpoint"])
    return _task_with_data(changed, change)


def _task_with_data(task: Any, change: Callable[[str], str]) -> Any:
    """Return a task with the paths of its data changed; anything but a table with data stays."""
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        return task
    return task | {"data": _data_with_paths(task["data"], change)}


def _data_with_paths(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    changed = dict(data)
    if not data.get("hub"):
        changed |= {key: change(data[key]) for key in FILES if isinstance(data.get(key), str)}
    if isinstance(data.get("otherwise"), dict):
        changed["otherwise"] = _data_with_paths(data["otherwise"], change)
    return changed
