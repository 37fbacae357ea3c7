"""The resolved search space: every parameter of every named plugin, element by element."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dse.files import hash_parts
from dse.opened import without_folders
from dse.records.design import DesignPoint, PluginParameter, Value
from dse.records.parameters import Choice, Permutation, Scalar, lehmer_decode, lehmer_encode
from dse.records.plugin import KINDS, Kind
from dse.space.domain import Domain, size, snap_value
from dse.space.file import SpaceFile
from dse.space.workload_paths import with_paths

_OF_EVERY_DIGEST = ("sampler", "sampler_options", "seed", "objectives", "reference_point", "constraints")
"""Keys of ``[search]`` that were always part of the digest. A later key is part of it only where it is not the default."""


@dataclass(frozen=True, slots=True)
class Element:
    """One scalar that a trial chooses.

    Attributes:
        name: ``kind.plugin.parameter``, then ``[task]``, ``[layer]``, ``[task,layer]`` or, in an order, ``#digit``.
        domain: values that the element may take.
    """

    name: str
    domain: Domain

    @property
    def is_fixed(self) -> bool:
        """Whether the element has a single value, so that there is nothing to choose."""
        return size(self.domain) == 1


@dataclass(frozen=True, slots=True)
class SearchedParameter:
    """A declared parameter and the elements it consists of.

    Attributes:
        declared: the parameter with its plugin.
        elements: elements in the order of the value, tasks before layers; digits of a Lehmer code for an order.
        shape: lengths of the value's axes.
    """

    declared: PluginParameter
    elements: tuple[Element, ...]
    shape: tuple[int, ...]

    @property
    def is_order(self) -> bool:
        """Whether the value is an order of the tasks."""
        return isinstance(self.declared.parameter, Permutation)

    def value(self, chosen: list[Scalar]) -> Value:
        """Build the parameter's value from its elements' values."""
        if self.is_order:
            return lehmer_decode([int(digit) for digit in chosen])
        if not self.shape:
            return chosen[0]
        if len(self.shape) == 1:
            return tuple(chosen)
        width = self.shape[1]
        return tuple(tuple(chosen[start : start + width]) for start in range(0, len(chosen), width))

    def scalars(self, value: Value) -> list[Scalar]:
        """Return the values of elements that make up a value; the inverse of `value`."""
        if self.is_order:
            assert isinstance(value, tuple)
            return list(lehmer_encode([int(item) for item in value]))  # type: ignore[arg-type]
        if not self.shape:
            return [value]  # type: ignore[list-item]
        assert isinstance(value, tuple)
        if len(self.shape) == 1:
            return list(value)  # type: ignore[arg-type]
        return [item for line in value for item in line]  # type: ignore[union-attr]


@dataclass(frozen=True)
class SearchSpace:
    """Parameters that a study may choose, with the space file they come from.

    Attributes:
        file: the validated space file.
        parameters: every parameter of every named plugin.
        tasks: task names.
        layers: number of encoder layers.
    """

    file: SpaceFile
    parameters: tuple[SearchedParameter, ...]
    tasks: tuple[str, ...]
    layers: int

    @cached_property
    def plugins(self) -> Mapping[Kind, tuple[str, ...]]:
        """Names of the plugins of each kind."""
        return {kind: tuple(self.file.kind(kind).plugins) for kind in KINDS}

    @cached_property
    def by_plugin(self) -> Mapping[tuple[Kind, str], tuple[SearchedParameter, ...]]:
        """Parameters of each plugin, in declared order."""
        by_plugin: dict[tuple[Kind, str], tuple[SearchedParameter, ...]] = {
            (kind, name): () for kind, names in self.plugins.items() for name in names
        }
        for item in self.parameters:
            by_plugin[item.declared.kind, item.declared.plugin] += (item,)
        return by_plugin

    @cached_property
    def size(self) -> float:
        """Number of different designs; infinite where a real number is searched without steps."""
        return math.prod(sum(self.plugin_size(kind, name) for name in self.plugins[kind]) for kind in KINDS)

    def plugin_size(self, kind: Kind, name: str) -> float:
        """Return the number of different assignments of one plugin's parameters."""
        return math.prod(size(element.domain) for item in self.by_plugin[kind, name] for element in item.elements)

    @cached_property
    def digest(self) -> str:
        """Hash of all that decides which designs are searched and how; without budget and limits, since these may change."""
        table = self.file.search.model_dump(exclude={"trials", "max_failed_share", "time_limit_s", "memory_gb"})
        # Before objectives had references, this point was the default of all studies.
        if table["reference_point"] is None:
            table["reference_point"] = {"array_area_ratio": 1.0, "energy_ratio": 1.25, "accuracy_drop": 5.0}
        usual = {name: field.default for name, field in type(self.file.search).model_fields.items()}
        search = {name: value for name, value in table.items() if name in _OF_EVERY_DIGEST or value != usual[name]}
        content = {
            "schema": self.file.schema_,
            "workload": with_paths(self.file.workload, lambda name: Path(name).name),  # content is hashed elsewhere
            "search": search,
            "plugins": [[kind, name, without_folders(options)] for kind, name, options in self.file.plugins],
            "reference_hardware": without_folders(self.file.reference_hardware.model_dump()),
            "tasks": self.tasks,
            "layers": self.layers,
            "elements": [
                [item.declared.full_name, [[element.name, describe(element.domain)] for element in item.elements]]
                for item in self.parameters
            ],
        }
        text = json.dumps(content, sort_keys=True, default=str)
        return hash_parts([text.encode()]).hex()


def describe(domain: Domain) -> dict[str, Any]:
    """Return a domain's values or bounds as plain data."""
    if isinstance(domain, Choice):
        return {"choices": list(domain.choices)}
    return {"low": domain.low, "high": domain.high, "step": domain.step, "log": domain.log}


def snap(item: SearchedParameter, chosen: list[Any]) -> Value:
    """Build a parameter's value from a sampler's suggestions for its elements."""
    pairs = zip(item.elements, chosen, strict=True)
    return item.value([snap_value(element.domain, value) for element, value in pairs])


def default_point(space: SearchSpace, **chosen: str) -> DesignPoint:
    """Return the design of each kind's first plugin, or of one chosen by kind, with every parameter at its default."""
    first = {kind: chosen.get(kind, names[0]) for kind, names in space.plugins.items()}
    values = {
        item.declared.full_name: item.value([element.domain.default for element in item.elements])
        for kind, name in first.items()
        for item in space.by_plugin[kind, name]
    }
    return DesignPoint(**first, values=values)
