"""What the order of tasks is worth: two trunks of four tasks each on a chip that holds the model of one.

Shapes of MiniLM-L6, equal rates, eight tasks whose trunks alternate in the listed order. All 5,040 cycles are costed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from benchmarks.figures import Figure, choose_size, measures
from benchmarks.problems import encoder, shapes
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.sum import total
from dse.records.parameters import INPUT_BITS

TASKS = 8
LAYERS = 6
OWN = 2
BATCHES = (1, 32, 1024)


@dataclass(frozen=True, slots=True)
class Orders:
    """Energy of one request in every order.

    Attributes:
        energy_uj: energy of each cycle, (5040,), uJ.
        optimal_uj: energy in the order that `optimal` chose, uJ.
        listed_uj: energy in the listed order, uJ.
    """

    energy_uj: NDArray[np.float64]
    optimal_uj: float
    listed_uj: float

    @property
    def saving(self) -> float:
        """Share of the worst order's energy that `optimal` saves."""
        return 1 - self.optimal_uj / float(self.energy_uj.max())


def measured(batch: int, own: int = OWN, tasks: int = TASKS) -> Orders:
    """Cost every order.

    Args:
        batch: requests served at a visit.
        own: number of last layers of each task that are its own.
        tasks: number of tasks, half of them on each trunk.
    """
    load = replace(shapes(tasks, encoder(LAYERS, 384, 1536, 12)), traffic=dse.Traffic("independent", float(batch)))
    registry = dse.Registry().discover()
    generator: Any = registry.build("generator", "mgen", {"trunks": 2})
    hardware: Any = registry.build("hardware", "isaac")
    optimal: Any = registry.build("scheduler", "optimal")
    chosen = {"layers": [LAYERS], "own": [[own] * tasks], "trunk": [[task % 2 for task in range(tasks)]]}
    plan = generator.plan(load, dse.Params(1, {name: np.array(value) for name, value in chosen.items()}))
    wanted = demand(load, plan, generator="mgen", joint=True)
    footprint = dse.whole_footprint(wanted)
    values = {item.name: np.array([item.default]) for item in (*hardware.parameters(load), INPUT_BITS)}
    counts = count(load, wanted, footprint, hardware.geometry(dse.Params(1, values)))
    needed = counts.arrays[0, [dse.BASE, wanted.task_owner(0)]].sum()
    per_tile = values["arrays_per_ima"][0] * hardware.options.imas_per_tile
    values["tiles"] = np.array([int(np.ceil(needed / per_tile))])
    components = hardware.components(load, wanted, counts, footprint, dse.Params(1, values))

    def energy(order: NDArray[np.int64]) -> float:
        batches = np.take_along_axis(dse.requests_per_visit(load, 1), order, axis=1)
        return float(total(load, wanted, components, dse.Schedule(order, batches), who="order").energy_uj[0])

    orders = np.array([(0, *rest) for rest in permutations(range(1, tasks))])
    return Orders(
        np.array([energy(order[None]) for order in orders]),
        energy(optimal.order(components, load, dse.Params(1)).task),
        energy(np.arange(tasks)[None]),
    )


@measures("order.saving_vs_worst", *(f"order.saving_vs_worst_batch_{batch}" for batch in BATCHES[1:]))
def order() -> Iterator[Figure]:
    """Compare the order that `optimal` chose with every other."""
    for batch in BATCHES:
        found = measured(batch, tasks=choose_size(TASKS, 4))
        name = "order.saving_vs_worst" + (f"_batch_{batch}" if batch > 1 else "")
        lost = found.optimal_uj / float(found.energy_uj.min()) - 1
        text = (
            f"two trunks of four tasks, {LAYERS - OWN} of {LAYERS} layers shared, a chip that holds one model, batch "
            f"{batch}; {len(found.energy_uj)} cycles, optimal is {lost:.1e} above the best; listed order costs "
            f"{found.listed_uj / found.optimal_uj:.2f}x"
        )
        yield Figure(name, found.saving, "share of energy", ">= 0.2" if batch == 1 else "", text)
