"""Runs: how often one request runs each task's layers, and which task runs a layer that several tasks share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dse.records.arrays import Bools, Floats, Ints
from dse.records.demand import Demand
from dse.records.schedule import Schedule
from dse.records.workload import Workload


class Runs(NamedTuple):
    """Work of one request.

    Attributes:
        layers: (P, T, L) how often it runs each task's layer.
        enters: (P, T) how often it embeds an input for each task.
        answers: (P, T) how often it answers for each task.
        leader: (P, T, L) first visited task that has computed the same up to each layer; None where each request is for one
            task.
    """

    layers: Floats
    enters: Floats
    answers: Floats
    leader: Ints | None = None


def count_runs(workload: Workload, demand: Demand, schedule: Schedule) -> Runs:
    """Count the work of one request; the tasks of a shared input run in the order of their visits."""
    shape = demand.owner.shape
    reach = np.ones((1, 1, 1)) if demand.exits is None else demand.exits.reach
    same = compare_inputs(workload, demand)
    if same is None:
        rates = np.array([task.rate for task in workload.tasks])
        each = np.broadcast_to(rates, shape[:2])
        return Runs(np.broadcast_to(rates[None, :, None] * reach, shape), each, each)
    tasks = np.arange(shape[1])[:, None]
    leader = find_leaders(same, schedule.task)
    layers = (leader == tasks).astype(float)
    if demand.exits is not None:
        # A layer that tasks share runs until the last task has left. Their exits count as independent of each other.
        layers *= 1.0 - np.where(same, 1.0 - reach[:, None], 1.0).prod(axis=2)
    # Tasks share one input, and its embeddings if these are equal.
    read = np.broadcast_to(_read_the_same(workload)[..., None], (*same.shape[:3], 1))
    once = (find_leaders(read, schedule.task) == tasks)[..., 0].astype(float)
    return Runs(layers, once, np.ones(shape[:2]), leader)


def compare_inputs(workload: Workload, demand: Demand) -> Bools | None:
    """Whether two tasks compute the same values from a shared input up to a layer, (P, T, T, L); None where inputs differ."""
    if workload.traffic.mode == "independent":
        return None
    computes = demand.owner if demand.computes is None else demand.computes
    same = np.logical_and.accumulate(computes[:, :, None, :] == computes[:, None, :, :], axis=-1)
    return np.asarray(same & _read_the_same(workload)[None, :, :, None])


def find_leaders(same: Bools, visits: Ints) -> Ints:
    """Return the first visited task that computes the same as each task up to each layer, (P, T, L).

    Args:
        same: (P, T, T, L) whether two tasks compute the same.
        visits: (P, n) task of each visit.
    """
    order = order_tasks(visits, same.shape[1])
    first = np.take_along_axis(same, order[:, None, :, None], axis=2).argmax(axis=2)
    return np.asarray(order[np.arange(len(order))[:, None, None], first])


def order_tasks(visits: Ints, tasks: int) -> Ints:
    """Return the tasks in the order of their first visits, (P, T)."""
    return np.asarray((visits[:, :, None] == np.arange(tasks)).argmax(axis=1).argsort(axis=1))


def _read_the_same(workload: Workload) -> Bools:
    """Whether two tasks have the same embeddings, (T, T)."""
    reads = np.array([task.embeddings for task in workload.tasks])
    return np.asarray(reads[:, None] == reads)
