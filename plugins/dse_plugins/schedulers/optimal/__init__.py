"""Scheduler ``optimal``: the cyclic order whose switches cost least, proven.

The cost of serving a task after another depends on these two alone, so the best order is a travelling salesman's tour over
directed distances. Up to twelve tasks it is found by dynamic programming, for all points of a batch at once; beyond, by
integer programming with cuts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dse import plugin


class OrderOptions(plugin.Options):
    """What an order is judged by.

    Attributes:
        minimise: energy or latency of the switches of one cycle.
    """

    minimise: Literal["energy", "latency"] = "energy"


class Optimal:
    """Each task once a cycle, in the order with the cheapest switches."""

    def __init__(self, options: OrderOptions) -> None:
        self.options = options

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Requests at a visit."""
        return (plugin.batch_parameter(workload),)

    def prepare(self, context: plugin.Context) -> None:
        """Nothing to do."""

    def order(self, components: plugin.Components, workload: plugin.Workload, params: plugin.Params) -> plugin.Schedule:
        """Find each point's best order; where none is cheaper than the listed one, serve that."""
        from dse_plugins.schedulers.optimal.tours import best_tours

        energy = self.options.minimise == "energy"
        steps = best_tours(components.switch_energy_uj if energy else components.switch_latency_us)
        return plugin.in_turn(workload, steps, params)


@plugin.hookimpl
def dse_schedulers() -> Iterable[plugin.Scheduler]:
    """Yield the one scheduler."""
    yield plugin.Scheduler(
        name="optimal",
        summary="the order with the cheapest switches, proven",
        build=Optimal,
        options=OrderOptions,
        source="Held and Karp, J. SIAM 1962; Dantzig, Fulkerson and Johnson, Operations Research 1954",
    )
