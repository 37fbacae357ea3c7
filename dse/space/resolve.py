"""Build the search space from a space file and the plugins' declared parameters."""

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from dse.errors import DseError, SpaceError, collect, raise_errors, unknown_name
from dse.records.design import PluginParameter
from dse.records.parameters import Float, Int, Permutation, Scope, lehmer_encode
from dse.records.plugin import KINDS
from dse.results.columns import PARAMETER, TASK_PREFIXES, parameter_type
from dse.space.domain import Domain, fix, from_table, size
from dse.space.file import SpaceFile
from dse.space.input_bits import place_input_bits
from dse.space.searchspace import Element, SearchedParameter, SearchSpace

_MISSING = object()


def resolve(
    space: SpaceFile, parameters: tuple[PluginParameter, ...], tasks: tuple[str, ...], layers: int
) -> SearchSpace:
    """Apply a space file to the parameters that its plugins declare.

    Args:
        space: the validated file.
        parameters: parameters that the plugins named in the file declare.
        tasks: task names, in order.
        layers: number of encoder layers.

    Raises:
        SpaceError: a value has the wrong type, the plugin does not allow it, or no value is left to choose.
        UnknownNameError: a parameter, task, layer or metric does not exist.
    """
    searched: list[SearchedParameter] = []
    problems = list(_check_columns(space, parameters, tasks))
    tables, places = place_input_bits(space, parameters, problems)
    for kind in KINDS:
        for plugin in space.kind(kind).plugins:
            mine = [item for item in parameters if (item.kind, item.plugin) == (kind, plugin)]
            names = [item.parameter.name for item in mine]
            given = tables[kind, plugin]
            for name in (name for name in given if name not in names):
                where = space.where(kind, plugin, "parameters", name)
                problems.append(unknown_name(f"parameter of {kind} {plugin!r}", name, names, where=where))
            for item in mine:
                with collect(problems):
                    searched.append(_Resolver(space, item, tasks, layers, places.get(item.full_name)).resolve(given))
    raise_errors(list({str(problem): problem for problem in problems}.values()))
    return SearchSpace(space, tuple(searched), tuple(tasks), layers)


class _Resolver:
    """Resolves one parameter."""

    def __init__(
        self, space: SpaceFile, item: PluginParameter, tasks: tuple[str, ...], layers: int, where: str | None
    ) -> None:
        self.item = item
        self.declared = item.parameter
        self.tasks = tasks
        self.names: dict[Scope, tuple[str, ...]] = {"task": tasks, "layer": tuple(map(str, range(layers)))}
        self.where = where or space.where(item.kind, item.plugin, "parameters", item.parameter.name)
        self.searches_unnamed = space.searches_unnamed(item.kind)

    def resolve(self, given: Mapping[str, Any]) -> SearchedParameter:
        raw = given.get(self.declared.name, _MISSING)
        if isinstance(self.declared, Permutation):
            return self._order(self.declared, raw)
        base, by_task, by_layer = self._split(raw)
        scope = self.declared.scope
        axes = [self.names[axis] for axis in scope]
        elements = []
        for keys in product(*axes):
            where, raw = self._find_entry(base, by_task, by_layer, dict(zip(scope, keys, strict=True)))
            suffix = f"[{','.join(keys)}]" if keys else ""
            elements.append(Element(self.item.full_name + suffix, self._read(self.declared, raw, where)))
        return SearchedParameter(self.item, tuple(elements), tuple(len(axis) for axis in axes))

    def _split(self, raw: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Separate the values for all elements from those for one task and those for one layer."""
        if not isinstance(raw, dict):
            return raw, {}, {}
        base = {key: value for key, value in raw.items() if key not in ("tasks", "layers")}
        by_task, by_layer = self._axis(raw, "task", self.where), self._axis(raw, "layer", self.where)
        # Elements that a file does not name stay unnamed when it names single elements alone.
        return base if base or not (by_task or by_layer) else _MISSING, by_task, by_layer

    def _axis(self, raw: Mapping[str, Any], axis: Scope, where: str) -> dict[str, Any]:
        """Return the values for one task, or for one layer, by its name."""
        if f"{axis}s" not in raw:
            return {}
        where = f"{where}.{axis}s"
        if axis not in self.declared.scope:
            raise SpaceError(f"parameter {self.declared.name!r} is not set per {axis}", where=where)
        table = raw[f"{axis}s"]
        if not isinstance(table, dict):
            raise SpaceError("this value is not usable", where=where, expected=f"a table by {axis}", found=repr(table))
        for name in table:
            if name not in self.names[axis]:
                raise unknown_name(axis, name, self.names[axis], where=f"{where}.{name}")
        return table

    def _find_entry(
        self, base: Any, by_task: dict[str, Any], by_layer: dict[str, Any], position: dict[Scope, str]
    ) -> tuple[str, Any]:
        """Return the place and value of an element's most specific entry: task and layer, then task, then layer, then all."""
        where, raw = self.where, base
        layer = position.get("layer", "")
        if layer in by_layer:
            where, raw = f"{self.where}.layers.{layer}", by_layer[layer]
        task = position.get("task", "")
        if task in by_task:
            entry = by_task[task]
            inner: dict[str, Any] = {}
            task_where = f"{self.where}.tasks.{task}"
            if isinstance(entry, dict) and "layers" in entry:
                inner = self._axis(entry, "layer", task_where)
                entry = {key: value for key, value in entry.items() if key != "layers"} or _MISSING
            if layer in inner:
                where, raw = f"{task_where}.layers.{layer}", inner[layer]
            elif entry is not _MISSING:
                where, raw = task_where, entry
        return where, raw

    def _read(self, declared: Domain, raw: Any, where: str) -> Domain:
        """Return the domain that an entry gives; without an entry, the declared range or the default."""
        if raw is _MISSING:
            raw = {} if self.searches_unnamed else declared.default
        domain = from_table(declared, raw, where) if isinstance(raw, dict) else fix(declared, raw, where)
        if isinstance(domain, Int) and max(-domain.low, domain.high) >= 2**63:
            found = f"{domain.low} to {domain.high}"
            raise SpaceError("no table can hold these numbers", where=where, expected="64-bit numbers", found=found)
        if isinstance(domain, Float) and 2**53 < size(domain) < math.inf:
            raise SpaceError("the step is too small", where=where, expected="at most 2^53 steps", found=domain.step)
        return domain

    def _order(self, declared: Permutation, raw: Any) -> SearchedParameter:
        count = len(self.tasks)
        code: tuple[int, ...] | None = None
        if raw is _MISSING and not self.searches_unnamed:
            code = (0,) * (count - 1)
        elif raw is not _MISSING and raw != {}:
            code = lehmer_encode(self._indices(declared, raw))
        elements = []
        for index in range(count - 1):
            low, high = (0, count - 1 - index) if code is None else (code[index], code[index])
            domain = Int(name=declared.name, low=low, high=high, default=low, scores=declared.scores)
            elements.append(Element(f"{self.item.full_name}#{index}", domain))
        return SearchedParameter(self.item, tuple(elements), (count,))

    def _indices(self, declared: Permutation, raw: Any) -> tuple[int, ...]:
        """Return the indices of an order that is given as task names or as indices."""
        if isinstance(raw, list):
            raw = [self.tasks.index(item) if item in self.tasks else item for item in raw]
        try:
            return declared.check(raw, len(self.tasks))
        except (SpaceError, TypeError) as error:
            expected = f"a list with each of these once: {', '.join(self.tasks)}"
            raise SpaceError(
                "this is not an order of the tasks", where=self.where, expected=expected, found=repr(raw)
            ) from error


def _check_columns(
    space: SpaceFile, parameters: tuple[PluginParameter, ...], tasks: tuple[str, ...]
) -> Iterator[DseError]:
    """Yield the error of each column of a task or a parameter that the study does not have, or that holds no number."""
    types = {f"{PARAMETER.name}.{item.full_name}": parameter_type(item) for item in parameters}
    for name, where in space.columns_read:
        kind, _, task = name.partition(".")
        if name.startswith(TASK_PREFIXES) and task not in tasks:
            yield unknown_name("metric", name, [f"{kind}.{task}" for task in tasks], where=where)
        if kind == PARAMETER.name:
            if name not in types:
                yield unknown_name("column", name, types, where=where)
            elif types[name] not in ("float64", "int64"):
                yield SpaceError(f"column {name!r} holds {types[name]}", where=where, expected="a column of numbers")
