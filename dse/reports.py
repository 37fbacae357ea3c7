"""What is found out about plugins and space files, as plain records to print or to use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from dse.records.data_facts import DataFacts
from dse.records.plugin import KINDS, Kind
from dse.registry import Registry

if TYPE_CHECKING:
    from dse.records.scored import CostResult
    from dse.space.domain import Domain
    from dse.space.searchspace import SearchedParameter, SearchSpace


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One line of the plugin list.

    Attributes:
        kind: generator, compressor, scheduler or hardware; empty where the plugin did not load.
        name: what a space file calls it; the entry point's or file's name where it did not load.
        version: its own.
        distribution: package and version, or the file.
        status: ok, broken or disabled.
        summary: its own line.
        reason: why it is broken.
    """

    kind: str
    name: str
    version: str
    distribution: str
    status: Literal["ok", "broken", "disabled"]
    summary: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Values by attribute."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One parameter of a resolved space.

    Attributes:
        name: ``kind.plugin.parameter``.
        values: what it may be, as text.
        choices: how many values a search chooses: one for each task, layer or place in an order; 0 where it is fixed.
        unit: of the values.
        summary: the plugin's own line.
    """

    name: str
    values: str
    choices: int
    unit: str
    summary: str


@dataclass(frozen=True, slots=True)
class SpaceReport:
    """What a space file comes to.

    Attributes:
        name: of the study.
        size: number of different designs; infinite where a real number is searched without steps.
        tasks: their names.
        layers: encoder layers.
        plugins: names of each kind.
        parameters: every one, searched or fixed.
        trials: budget.
        objectives: what is optimised.
        cost: metrics of the design with every parameter at its default, before anything is fine-tuned.
        violations: limits that design breaks.
        data: what became of every task's rows.
    """

    name: str
    size: float
    tasks: tuple[str, ...]
    layers: int
    plugins: Mapping[Kind, tuple[str, ...]]
    parameters: tuple[ParameterInfo, ...]
    trials: int
    objectives: tuple[str, ...]
    cost: Mapping[str, float | None]
    violations: tuple[str, ...] = ()
    data: tuple[DataFacts, ...] = ()


def plugin_infos(registry: Registry) -> list[PluginInfo]:
    """Every plugin a registry found: those that work, then those that do not load, then those switched off."""
    found = [
        PluginInfo(kind, name, record.version, registry.provider(kind, name).distribution, "ok", record.summary)
        for kind in KINDS
        for name, record in registry.records(kind).items()
    ]
    found += [
        PluginInfo("", provider.name, "", provider.distribution, "broken", reason=provider.reason)
        for provider in registry.broken
    ]
    found += [PluginInfo("", name, "", "", "disabled") for name in registry.disabled]
    return found


def space_report(found: SearchSpace, cost: CostResult, data: tuple[DataFacts, ...] = ()) -> SpaceReport:
    """Describe a resolved space.

    Args:
        found: the space.
        cost: of its `default_point`.
        data: what became of every task's rows.
    """
    return SpaceReport(
        name=found.file.name,
        size=found.size,
        tasks=found.tasks,
        layers=found.layers,
        plugins=found.plugins,
        parameters=tuple(_described(item) for item in found.parameters),
        trials=found.file.search.trials,
        objectives=tuple(found.file.search.objectives),
        cost=cost.metrics,
        violations=cost.violations,
        data=data,
    )


def _described(item: SearchedParameter) -> ParameterInfo:
    declared = item.declared.parameter
    texts = list(dict.fromkeys(values_text(element.domain) for element in item.elements))
    searched = sum(not element.is_fixed for element in item.elements)
    if item.is_order:
        text = "an order of the tasks" if searched else "one order of the tasks"
    else:
        text = texts[0] if len(texts) == 1 else "; ".join(texts)
    return ParameterInfo(item.declared.full_name, text, searched, declared.unit, declared.summary)


def values_text(domain: Domain) -> str:
    """What a parameter, or one element of it, may be."""
    from dse.records.parameters import Choice
    from dse.space.domain import at, size

    count = size(domain)
    if count == 1:
        return f"{at(domain, 0)}"
    if isinstance(domain, Choice):
        return ", ".join(str(choice) for choice in domain.choices)
    steps = "" if math.isinf(count) or domain.step in (None, 1) else f" in steps of {domain.step}"
    return f"{domain.low} to {domain.high}{steps}{', logarithmic' if domain.log else ''}"
