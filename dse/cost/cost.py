"""The cheap half of the pipeline: cost of many designs of one plugin combination at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from dse.cost.baseline import separate_models, whole_footprint
from dse.cost.check_footprint import check_blocks, check_footprint
from dse.cost.combination import Combination
from dse.cost.counted import Counted, leave_out, skip_others
from dse.cost.counts import FULL_MAGNITUDE, count
from dse.cost.demand import demand
from dse.cost.exits import measure_exits
from dse.cost.filling import describe_filling
from dse.cost.limits import find_clipping, find_drop, find_overload
from dse.cost.schedule import listed_order
from dse.cost.sum import Costs, total
from dse.errors import PluginContractError, SpaceError
from dse.plugins.call import call_plugin
from dse.plugins.contract import Hardware, ModelGenerator, NonidealHardware, TaskScheduler, WeightCompressor, is_joint
from dse.records.arrays import Floats
from dse.records.charges import Components, Violation
from dse.records.counts import Counts
from dse.records.geometry import Geometry
from dse.records.layout import Layout
from dse.records.nonideality import Nonideality
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.plan import Plan
from dse.records.plugin import API, Kind
from dse.records.schedule import Schedule
from dse.records.workload import Workload


@dataclass(frozen=True, slots=True)
class Built:
    """The four built plugins of a combination, with their names for messages, and the contract of the hardware model."""

    names: Combination
    generator: ModelGenerator
    compressor: WeightCompressor
    scheduler: TaskScheduler
    hardware: Hardware
    api: int = API

    @property
    def joint(self) -> bool:
        """Whether weights of one task depend on other tasks, and differ from the weights of the context."""
        return is_joint(self.generator)


@dataclass(frozen=True, slots=True)
class Costed:
    """Cost of P designs.

    Attributes:
        costs: metrics and breakdowns.
        violation: (P,) amount by which hardware limits are exceeded, 0 where no limit is.
        reasons: sentences for each design, one per broken limit.
        schedule: order and batches of the visits.
        counts: arrays and events of each owner's layers.
        layout: what the designs store.
        workload: tasks that costs are for.
        components: charges of the hardware model.
    """

    costs: Costs
    violation: Floats
    reasons: list[tuple[str, ...]]
    schedule: Schedule
    counts: Counts
    layout: Layout
    workload: Workload
    components: Components


def cost_points(
    workload: Workload,
    built: Built,
    params: Mapping[Kind, Params],
    reach: Mapping[str, Sequence[float]] = MappingProxyType({}),
    counted: Counted | None = None,
) -> Costed:
    """Plan, count and cost P designs.

    Args:
        workload: tasks and traffic.
        built: the designs' plugins.
        params: the designs' parameters.
        reach: share of inputs that ran each layer in scoring, by task, where it is known (P = 1); else the plan's expectation.
        counted: tasks that costs are for; None: all of them.

    Raises:
        PluginContractError: a plugin raised, or returned something outside its contract; its name is in the message.
    """
    generator, compressor, scheduler, hardware = built.names
    plan = call_plugin("generator", generator, built.generator.plan, workload, params["generator"])
    plan = skip_others(measure_exits(plan, workload, reach), counted)
    _check_exits_are_charged(plan, hardware, built.api)
    wanted = demand(workload, plan, generator=generator, joint=built.joint)
    geometry = call_plugin("hardware", hardware, built.hardware.geometry, params["hardware"])
    _check_input_bits(geometry, params["compressor"], hardware, built.api)
    footprint = call_plugin(
        "compressor", compressor, built.compressor.footprint, workload, wanted, geometry, params["compressor"]
    )
    check_footprint(footprint, wanted, compressor)
    check_blocks(workload.encoder, footprint, compressor)
    workload, (wanted, footprint), params = leave_out(workload, Layout(wanted, footprint), params, built.names, counted)
    counts = count(workload, wanted, footprint, geometry, is_compensated(hardware, built.hardware, params["hardware"]))
    components = call_plugin(
        "hardware", hardware, built.hardware.components, workload, wanted, counts, footprint, params["hardware"]
    )
    schedule = call_plugin("scheduler", scheduler, built.scheduler.order, components, workload, params["scheduler"])
    who = f"hardware {hardware!r}, scheduler {scheduler!r}"
    costs = total(workload, wanted, components, schedule, who=who, footprint=footprint)
    costs = replace(costs, service=costs.service | describe_filling(wanted, counts, components, geometry))
    violation = np.zeros(wanted.points)
    reasons: list[tuple[str, ...]] = [()] * wanted.points
    limits = _find_limits(built, geometry, params["hardware"])
    for limit in (*components.violations, *limits, find_overload(costs)):
        violation += np.maximum(limit.amount, 0)
        for point in np.flatnonzero(limit.amount > 0):
            text = f"{limit.name}: {limit.reason} (by {limit.amount[point]:g})"
            reasons[point] = (*reasons[point], text)
    return Costed(costs, violation, reasons, schedule, counts, Layout(wanted, footprint), workload, components)


def _find_limits(built: Built, geometry: Geometry, params: Params) -> tuple[Violation, ...]:
    """Return the limits of P designs' arrays; hardware of contract 1 states its own. An effect that is scored is not a limit."""
    if built.api < API:
        return ()
    clipping, drop = find_clipping(geometry), find_drop(geometry)
    for point in np.flatnonzero((clipping.amount > 0) | (drop.amount > 0)):
        one = Params(1, {name: values[point : point + 1] for name, values in params.items()})
        options = nonideality(built.names[3], built.hardware, one)
        if options is not None and options.adc == "real":
            clipping.amount[point] = 0.0
        if options is not None and options.voltage_drop:
            drop.amount[point] = 0.0
    return clipping, drop


def _check_exits_are_charged(plan: Plan, hardware: str, api: int) -> None:
    """Refuse early exits on a hardware model of contract 1, which counts their heads itself or not at all."""
    if plan.exits is not None and api < API:
        raise PluginContractError(
            f"hardware {hardware!r} is written for contract {api} of plugins, and the core counts heads of early exits since contract 2",
            expected="a model that charges Counts.head_bits, head_macs and head_sums, and states api=2 in its record",
            found=f"api {api}",
            fix="charge these instead of Demand.exits and Task.head_parameters, or let no input leave early",
        )


def _check_input_bits(geometry: Geometry, params: Params, hardware: str, api: int) -> None:
    """Refuse hardware whose input bits differ from the design's; hardware of contract 1 has its own where a design asks for none."""
    asked = params.get(INPUT_BITS.name, geometry.input_bits)
    wrong = (geometry.input_bits != asked) & ((api >= API) | (asked != INPUT_BITS.default))
    if wrong.any():
        raise PluginContractError(
            f"hardware {hardware!r} has input bits that differ from the design's",
            expected=f"{int(asked[wrong][0])} input bits",
            found=f"{int(geometry.input_bits[wrong][0])} input bits, by contract {api} of plugins",
            fix="give params['input_bits'] to dse.Geometry and state api=2, or leave the input bits of compressors at 8",
        )


def baseline_cost(workload: Workload, hardware: Hardware, name: str, params: Params) -> Costs:
    """Cost of the baseline of every ratio on the reference hardware: separate models, whole in 8 bits, all resident.

    Raises:
        SpaceError: the arrays of the reference hardware are not ideal.
        PluginContractError: the reference hardware cannot hold the baseline.
    """
    if nonideality(name, hardware, params) is not None:
        raise SpaceError(
            "the arrays of the reference hardware must be ideal: drops are relative to the scores of exact arrays",
            where="[reference_hardware] options",
            expected="no non-ideality",
            found="a non-ideality that is switched on",
            fix=f"switch it on in [hardware.{name}.options] only",
        )
    costs, limits = separate_cost(workload, hardware, name, params)
    broken = [limit.reason for limit in limits if limit.amount[0] > 0]
    if broken:
        raise PluginContractError(
            "the reference hardware cannot hold the baseline", where="[reference_hardware]", found="; ".join(broken)
        )
    return costs


def separate_cost(
    workload: Workload, hardware: Hardware, name: str, params: Params, magnitude_bits: int | None = None
) -> tuple[Costs, tuple[Violation, ...]]:
    """Cost separate models on the hardware of P designs; return the limits that they break, too.

    Args:
        workload: the tasks and their traffic.
        hardware: the built hardware model.
        name: name of the model, for errors.
        params: hardware parameters of P designs.
        magnitude_bits: bits of a weight besides its sign, with a scale per output; None: 8 bits with a scale per matrix.

    Raises:
        PluginContractError: a charge is negative or not finite.
    """
    return charge(workload, hardware, name, params, lay_out_separately(workload, params.points, magnitude_bits))


def lay_out_separately(workload: Workload, points: int, magnitude_bits: int | None = None) -> Layout:
    """Return what P designs of separate models store; see `separate_cost`."""
    wanted = demand(workload, separate_models(workload, points), generator="baseline")
    magnitude = 2.0**magnitude_bits - 1 if magnitude_bits else FULL_MAGNITUDE
    return Layout(wanted, whole_footprint(wanted, magnitude, per_output=bool(magnitude_bits)))


def charge(
    workload: Workload, hardware: Hardware, name: str, params: Params, layout: Layout
) -> tuple[Costs, tuple[Violation, ...]]:
    """Cost what P designs store, with each task visited once per turn; return the limits that they break, too."""
    wanted, footprint = layout
    geometry = call_plugin("hardware", name, hardware.geometry, params)
    counts = count(workload, wanted, footprint, geometry, is_compensated(name, hardware, params))
    components = call_plugin("hardware", name, hardware.components, workload, wanted, counts, footprint, params)
    order = listed_order(workload, params.points)
    costs = total(workload, wanted, components, order, who=f"hardware {name!r}", footprint=footprint)
    costs = replace(costs, service=costs.service | describe_filling(wanted, counts, components, geometry))
    return costs, (*components.violations, find_clipping(geometry))


def nonideality(name: str, hardware: Hardware, params: Params) -> Nonideality | None:
    """Return the non-idealities of one design's arrays; None where its hardware declares or switches on nothing."""
    if not isinstance(hardware, NonidealHardware):
        return None
    options: Nonideality = call_plugin("hardware", name, hardware.nonideality, params)
    return None if options.is_off else options


def is_compensated(name: str, hardware: Hardware, params: Params) -> bool:
    """Return whether drift is compensated, which all designs of a study have in common."""
    first = Params(1, {key: values[:1] for key, values in params.items()})
    effects = nonideality(name, hardware, first)
    return effects is not None and effects.compensation
