"""Designs without a sampler: costed alone, with ratios and baselines, for benchmarks of the yardstick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import dse
from benchmarks.problems import Statistics, encoder
from dse.cost.comparisons import Comparison
from dse.cost.cost import Built, baseline_cost, cost_points
from dse.cost.metrics import cost_results
from dse.cost.own_baseline import PAPER, OwnBaseline, Scheme
from dse.cost.reference import default_value
from dse.records.footprint import Piece
from dse.records.parameters import INPUT_BITS
from dse.records.plugin import KINDS
from dse.records.scored import CostResult

BEST = Scheme(4, 6)
"""The baseline ``best`` of the quickstart's tasks."""
Chosen = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """A costed design, and the baselines beside it."""

    result: CostResult
    baselines: Mapping[str, Mapping[str, float | None]]

    def __getitem__(self, name: str) -> float:
        return float(self.result.metrics[name] or 0.0)


class PostTraining(dse.plugin.Base):
    """Separate models in some magnitude bits with a scale per output; or all of them in SRAM."""

    def __init__(self, bits: int, *, digital: bool = False) -> None:
        self.bits, self.digital = bits, digital

    def footprint(self, workload: Any, demand: dse.Demand, geometry: Any, params: Any) -> dse.Footprint:
        """Charge the codes and their scales."""
        del workload, geometry, params
        plain = dse.whole_footprint(demand, 2.0**self.bits - 1, per_output=True)
        if not self.digital:
            return plain
        (piece,) = plain.pieces
        bits = plain.digital_bits + piece.rows * piece.columns * (self.bits + 1.0)
        return replace(
            plain, pieces=(Piece(piece.rows, piece.columns, piece.magnitude, digital=True),), digital_bits=bits
        )


def shapes(tasks: int, shape: tuple[int, ...], tokens: float = 20.0, **traffic: Any) -> dse.Workload:
    """Tasks on an encoder, whose traffic may differ from the default."""
    names = [f"task{index}" for index in range(tasks)]
    of = encoder(*shape)
    parts = tuple(dse.Task(name, tokens, tokens**2, of.hidden * (of.hidden + 3), 1 / tasks) for name in names)
    digests = {"base": "base"} | {f"{part}.{name}": name for part in ("task", "data") for name in names}
    return dse.Workload("shapes", of, parts, dse.Traffic(**traffic), digests)


def cost(
    load: dse.Workload,
    generator: Chosen = ("independent", {}),
    compressor: Chosen | Any = ("none", {}),
    hardware: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    reference: Mapping[str, Any] | None = None,
) -> Case:
    """Cost one design with ratios and baselines."""
    registry = dse.Registry().discover()
    plugins: dict[str, Any] = {"scheduler": registry.build("scheduler", "fixed", {})}
    chosen = {"generator": generator, "compressor": compressor, "hardware": ("isaac", hardware or {})}
    for kind, item in chosen.items():
        given = (options or {}) if kind == "hardware" else {}
        plugins[kind] = registry.build(kind, item[0], given) if isinstance(item, tuple) else item  # type: ignore[arg-type]
    params: Any = {}
    for kind in KINDS:
        own = chosen[kind][1] if isinstance(chosen.get(kind), tuple) else {}
        declared = plugins[kind].parameters(load)
        if kind != "hardware":
            plugins[kind].prepare(Statistics(load))
        values = {item.name: own.get(item.name, default_value(item, load)) for item in declared}
        params[kind] = dse.Params(
            1, {name: np.array([value]) for name, value in ({INPUT_BITS.name: 8} | values).items()}
        )
    built = Built(("g", "c", "s", "isaac"), *(plugins[kind] for kind in KINDS))
    model = plugins["hardware"]
    baseline = OwnBaseline(load, "isaac", model)
    own = {"": baseline.cost(params["hardware"], PAPER), "_best": baseline.cost(params["hardware"], BEST)}
    other = registry.build("hardware", "isaac", {})
    usual = {item.name: (reference or {}).get(item.name, default_value(item, load)) for item in other.parameters(load)}
    fixed = dse.Params(1, {name: np.array([value]) for name, value in ({INPUT_BITS.name: 8} | usual).items()})
    costed = cost_points(load, built, params)
    (result,) = cost_results(costed, own, baseline_cost(load, other, "isaac", fixed), load.task_names)
    return Case(result, Comparison(load, built, params, BEST, baseline.stated).cost())
