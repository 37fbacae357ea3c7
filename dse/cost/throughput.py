"""Throughput: the requests per second that the busiest part of a chip lets through, and how long a request waits for its turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.records.arrays import Floats, Ints
from dse.records.demand import Demand
from dse.records.occupancy import Occupancy
from dse.records.plan import BASE, DROPPED
from dse.records.schedule import Schedule
from dse.records.workload import Workload

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Capacity:
    """Time for which a request keeps the parts of a chip busy, on P designs.

    Requests follow each other through the layers as in a pipeline, so the busiest part alone bounds their number.

    Attributes:
        arrays_us: (P, 3) time of the busiest arrays of the base, of a group and of a task, each present once.
        digital_us: (P,) time of one digital unit, if it does all digital work.
        occupancy: replicas and digital units of the designs, and the area of more of them.
    """

    arrays_us: Floats
    digital_us: Floats
    occupancy: Occupancy

    @property
    def request_us(self) -> Floats:
        """Time between two requests at the bottleneck, (P,)."""
        arrays = (self.arrays_us / self.occupancy.replicas).max(axis=1)
        return np.asarray(np.maximum(arrays, self.digital_us / self.occupancy.digital_units))

    def area_at(self, request_us: Floats) -> Floats:
        """Return the area (P,) with the fewest replicas and digital units that leave so much time between requests."""
        replicas, units = (
            np.maximum(own, np.ceil(busy / limit - _ROUNDING))
            for own, busy, limit in (
                (self.occupancy.replicas, self.arrays_us, request_us[:, None]),
                (self.occupancy.digital_units, self.digital_us, request_us),
            )
        )
        return self.occupancy.resize(replicas, units)


def measure_capacity(demand: Demand, occupancy: Occupancy, runs: Floats, on_base: Floats, rest_us: Floats) -> Capacity:
    """Add up the time for which a request keeps each owner's arrays and the digital units busy.

    Args:
        demand: demand with owners (P, T, L).
        occupancy: what one pass of each layer keeps busy.
        runs: (P, T, L) passes of each task's layer in one request.
        on_base: (P, T, L) whether the base's arrays run beside the task's own.
        rest_us: (P,) digital time of a request before the first and after the last layer.
    """
    busy = np.zeros((demand.points, demand.owners, demand.owner.shape[-1]))
    points, layers = np.arange(demand.points)[:, None], np.arange(demand.owner.shape[-1])
    each = np.where(demand.owner == DROPPED, 0.0, runs * occupancy.arrays_us)
    for task in range(demand.tasks):
        busy[points, demand.owner[:, task], layers] += each[:, task]
    busy[:, BASE] += (on_base * each).sum(axis=1)
    owners = busy.max(axis=-1)
    first = 1 + demand.groups
    kinds = owners[:, :1], owners[:, 1:first], owners[:, first:]
    arrays = np.stack([kind.max(axis=1, initial=0.0) for kind in kinds], axis=1)
    digital = ((runs * occupancy.digital_us).sum(axis=(1, 2)) + rest_us) * occupancy.digital_units
    return Capacity(arrays, digital, occupancy)


def count_operations(workload: Workload, demand: Demand, runs: Floats) -> Floats:
    """Count products and sums (P,) of a request with the matrices that a plan keeps, whichever way they are stored."""
    weights = np.broadcast_to((demand.rows * demand.columns).sum(axis=-1), demand.used.shape)
    kept = np.take_along_axis(weights, np.maximum(demand.owner, BASE), axis=1) * (demand.owner != DROPPED)
    tokens = np.array([task.tokens for task in workload.tasks])[:, None]
    return np.asarray(2 * (runs * tokens * kept).sum(axis=(1, 2)))


def answer_side_by_side(
    demand: Demand, latency_us: Floats, occupancy: Occupancy, runs: Floats, leader: Ints, order: Ints,
    on_base: Floats, enters_us: Floats, answers_us: Floats,
) -> Floats:  # fmt: skip
    """Return the time (P,) in which all tasks answer one shared input on an idle chip.

    Tasks on different arrays work at the same time. Arrays and digital units serve one task at a time, in the order of the
    visits; no task begins a layer before all tasks that precede it have begun theirs.

    Args:
        demand: demand with owners (P, T, L).
        latency_us: (P, T, L) time of a pass of each task's layer.
        occupancy: the digital part of this time.
        runs: (P, T, L) share of a pass that runs for the task itself.
        leader: (P, T, L) first task that has computed the same values up to this layer, perhaps the task itself.
        order: (P, T) tasks in the order of their visits.
        on_base: (P, T, L) whether the base's arrays run beside the task's own.
        enters_us: (P, T) digital time before the first layer.
        answers_us: (P, T) digital time after the last layer.
    """
    points = np.arange(demand.points)
    ready = np.zeros(order.shape)
    np.put_along_axis(ready, order, np.cumsum(np.take_along_axis(enters_us, order, axis=1), axis=1), axis=1)
    digital = ready.max(axis=1)
    arrays = runs * (latency_us - occupancy.digital_us)
    for layer in range(demand.owner.shape[-1]):
        free = np.zeros((demand.points, demand.owners))
        for task in order.T:
            at = points, task, layer
            owner, first = np.maximum(demand.owner[at], BASE), leader[at]
            busy = runs[at] * (demand.owner[at] != DROPPED)
            base = np.where(on_base[at] > 0, free[:, BASE], 0.0)
            end = np.maximum(np.maximum(ready[points, task], free[points, owner]), base) + arrays[at]
            work = busy * occupancy.digital_us[at]
            done = np.where(work > 0, np.maximum(end, digital) + work, end)
            alone = (busy > 0) & (first == task)
            free[points, owner] = np.where(alone, end, free[points, owner])
            free[:, BASE] = np.where(alone & (on_base[at] > 0), end, free[:, BASE])
            digital = np.where(alone & (work > 0), done, digital)
            own = np.where(busy > 0, done, ready[points, task])
            ready[points, task] = np.where(first == task, own, ready[points, first])
    for task in order.T:
        digital = np.maximum(ready[points, task], digital) + answers_us[points, task]
    return np.asarray(digital)


def wait_for_turns(workload: Workload, schedule: Schedule, cycle_us: Floats, writes: Floats) -> dict[str, Floats]:
    """Return the mean and the largest wait (P,) of a request until its task's turn ends; 0 where nothing is written.

    The first request of a batch of b waits (b - 1) / r for the last one at r requests per second of its task, and then a
    turn at most; in the mean it is half of both.

    Args:
        workload: rates and traffic.
        schedule: visits and their batches.
        cycle_us: (P,) service time of a turn.
        writes: (P,) time of all switches of a turn.
    """
    shared = workload.traffic.mode == "shared"
    rates = np.array([1.0 if shared else task.rate for task in workload.tasks])
    gathering = 1e6 * (schedule.batch - 1) / (workload.traffic.requests_per_s * rates[schedule.task])
    share = schedule.batch / schedule.batch.sum(axis=1, keepdims=True)
    served = writes > 0
    return {
        "wait_mean_us": served * ((share * np.maximum(gathering, 0)).sum(axis=1) + cycle_us) / 2,
        "wait_bound_us": served * (np.maximum(gathering, 0).max(axis=1) + cycle_us),
    }
