"""Charges of a hardware model where one quantity rises and nothing else changes."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from dse.cost.baseline import separate_models
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.records.charges import Components
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.parameters import Parameter
from dse.records.params import Params
from dse.records.plan import DROPPED
from dse.records.workload import Workload
from dse.testing import _values as values
from dse.testing.footprints import adapters
from dse.testing.workloads import charge_shapes, part_shapes

QUANTITIES: dict[str, tuple[str, ...]] = {
    "arrays": ("area_mm2", "array_area_mm2", "energy_uj"),
    **dict.fromkeys(("conversions", "drives", "inputs", "partials", "outputs", "fed"), ("energy_uj",)),
    **dict.fromkeys(("macs", "scalings", "shifts", "heads", "ffn"), ("energy_uj",)),
    **dict.fromkeys(("digital_bits", "head_bits", "vector_parameters"), ("area_mm2",)),
    **dict.fromkeys(("head_macs", "head_sums"), ("request_energy_uj",)),
    "extra_stages": ("latency_us",),
    "tokens": ("energy_uj", "latency_us", "input_energy_uj"),
    "tokens_squared": ("energy_uj", "latency_us"),
    "input_bits": ("energy_uj", "latency_us"),
    "embedding_parameters": ("offchip_mb",),
    "on_base": ("energy_uj",),
}
"""Charges that must rise with each quantity: with fields of `dse.Counts`; with what a workload has; with kept heads and FFN columns; and
with the base's arrays under a delta."""
WORDS = {
    "heads": "kept attention heads", "ffn": "kept FFN columns", "vector_parameters": "biases and norms in SRAM",
    "tokens_squared": "pairs of tokens, which attention multiplies", "input_bits": "bits of an input",
    "embedding_parameters": "embeddings", "on_base": "the base's arrays, which run under a delta",
}  # fmt: skip
"""What a quantity is, where its name does not say it."""
MORE = 1e6
"""Factor of a count that rises: whole tiles and other steps hide less."""
_COUNTS = {item.name for item in fields(Counts)}


@dataclass(frozen=True)
class Case:
    """One design that a hardware model charges: deltas of two tasks on the base, with adapters beside them."""

    plugin: Any
    workload: Workload
    demand: Demand
    footprint: Footprint
    counts: Counts
    params: Params

    @classmethod
    def make(cls, plugin: Any, workload: Workload, footprint: Any, params: Params) -> Self:
        """Count a footprint, made from the demand of separate models."""
        wanted = demand(workload, separate_models(workload, 1), generator="test")
        made = footprint(wanted)
        counts = count(workload, wanted, made, plugin.geometry(params))
        return cls(plugin, workload, wanted, made, counts, params)

    def charge(self) -> Components:
        """Return the model's charges."""
        made: Components = self.plugin.components(self.workload, self.demand, self.counts, self.footprint, self.params)
        return made


def vary(case: Case, name: str) -> tuple[Components, Components]:
    """Return the charges with less and with more of a quantity, for the first task and its owner; no other count changes."""
    workload, wanted, change = case.workload, case.demand, dict[str, Any]()
    less = more = case
    if name in _COUNTS:
        values = np.array(getattr(case.counts, name), dtype=float)
        at = 0 if name in ("head_macs", "head_sums") else wanted.task_owner(0)
        values[:, at] = values[:, at] * MORE + MORE
        change[name] = values
        more = replace(case, counts=replace(case.counts, **change))
    elif name in ("tokens", "tokens_squared"):
        change[name] = 2 * getattr(workload.tasks[0], name)
        longer = replace(workload.tasks[0], **change)
        more = replace(case, workload=replace(workload, tasks=(longer, *workload.tasks[1:])))
    elif name in ("heads", "ffn"):
        size = getattr(workload.encoder, name)
        change[name] = np.broadcast_to(np.arange(size) % 2 == 0, (*wanted.used.shape, size))
        less = replace(case, demand=replace(wanted, **change))
    elif name == "input_bits":
        change[name] = case.params[name] // 2
        less = replace(case, params=Params(1, {**case.params, **change}))
    elif name == "on_base":
        less = replace(case, footprint=replace(case.footprint, on_base=np.zeros_like(case.footprint.on_base)))
    else:
        change[name] = getattr(workload.encoder, name) * int(MORE)
        more = replace(case, workload=replace(workload, encoder=replace(workload.encoder, **change)))
    return less.charge(), more.charge()


def sum_charge(made: Components, name: str, owner: int) -> float:
    """Return a charge of the first task, or of its owner; of the whole chip where a charge has no owner."""
    values = np.asarray(getattr(made, name))[0]
    if values.ndim == 0:
        return float(values)
    return float(values[owner if name == "area_mm2" else 0].sum())


def find_free(case: Case, uncharged: Any) -> list[str]:
    """Describe each quantity that a model does not charge though its record does not say so, or the other way round."""
    faults, owner = [], case.demand.task_owner(0)
    for name, charges in QUANTITIES.items():
        less, more = vary(case, name)
        words = f"{name} ({WORDS[name]})" if name in WORDS else name
        free = []
        for charge in charges:
            before, after = sum_charge(less, charge, owner), sum_charge(more, charge, owner)
            if after <= before:
                whole = np.sum(more.area_mm2) > np.sum(less.area_mm2)
                elsewhere = ", though the area of another owner does" if charge == "area_mm2" and whole else ""
                free.append(f"{charge} stays at {before:g}{elsewhere}")
        if free and name not in uncharged:
            said = f"uncharged={{{name!r}: reason}}"
            faults.append(f"more {words} cost nothing: {'; '.join(free)}; charge it, or state {said} in the record")
        if name in uncharged and len(free) < len(charges):
            faults.append(f"{words} is charged, though the record states that it is not: {uncharged[name]}")
    faults += [f"uncharged names {name!r}, which is not a quantity" for name in uncharged if name not in QUANTITIES]
    return faults


def find_skipped(case: Case) -> str:
    """Describe what a layer that a task skips is charged for; empty if it is free."""
    owner = case.demand.owner.copy()
    owner[0, 0, -1] = DROPPED
    made = replace(case, demand=replace(case.demand, owner=owner)).charge()
    charged = {name: float(np.sum(getattr(made, name)[0, 0, -1])) for name in ("energy_uj", "latency_us")}
    return ", ".join(f"{name} {value:g}" for name, value in charged.items() if value)


def vary_converters(
    plugin: Any, workload: Workload, declared: tuple[Parameter, ...]
) -> Iterator[tuple[str, Components, Components]]:
    """Yield each parameter that changes the bits of converters alone, with the charges at its fewest and at its most bits."""
    usual = values.default_point(declared, workload)
    for item in declared:
        ends = [values.with_value(usual, item, workload, value) for value in values.scalars(item)]
        shapes = {int(shape.adc_bits[0]): (shape, params) for params in ends for shape in [plugin.geometry(params)]}
        few, many = (shapes[end(shapes)] for end in (min, max))
        same = replace(many[0], adc_bits=few[0].adc_bits)
        if len(shapes) > 1 and not values.first_difference(few[0], same):
            low, high = (Case.make(plugin, workload, adapters, params).charge() for _, params in (few, many))
            yield item.name, low, high


def check_shapes(made: Components, workload: Workload) -> None:
    """Refuse charges whose arrays do not have the shapes of one design."""
    names = len(made.names)
    assert len(set(made.names)) == names, f"component names repeat: {made.names}"
    assert "switching" not in made.names, "the core adds the component 'switching' itself"
    for name, shape in charge_shapes(workload, names).items():
        given = np.shape(getattr(made, name))
        assert given == (1, *shape), f"Components.{name} must have shape {(1, *shape)}, found {given}"
    for (part, name), shape in part_shapes(workload).items():
        record = getattr(made, part)
        given = shape if record is None else np.shape(getattr(record, name))[1:]
        assert given == shape, f"Components.{part}.{name} must have shape {(1, *shape)}, found {(1, *given)}"
    for limit in made.violations:
        assert np.shape(limit.amount) == (1,), f"violation {limit.name!r} must have one amount per design"
