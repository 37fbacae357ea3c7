"""The cheap half: cost of many points of one plugin combination at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.contract import Hardware, ModelGenerator, TaskScheduler, WeightCompressor
from dse.errors import DseError, PluginContractError, SpaceError
from dse.pipeline.baseline import separate_models, whole_footprint
from dse.pipeline.combination import Combination
from dse.pipeline.costing import Costs, total
from dse.pipeline.counting import count
from dse.pipeline.demand import demand
from dse.pipeline.reprogramming import blocks_of
from dse.pipeline.visits import listed_order
from dse.records.batch import Components, Demand, Floats, Geometry, Plan, Schedule
from dse.records.footprint import Counts, Footprint
from dse.records.nonideality import Nonideality
from dse.records.params import Params
from dse.records.plugin import Kind
from dse.records.workload import Encoder, Workload


@dataclass(frozen=True, slots=True)
class Built:
    """The four built plugins of a combination, with their names for messages."""

    names: Combination
    generator: ModelGenerator
    compressor: WeightCompressor
    scheduler: TaskScheduler
    hardware: Hardware

    @property
    def joint(self) -> bool:
        """Whether weights of one task depend on other tasks, and are not those of the context."""
        return bool(getattr(self.generator, "joint", False))


@dataclass(frozen=True, slots=True)
class Costed:
    """Cost of P points.

    Attributes:
        costs: metrics and breakdowns.
        violation: (P,) by how much hardware limits are exceeded, 0 where none is.
        reasons: for each point, one sentence a broken limit.
        schedule: order and batches.
        counts: arrays and events.
    """

    costs: Costs
    violation: Floats
    reasons: list[tuple[str, ...]]
    schedule: Schedule
    counts: Counts


def cost_points(workload: Workload, built: Built, params: Mapping[Kind, Params]) -> Costed:
    """Plan, count and cost P points.

    Raises:
        PluginContractError: a plugin raised, or returned something outside its contract; its name is in the message.
    """
    generator, compressor, scheduler, hardware = built.names
    plan = called("generator", generator, built.generator.plan, workload, params["generator"])
    wanted = demand(workload, plan, generator=generator, joint=built.joint)
    geometry = called("hardware", hardware, built.hardware.geometry, params["hardware"])
    footprint = called(
        "compressor", compressor, built.compressor.footprint, workload, wanted, geometry, params["compressor"]
    )
    check_footprint(footprint, wanted, compressor)
    check_blocks(workload.encoder, footprint, compressor)
    counts = count(workload.encoder, wanted, footprint, geometry)
    components = called(
        "hardware", hardware, built.hardware.components, workload, wanted, counts, footprint, params["hardware"]
    )
    schedule = called("scheduler", scheduler, built.scheduler.order, components, workload, params["scheduler"])
    who = f"hardware {hardware!r}, scheduler {scheduler!r}"
    costs = total(workload, wanted, components, schedule, who=who, footprint=footprint)
    violation = np.zeros(wanted.points)
    reasons: list[tuple[str, ...]] = [()] * wanted.points
    for limit in components.violations:
        violation += np.maximum(limit.amount, 0)
        for point in np.flatnonzero(limit.amount > 0):
            text = f"{limit.name}: {limit.reason} (by {limit.amount[point]:g})"
            reasons[point] = (*reasons[point], text)
    return Costed(costs, violation, reasons, schedule, counts)


def baseline_cost(workload: Workload, hardware: Hardware, name: str, params: Params) -> Costs:
    """Cost of the baseline of every ratio on the reference hardware: separate models, whole in 8 bits, all resident.

    Raises:
        SpaceError: the arrays of the reference hardware are not ideal.
        PluginContractError: it cannot hold the baseline.
    """
    if nonideality(name, hardware, params) is not None:
        raise SpaceError(
            "the arrays of the reference hardware are ideal: drops are taken to what exact arrays score",
            where="[reference_hardware] options",
            expected="no non-ideality",
            found="one that is switched on",
            fix=f"switch it on in [hardware.{name}.options] only",
        )
    wanted: Demand = demand(workload, separate_models(workload, 1), generator="baseline")
    footprint: Footprint = whole_footprint(wanted)
    geometry = called("hardware", name, hardware.geometry, params)
    counts = count(workload.encoder, wanted, footprint, geometry)
    components = called("hardware", name, hardware.components, workload, wanted, counts, footprint, params)
    broken = [limit.reason for limit in components.violations if limit.amount[0] > 0]
    if broken:
        raise PluginContractError(
            "the reference hardware cannot hold the baseline", where="[reference_hardware]", found="; ".join(broken)
        )
    return total(workload, wanted, components, listed_order(workload, 1), who=f"hardware {name!r}")


def nonideality(name: str, hardware: Hardware, params: Params) -> Nonideality | None:
    """What is not ideal in the arrays of one point; None where its hardware says nothing, or nothing is switched on."""
    method = getattr(hardware, "nonideality", None)
    if method is None:
        return None
    found: Nonideality = called("hardware", name, method, params)
    return None if found.is_off else found


def called(kind: str, name: str, method: Any, *arguments: Any) -> Any:
    """Call a plugin's method; whatever it raises comes back with the plugin's name."""
    try:
        result = method(*arguments)
    except DseError:
        raise
    except Exception as error:
        raise PluginContractError(
            f"{kind} {name!r} raised in {method.__name__}(): {type(error).__name__}: {error}", where=f"{kind} {name!r}"
        ) from error
    expected = _RETURNS.get(method.__name__, object)
    if not isinstance(result, expected):
        raise PluginContractError(
            f"{kind} {name!r}: {method.__name__}() returned something else than its contract says",
            where=f"{kind} {name!r}",
            expected=expected.__name__,
            found=type(result).__name__,
        )
    return result


_RETURNS: dict[str, type] = {
    "parameters": tuple,
    "geometry": Geometry,
    "components": Components,
    "nonideality": Nonideality,
    "plan": Plan,
    "footprint": Footprint,
    "store": dict,
    "order": Schedule,
}
"""What a method returns, by its name in the contract."""


def check_footprint(footprint: Footprint, wanted: Demand, compressor: str) -> None:
    """Refuse a footprint of the wrong shape, or with values that are negative or not finite."""
    shape = (*wanted.used.shape, wanted.rows.shape[-1])
    fields = {"digital_bits": footprint.digital_bits}
    fields |= {name: values for name in ("scalings", "shifts") if (values := getattr(footprint, name)) is not None}
    for index, piece in enumerate(footprint.pieces):
        fields |= {f"pieces[{index}].{name}": getattr(piece, name) for name in ("rows", "columns", "magnitude")}
    for name, values in fields.items():
        if values.shape != shape or not np.isfinite(values).all() or values.min(initial=0) < 0:
            raise PluginContractError(
                f"compressor {compressor!r} returned an unusable footprint",
                where=name,
                expected=f"finite values >= 0 of shape {shape}",
                found=f"shape {values.shape}, least {np.min(values, initial=0):g}",
            )
    for index, piece in enumerate(footprint.pieces):
        first = piece.fed_by
        if first is not None and not (0 <= first < len(footprint.pieces) and footprint.pieces[first].fed_by is None):
            raise PluginContractError(
                f"compressor {compressor!r} returned an unusable footprint",
                where=f"pieces[{index}].fed_by",
                expected="the index of a piece that the matrix's inputs drive",
                found=first,
            )
    if footprint.on_base.shape != wanted.used.shape:
        raise PluginContractError(
            f"compressor {compressor!r} returned an unusable footprint",
            where="on_base",
            expected=f"shape {wanted.used.shape}",
            found=f"shape {footprint.on_base.shape}",
        )


def check_blocks(encoder: Encoder, footprint: Footprint, compressor: str) -> None:
    """Refuse blocks that do not fit the encoder, are the base's own, or lie where no base runs."""
    what = footprint.reprogrammed
    if what is None:
        return
    count = encoder.layers * blocks_of(encoder, what)[-1].stop if min(what.rows, what.columns) >= 1 else 0
    shape = (*footprint.on_base.shape[:2], count)
    found = np.shape(what.blocks)
    stray = 0
    if found == shape:
        stray = int((what.blocks & ~np.repeat(footprint.on_base, count // encoder.layers, axis=-1)).sum())
    if found != shape or stray or what.weight_bits < 0:
        raise PluginContractError(
            f"compressor {compressor!r} returned an unusable footprint",
            where="reprogrammed",
            expected=f"blocks of shape {shape}, only where on_base is True",
            found=f"shape {found}, {stray} elsewhere, {what.weight_bits:g} bits a weight",
        )
