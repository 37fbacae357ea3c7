"""Costing: the sum of a hardware model's charges, as the metrics of each design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.cost.charges import check_components
from dse.cost.check_schedule import check_schedule
from dse.cost.reprogramming import block_contents, most_written
from dse.errors import PluginContractError
from dse.records.arrays import Bools, Floats, Ints
from dse.records.charges import Components
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.schedule import Schedule
from dse.records.workload import Workload

SECONDS_PER_YEAR = 365.25 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Costs:
    """Cost of P designs.

    Attributes:
        area_mm2: (P,) area of the chip.
        energy_uj: (P,) energy of one request.
        latency_us: (P,) time of one request, its share of switching included.
        cycle_us: (P,) time of one turn of all tasks, each with its batch.
        writes: (P,) cells written per request.
        lifetime_years: (P,) lifetime of the most-written cell; infinite where nothing is written.
        area: (P, C) area by component, mm2.
        energy: (P, C) energy by component, uJ, switching under ``switching``, the last of ``names``.
        names: C component names.
        array_area_mm2: (P,) area that holds linear weights, a part of ``area_mm2``.
        offchip_mb: (P,) megabytes off-chip.
        order: (P, n) tasks as served.
        visit_us: (P, n) time of each visit of one turn, without switches.
        switch_us: (P, n) time of the switch before each visit; switches and visits add up to the turn.
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
    input and all answers; embeddings, and the layers that tasks share from the input on, run once. Tasks run one after
    another. A layer that early exits spare some inputs is charged for the share of inputs that is expected to run it.

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
    runs, enters, answers = _runs(workload, demand)
    passes = np.einsum("ptl,ptlc->pc", runs, components.energy_uj, optimize=True)
    passes += np.einsum("pt,ptc->pc", enters, components.input_energy_uj)
    passes += np.einsum("pt,ptc->pc", answers, components.request_energy_uj)
    tasks_us = np.einsum("ptl,ptl->pt", runs, components.latency_us)
    tasks_us += enters * components.input_latency_us + answers * components.request_latency_us
    served = _count_served(workload, schedule)
    switching = _per_request(schedule, components, served)
    latency = tasks_us.sum(axis=1) + switching["switch_latency_us"]
    energy = np.concatenate([passes, switching["switch_energy_uj"][:, None]], axis=1)
    area = np.concatenate([components.area_mm2.sum(axis=1), np.zeros((len(passes), 1))], axis=1)
    pulses = switching["cell_writes"] + _block_pulses(demand, components, schedule, footprint, who) / served
    seconds = 1.0 / workload.traffic.requests_per_s
    with np.errstate(divide="ignore"):
        life = components.endurance / (pulses / seconds) / SECONDS_PER_YEAR
    return Costs(
        area_mm2=area.sum(axis=1),
        energy_uj=energy.sum(axis=1),
        latency_us=latency,
        cycle_us=latency * served,
        writes=switching["switch_writes"],
        lifetime_years=life,
        area=area,
        energy=energy,
        names=(*components.names, "switching"),
        array_area_mm2=components.array_area_mm2,
        offchip_mb=components.offchip_mb,
        order=schedule.task,
        visit_us=_visits(schedule, tasks_us * served[:, None]),
        switch_us=_of_transitions(schedule, components.switch_latency_us),
    )


def _runs(workload: Workload, demand: Demand) -> tuple[Floats, Floats, Floats]:
    """Return how often a request runs each task's layer (P, T, L), and embeds and answers for each task, both (P, T)."""
    shape = demand.owner.shape
    reach = np.ones((1, 1, 1)) if demand.exits is None else demand.exits.reach
    if workload.traffic.mode == "independent":
        rates = np.array([task.rate for task in workload.tasks])
        each = np.broadcast_to(rates, shape[:2])
        return np.broadcast_to(rates[None, :, None] * reach, shape), each, each
    reads = np.array([task.embeddings for task in workload.tasks])
    same = _same_so_far(demand.owner if demand.computes is None else demand.computes)
    same &= (reads[:, None] == reads)[None, :, :, None]
    runs = _first_user(same).astype(float)
    if demand.exits is not None:
        # A layer that tasks share runs until the last task has left. Their exits count as independent of each other.
        runs *= 1.0 - np.where(same, 1.0 - reach[:, None], 1.0).prod(axis=2)
    once = np.zeros(shape[:2])
    once[:, np.unique(reads, return_index=True)[1]] = (
        1.0  # tasks share one input, and its embeddings if these are equal
    )
    return runs, once, np.ones(shape[:2])


def _same_so_far(computes: Ints) -> Bools:
    """Whether two tasks compute the same values from the input up to a layer, (P, T, T, L)."""
    return np.logical_and.accumulate(computes[:, :, None, :] == computes[:, None, :, :], axis=-1)


def _first_user(same: Bools) -> Bools:
    """Whether no earlier task has computed the same values from the input up to this layer, (P, T, L)."""
    earlier = np.tril(np.ones(same.shape[1:3], dtype=bool), k=-1)[None, :, :, None]
    return np.asarray(~(same & earlier).any(axis=2))


def _count_served(workload: Workload, schedule: Schedule) -> Floats:
    """Count the requests (P,) that a turn answers. On shared inputs all tasks' visits answer the same requests."""
    served = schedule.batch.sum(axis=1)
    return np.asarray(served / len(workload.tasks) if workload.traffic.mode == "shared" else served)


def _per_request(schedule: Schedule, components: Components, served: Floats) -> dict[str, Floats]:
    """Sum each ``switch_*`` and ``cell_writes`` (P, T, T) over the switches of a turn, per request."""
    names = ("switch_energy_uj", "switch_latency_us", "switch_writes", "cell_writes")
    return {name: _of_transitions(schedule, getattr(components, name)).sum(axis=1) / served for name in names}


def _of_transitions(schedule: Schedule, switches: Floats) -> Floats:
    """Return the charge (P, n) of the switch before each visit, from the charges between any two tasks (P, T, T)."""
    points = np.arange(len(schedule.task))[:, None]
    return np.asarray(switches[points, np.roll(schedule.task, 1, axis=1), schedule.task])


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
