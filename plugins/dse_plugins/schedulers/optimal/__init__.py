"""Scheduler ``optimal``: the cyclic order whose switches cost least, proven.

The cost of serving a task after another depends on these two alone, so the best order is a travelling salesman's tour over
directed distances. Up to twelve tasks it is found by dynamic programming, for all points of a batch at once; beyond, by
integer programming with cuts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import dse


class OrderOptions(dse.Options):
    """What an order is judged by.

    Attributes:
        minimise: energy or latency of the switches of one cycle.
    """

    minimise: Literal["energy", "latency"] = "energy"


class Optimal:
    """Each task once a cycle, in the order with the cheapest switches."""

    def __init__(self, options: OrderOptions) -> None:
        self.options = options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Requests at a visit."""
        return (dse.batch_parameter(workload),)

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do."""

    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        """Find each point's best order; where none is cheaper than the listed one, serve that."""
        from dse_plugins.schedulers.optimal.tours import best_tours

        energy = self.options.minimise == "energy"
        steps = best_tours(components.switch_energy_uj if energy else components.switch_latency_us)
        return dse.in_turn(workload, steps, params)


@dse.hookimpl
def dse_schedulers() -> Iterable[dse.Scheduler]:
    """Yield the one scheduler."""
    yield dse.Scheduler(
        name="optimal",
        summary="the order with the cheapest switches, proven",
        build=Optimal,
        options=OrderOptions,
        source="Held and Karp, J. SIAM 1962; Dantzig, Fulkerson and Johnson, Operations Research 1954",
    )
