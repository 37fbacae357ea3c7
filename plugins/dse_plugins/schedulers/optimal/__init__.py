"""Scheduler ``optimal``: the cyclic order with the cheapest switches, proven.

On a chip that is smaller than its weights, the cost of a switch depends on the whole turn. Up to seven tasks, all turns are
tried. With more tasks, and where the cost of a switch depends on its two tasks alone, the order is a travelling
salesman's tour over directed distances. Up to twelve tasks dynamic programming finds it, for all designs at once; with more
tasks, integer programming with cuts finds it. On a small chip with more than seven tasks these distances are estimates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dse import plugin


class OrderOptions(plugin.Options):
    """Options of ``optimal``.

    Attributes:
        minimise: cost that the order minimises: energy or latency of the switches of one turn.
    """

    minimise: Literal["energy", "latency"] = "energy"


class Optimal(plugin.Base):
    """Each task once per turn, in the order with the cheapest switches."""

    options: OrderOptions

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the requests per visit."""
        return (plugin.batch_parameter(workload),)

    def order(self, components: plugin.Components, workload: plugin.Workload, params: plugin.Params) -> plugin.Schedule:
        """Find each design's best order; keep the listed order if no other is cheaper."""
        from dse_plugins.schedulers.optimal.tours import best_tours
        from dse_plugins.schedulers.optimal.turns import MOST_TRIED, best_turns

        charge = "switch_energy_uj" if self.options.minimise == "energy" else "switch_latency_us"
        if components.residency is None or len(workload.tasks) > MOST_TRIED:
            steps = best_tours(getattr(components, charge))
        else:
            steps = best_turns(components, charge, shared=workload.traffic.mode == "shared")
        return plugin.in_turn(workload, steps, params)


@plugin.hookimpl
def dse_schedulers() -> Iterable[plugin.Scheduler]:
    """Yield the one scheduler."""
    yield plugin.Scheduler(
        api=2,
        name="optimal",
        summary="the order with the cheapest switches, proven; an estimate for more than 7 tasks on a small chip",
        build=Optimal,
        options=OrderOptions,
        source="Held and Karp, J. SIAM 1962; Dantzig, Fulkerson and Johnson, Operations Research 1954",
    )
