"""Optuna's distributions of a study's parameters, read from the resolved space file without loading plugins."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from dse.errors import StudyError
from dse.records.plugin import KINDS

_ELEMENT = re.compile(r"([^.]+)\.([^.]+)\.([^\[#]+)(?:\[(.+)\]|#(\d+))?")
"""``kind.plugin.parameter``, then ``[task]``, ``[layer]``, ``[task,layer]`` or, in an order, ``#digit``."""


class Domains:
    """Distributions of the parameters of a study.

    Args:
        path: path of the resolved space file.

    Raises:
        StudyError: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._tables = tomllib.loads(path.read_text(encoding="utf-8"))
            tasks = self._tables["workload"]["tasks"]
            self._tasks = [task if isinstance(task, str) else str(task["name"]) for task in tasks]
            self._plugins: dict[str, list[str]] = {
                kind: [str(name) for name in self._tables[kind]["plugins"]] for kind in KINDS
            }
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise StudyError(
                "the study's space file cannot be read",
                where=path,
                expected="the resolved space file that a run writes",
                found=f"{type(error).__name__}: {error}",
                fix="continue the study, which writes the file again",
            ) from error

    def of(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return values and distributions of those flat parameters of a trial that apply to its design.

        Args:
            params: parameters that a sampler chose, including parameters of plugins that were not chosen.

        Raises:
            ValueError: a parameter lies outside the space.
        """
        chosen = {kind: params.get(kind, names[0]) for kind, names in self._plugins.items()}
        values: dict[str, Any] = {}
        domains: dict[str, Any] = {}
        for name, value in params.items():
            if name in self._plugins:
                values[name], domains[name] = value, CategoricalDistribution(self._plugins[name])
                continue
            match = _ELEMENT.fullmatch(name)
            if match is None or match[1] not in KINDS:
                raise ValueError(f"{name!r} is not a parameter")
            if chosen[match[1]] == match[2]:
                values[name], domains[name] = value, self._distribution(match)
        return values, domains

    def _distribution(self, element: re.Match[str]) -> Any:
        kind, plugin, parameter, place, digit = element.groups()
        if digit is not None:  # digit d of a Lehmer code chooses among the remaining tasks
            return IntDistribution(0, len(self._tasks) - 1 - int(digit))
        try:
            entry = _entry(self._tables[kind][plugin]["parameters"][parameter], place)
            if "choices" in entry:
                return CategoricalDistribution(entry["choices"])
            low, high, log = entry["low"], entry["high"], bool(entry["log"])
        except (LookupError, TypeError) as error:
            raise ValueError(f"the space has no {element[0]!r}") from error
        if isinstance(low, int) and isinstance(high, int):
            return IntDistribution(low, high, log=log, step=entry.get("step", 1))
        return FloatDistribution(low, high, log=log, step=entry.get("step"))


def _entry(table: Any, place: str) -> Any:
    """Return the space file's entry for one element; entries exist per parameter, task, layer, or layer of a task."""
    if "tasks" in table:
        if place in table["tasks"]:
            return table["tasks"][place]
        task, _, layer = place.rpartition(",")
        return table["tasks"][task]["layers"][layer]
    return table["layers"][place] if "layers" in table else table
