"""Costing: the sum of a hardware model's charges, as the metrics of each design."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from dse.cost.charges import check_components
from dse.cost.check_schedule import check_schedule
from dse.cost.reprogramming import block_contents, most_written
from dse.cost.residency import charge_switches
from dse.cost.runs import Runs, count_runs, order_tasks
from dse.cost.static import charge_static
from dse.cost.throughput import Capacity, answer_side_by_side, count_operations, measure_capacity, wait_for_turns
from dse.errors import PluginContractError
from dse.records.arrays import Floats, Ints
from dse.records.charges import Components
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.plan import BASE, DROPPED
from dse.records.schedule import Schedule
from dse.records.workload import Workload

SECONDS_PER_YEAR = 365.25 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Costs:
    """Cost of P designs.

    Attributes:
        area_mm2: (P,) area of the chip.
        energy_uj: (P,) energy of one request.
        latency_us: (P,) time of one request on an idle chip, its share of switching included.
        cycle_us: (P,) service time of one turn of all tasks, each with its batch.
        writes: (P,) cells written per request.
        lifetime_years: (P,) lifetime of the most-written cell; infinite where nothing is written.
        area: (P, C) area by component, mm2.
        energy: (P, C) energy by component, uJ, with ``static`` and ``switching``, the last of ``names``.
        names: C component names.
        array_area_mm2: (P,) area that holds linear weights, a part of ``area_mm2``.
        offchip_mb: (P,) megabytes off-chip.
        order: (P, n) tasks as served.
        visit_us: (P, n) time of each visit of one turn, without switches.
        switch_us: (P, n) time of the switch before each visit; switches and visits add up to the turn.
        service: columns of time, power and arrays, (P,) each; not a number where the hardware model does not say.
        dynamic_uj, static_slope_uj: (P,) terms of a break-even, see `dse.cost.static.break_even`; not a number without them.
        capacity: what bounds the requests per second; None where the hardware model does not say.
    """

    area_mm2: Floats
    energy_uj: Floats
    latency_us: Floats
    cycle_us: Floats
    writes: Floats
    lifetime_years: Floats
    area: Floats
    energy: Floats
    names: tuple[str, ...]
    array_area_mm2: Floats
    offchip_mb: Floats
    order: Ints
    visit_us: Floats
    switch_us: Floats
    service: dict[str, Floats]
    dynamic_uj: Floats
    static_slope_uj: Floats
    capacity: Capacity | None = None

    def find(self, name: str) -> Floats:
        """Return a cost by its name, (P,)."""
        of_service = self.service.get(name)
        value: Floats = getattr(self, name) if of_service is None else of_service
        return value


def total(
    workload: Workload,
    demand: Demand,
    components: Components,
    schedule: Schedule,
    *,
    who: str,
    footprint: Footprint | None = None,
) -> Costs:
    """Sum components over a schedule.

    A request of independent traffic is one input through one task drawn from the rates. A request of shared traffic is one
    input and all answers; embeddings, and the layers that tasks share from the input on, run once, at the first visit that
    needs them. A layer that early exits spare some inputs is charged for the share of inputs that runs it.

    Args:
        workload: tasks, rates and traffic.
        demand: demand with owners (P, T, L).
        components: charges of the hardware model.
        schedule: cyclic order of visits.
        who: names of the plugins, for errors.
        footprint: footprint of a compressor that may reprogram blocks of the base.

    Raises:
        PluginContractError: a charge is negative or not finite, the schedule drops a task, or the hardware does not say how
            many pulses a write takes.
    """
    check_components(components, who)
    check_schedule(workload, schedule, who)
    runs = count_runs(workload, demand, schedule)
    passes = _sum_passes(components, runs)
    served = count_served(workload, schedule)
    switches = charge_switches(components, schedule.task)
    switching = {name: values.sum(axis=1) / served for name, values in switches.items()}
    times = _time(demand, components, runs, schedule, _on_base(demand, footprint), switching["switch_latency_us"])
    static = charge_static(components.power, runs.layers, workload.traffic.requests_per_s)
    energy = np.concatenate([passes, static["static_uj"][:, None], switching["switch_energy_uj"][:, None]], axis=1)
    area = np.concatenate([components.area_mm2.sum(axis=1), np.zeros((len(passes), 2))], axis=1)
    pulses = switching["cell_writes"] + _block_pulses(demand, components, schedule, footprint, who) / served
    seconds = 1.0 / workload.traffic.requests_per_s
    with np.errstate(divide="ignore"):
        life = components.endurance / (pulses / seconds) / SECONDS_PER_YEAR
    costs = Costs(
        area_mm2=area.sum(axis=1),
        energy_uj=energy.sum(axis=1),
        latency_us=times.latency_us,
        cycle_us=times.one_by_one_us * served,
        writes=switching["switch_writes"],
        lifetime_years=life,
        area=area,
        energy=energy,
        names=(*components.names, "static", "switching"),
        array_area_mm2=components.array_area_mm2,
        offchip_mb=components.offchip_mb + switches["image_mb"].sum(axis=1),
        order=schedule.task,
        visit_us=_visits(schedule, times.tasks_us * served[:, None]),
        switch_us=switches["switch_latency_us"],
        service={},
        dynamic_uj=energy.sum(axis=1) - static["static_uj"] + static["wake_uj"],
        static_slope_uj=static["static_slope_uj"],
        capacity=times.capacity,
    )
    service = _describe_service(workload, demand, schedule, costs, runs.layers)
    return replace(costs, service=service | {"static_w": static["static_w"]})


def _sum_passes(components: Components, runs: Runs) -> Floats:
    """Sum the energy of what a request runs, by component, (P, C)."""
    passes = np.einsum("ptl,ptlc->pc", runs.layers, components.energy_uj, optimize=True)
    passes += np.einsum("pt,ptc->pc", runs.enters, components.input_energy_uj)
    return np.asarray(passes + np.einsum("pt,ptc->pc", runs.answers, components.request_energy_uj))


class _Times(NamedTuple):
    """Times of one request: of each task (P, T), of all one after another (P,), and on an idle chip (P,)."""

    tasks_us: Floats
    one_by_one_us: Floats
    latency_us: Floats
    capacity: Capacity | None


def _time(
    demand: Demand, components: Components, runs: Runs, schedule: Schedule, on_base: Floats, switch_us: Floats
) -> _Times:
    """Time a request; tasks whose weights are all on the chip answer a shared input side by side."""
    enters, answers = runs.enters * components.input_latency_us, runs.answers * components.request_latency_us
    tasks = np.einsum("ptl,ptl->pt", runs.layers, components.latency_us) + enters + answers
    one_by_one = tasks.sum(axis=1) + switch_us
    occupancy = components.occupancy
    if occupancy is None:
        return _Times(tasks, one_by_one, one_by_one, None)
    rest = (enters + answers).sum(axis=1)
    capacity = measure_capacity(demand, occupancy, runs.layers, on_base, rest)
    if runs.leader is None:
        return _Times(tasks, one_by_one, one_by_one, capacity)
    order = order_tasks(schedule.task, demand.tasks)
    together = answer_side_by_side(
        demand, components.latency_us, occupancy, runs.layers, runs.leader, order, on_base, enters, answers
    )
    return _Times(tasks, one_by_one, np.where(switch_us > 0, one_by_one, together), capacity)


def _describe_service(
    workload: Workload, demand: Demand, schedule: Schedule, costs: Costs, runs: Floats
) -> dict[str, Floats]:
    """Return throughput, load, waits and operations of P designs, each (P,)."""
    request_us = np.full(len(costs.latency_us), np.nan) if costs.capacity is None else costs.capacity.request_us
    writes = costs.switch_us.sum(axis=1)
    turn_us = costs.cycle_us / count_served(workload, schedule)  # what is written answers in turns, without a pipeline
    request_us = np.where(writes > 0, np.fmax(request_us, turn_us), request_us)
    tera = count_operations(workload, demand, runs) / request_us * 1e-6
    return {
        "throughput_rps": 1e6 / request_us,
        "load": request_us * 1e-6 * workload.traffic.requests_per_s,
        **wait_for_turns(workload, schedule, costs.cycle_us, writes),
        "tops": tera,
        "tops_per_w": tera * request_us / costs.energy_uj,
        "tops_per_mm2": tera / costs.area_mm2,
        "edp": costs.energy_uj * costs.latency_us,
        "edap": costs.energy_uj * costs.latency_us * costs.area_mm2,
    }


def _on_base(demand: Demand, footprint: Footprint | None) -> Floats:
    """Return whether the base's arrays run beside each task's layer, (P, T, L)."""
    if footprint is None:
        return np.zeros(demand.owner.shape)
    beside = np.take_along_axis(footprint.on_base, np.maximum(demand.owner, BASE), axis=1)
    return np.asarray((beside > 0) & (demand.owner != DROPPED), dtype=float)


def count_served(workload: Workload, schedule: Schedule) -> Floats:
    """Count the requests (P,) that a turn answers. On shared inputs all tasks' visits answer the same requests."""
    served = schedule.batch.sum(axis=1)
    return np.asarray(served / len(workload.tasks) if workload.traffic.mode == "shared" else served)


def _visits(schedule: Schedule, turn_us: Floats) -> Floats:
    """Return the time (P, n) of each visit: its share of the task's time in a turn (P, T), by the requests it serves."""
    points = np.arange(len(schedule.task))[:, None]
    requests = np.zeros_like(turn_us)
    np.add.at(requests, (points, schedule.task), schedule.batch)
    share = schedule.batch / requests[points, schedule.task]
    return np.asarray(turn_us[points, schedule.task] * share)


def _block_pulses(
    demand: Demand, components: Components, schedule: Schedule, footprint: Footprint | None, who: str
) -> Floats:
    """Count the pulses (P,) that the cells of the base's most-written block take in a turn."""
    if footprint is None or footprint.reprogrammed is None:
        return np.zeros(len(schedule.task))
    if components.write_pulses is None:
        raise PluginContractError(
            f"{who}: the compressor reprograms blocks of the base, but the hardware model has no cost of such writes",
            where="Components.write_pulses",
            expected="write pulses of a cell",
            found="None",
        )
    return components.write_pulses * most_written(block_contents(demand, footprint.reprogrammed), schedule)
