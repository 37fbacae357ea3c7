"""Costs of the designs of a problem: what its plugins charge, beside every baseline on each design's own hardware."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from dse.cost.breakdown import Row, break_down
from dse.cost.combination import Combination, combination, group_by_combination, stack
from dse.cost.comparisons import Comparisons
from dse.cost.cost import Built, baseline_cost, cost_points
from dse.cost.counted import Counted
from dse.cost.metrics import CostTable, cost_results, cost_table
from dse.cost.own_baseline import OwnBaseline
from dse.cost.sum import Costs
from dse.errors import SpaceError
from dse.opened import heard
from dse.plugins.contract import Hardware
from dse.plugins.origin import Origin
from dse.records.design import DesignPoint
from dse.records.params import Params
from dse.records.plugin import KINDS, Kind
from dse.records.scored import BaselineCosts, CostResult
from dse.records.workload import Workload
from dse.score.best import Best

CHUNK = 512
"""Designs costed at once: enough to amortise numpy's calls, few enough for arrays to stay in the CPU's cache."""
_TASKS_AT_ONCE = 4096
"""Tasks of all designs that are costed at once."""


class BuiltReference(NamedTuple):
    """Hardware on which the baseline of the columns ``*_reference`` is costed: a built model, its name and parameters."""

    name: str
    model: Hardware
    params: Params


class Costing:
    """Costs of designs of a workload.

    Args:
        workload: all tasks.
        origins: plugins that the study names, by ``kind.name``.
        reference: the reference hardware.

    Attributes:
        best: bits of the baseline ``best``.
    """

    def __init__(self, workload: Workload, origins: Mapping[str, Origin], reference: BuiltReference) -> None:
        self._workload, self._origins, self._reference = workload, origins, reference
        self._counted: Counted | None = None
        self.best = Best()

    @property
    def workload(self) -> Workload:
        """The tasks that costs are for."""
        return self._workload if self._counted is None else self._counted.workload

    @cached_property
    def baseline(self) -> Costs:
        """Cost of the baseline on the reference hardware."""
        return baseline_cost(self.workload, self._reference.model, self._reference.name, self._reference.params)

    @property
    def chunk(self) -> int:
        """Number of designs to cost at once: the arrays of a design grow with its tasks."""
        return max(1, min(CHUNK, _TASKS_AT_ONCE // len(self._workload.tasks)))

    def leave_out_others(self, counted: Counted) -> None:
        """Let costs be for some tasks alone from here on, those of baselines included."""
        self._counted = counted
        for name in ("baseline", "_own", "_comparisons"):
            self.__dict__.pop(name, None)

    def build(self, combination: Combination) -> Built:
        """Return the four plugins of a combination.

        Raises:
            SpaceError: the study does not name one of them.
        """
        names = [f"{kind}.{name}" for kind, name in zip(KINDS, combination, strict=True)]
        for kind, name in zip(KINDS, names, strict=True):
            if name not in self._origins:
                raise SpaceError("the study does not name this plugin", where=kind, found=" + ".join(combination))
        generator, compressor, scheduler, hardware = (self._origins[name] for name in names)
        return Built(combination, generator.plugin, compressor.plugin, scheduler.plugin, hardware.plugin, hardware.api)

    def names(self, points: Sequence[DesignPoint]) -> tuple[str, ...]:
        """Return the names of all components that some designs, and the baseline, are charged for."""
        names = dict.fromkeys(self.baseline.names)
        for point in points:
            names |= dict.fromkeys(self.cost_columns(combination(point), stack([point])).costed.costs.names)
        return tuple(names)

    def cost(self, points: Sequence[DesignPoint]) -> list[CostResult]:
        """Cost many designs, in the given order."""
        results: dict[int, CostResult] = {}
        chunks = [(chosen, at, stack([points[index] for index in at])) for chosen, at in _chunks(points, self.chunk)]
        for name in dict.fromkeys(chosen[3] for chosen, _, _ in chunks):
            with heard(self._origins[f"hardware.{name}"].files):
                alike = [params["hardware"] for chosen, _, params in chunks if chosen[3] == name]
                self._own[name].cost_together(alike, self.best.schemes)
        for chosen, at, params in chunks:
            rows = cost_results(self.cost_columns(chosen, params), self.workload.task_names)
            results.update(zip(at, rows, strict=True))
        return [results[index] for index in range(len(points))]

    def cost_measured(self, point: DesignPoint, reach: Mapping[str, tuple[float, ...]]) -> CostResult:
        """Return the cost of a design whose inputs run each layer in these shares, by task."""
        return cost_results(self.cost_columns(combination(point), stack([point]), reach), self.workload.task_names)[0]

    def break_down(self, point: DesignPoint, reach: Mapping[str, tuple[float, ...]]) -> list[Row]:
        """Return the parts of a design's costs, whose inputs run each layer in these shares; see `dse.cost.breakdown`."""
        chosen, params = combination(point), stack([point])
        with heard(self._origins[f"hardware.{chosen[3]}"].files):
            built = self.build(chosen)
            costed = cost_points(self._workload, built, params, reach, self._counted)
            return break_down(costed, built, params["hardware"])

    def cost_columns(
        self,
        chosen: Combination,
        params: Mapping[Kind, Params],
        reach: Mapping[str, tuple[float, ...]] = MappingProxyType({}),
    ) -> CostTable:
        """Return the costs of designs of one combination by column, with ratios to each baseline on their own hardware."""
        name = chosen[3]
        with heard(self._origins[f"hardware.{name}"].files):
            costed = cost_points(self._workload, self.build(chosen), params, reach, self._counted)
            own, schemes = self._own[name], self.best.schemes
            beside = {suffix: own.cost(params["hardware"], one) for suffix, one in schemes.items()}
        return cost_table(costed, beside, self.baseline)

    def compare(self, points: Sequence[DesignPoint], throughput_rps: Sequence[float | None]) -> list[BaselineCosts]:
        """Return each baseline's cost by column, on each design's own hardware, by the baseline's name."""
        beside: dict[int, BaselineCosts] = {}
        rates = np.array(throughput_rps, dtype=float)
        for chosen, chunk in _chunks(points, self.chunk):
            params = stack([points[index] for index in chunk])
            costed = self.cost_columns(chosen, params).costed
            with heard(self._origins[f"hardware.{chosen[3]}"].files):
                own = self._comparisons[chosen[3]]
                rows = own.cost(costed, params["hardware"], self.best.scheme, rates[chunk])
            beside.update(zip(chunk, rows, strict=True))
        return [beside[index] for index in range(len(points))]

    @cached_property
    def _own(self) -> dict[str, OwnBaseline]:
        hardware = {
            name.partition(".")[2]: origin for name, origin in self._origins.items() if name.startswith("hardware.")
        }
        return {name: OwnBaseline(self.workload, name, one.plugin, one.api) for name, one in hardware.items()}

    @cached_property
    def _comparisons(self) -> dict[str, Comparisons]:
        return {name: Comparisons(own) for name, own in self._own.items()}


def _chunks(points: Sequence[DesignPoint], size: int) -> Iterator[tuple[Combination, list[int]]]:
    """Yield a combination of plugins, and the places of some designs with it, until all designs were yielded."""
    for chosen, indices in group_by_combination(points).items():
        for start in range(0, len(indices), size):
            yield chosen, indices[start : start + size]
