"""The component table against ISAAC's published totals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.table import published_chip

import dse
from benchmarks.figures import Figure, measures
from benchmarks.problems import encoder
from dse.cost.cost import separate_cost
from dse.cost.reference import default_value
from dse.cost.sum import Costs

PUBLISHED = "Shafiee et al., ISCA 2016 (corrected), table I and IV"


@measures("isaac.chip_area_mm2", "isaac.chip_power_w", "isaac.gops_per_w", "isaac.max_error_percent")
def published() -> Iterator[Figure]:
    """Totals that the table adds up to, and the largest difference from what is published."""
    chip = published_chip()
    pairs = {
        "isaac.chip_area_mm2": (chip.chip_mm2, 85.4, "mm2"),
        "isaac.chip_power_w": (chip.chip_w, 65.8, "W"),
        "isaac.gops_per_w": (chip.gops_per_w, 627.5, "GOPS/W"),
    }
    for name, (value, paper, unit) in pairs.items():
        yield Figure(name, value, unit, f"<= {1.01 * paper:.6g}", f"{PUBLISHED}: {paper}")
    tile = [(chip.tile_mm2, 0.372), (chip.tile_mw, 330.0)]
    worst = max(abs(value / paper - 1) for value, paper in [*((v, p) for v, p, _ in pairs.values()), *tile])
    yield Figure("isaac.max_error_percent", 100 * worst, "%", "<= 1", f"{PUBLISHED}; tile 0.372 mm2 and 330 mW as well")


PEAK_TOPS = 41.29
"""Published peak of a chip of 168 tiles: 627.5 GOPS/W at 65.8 W."""


@measures("isaac.peak_ratio")
def peak() -> Iterator[Figure]:
    """Throughput of ISAAC's own 16-bit configuration with as many replicas as a chip of 168 tiles holds."""
    tops, replicas = isaac_tops()
    said = f"{PUBLISHED}: {PEAK_TOPS:g} TOPS; {tops:.2f} TOPS with {replicas} replicas of a layer of 512 and 2048"
    yield Figure("isaac.peak_ratio", tops / PEAK_TOPS, "ratio", ">= 0.95", said)


def isaac_tops() -> tuple[float, int]:
    """Return tera-operations per second of static products, and the replicas on the chip."""
    layer = encoder(1, 512, 2048, 8)
    task = dse.Task("dense", 128.0, 128.0**2, 0, 1.0)
    load = dse.Workload("dense", layer, (task,), dse.Traffic(requests_per_s=1.0))
    model = Isaac(IsaacOptions(digital_macs=10**9, digital_lanes=10**9))  # static products alone
    # ISAAC's peak counts 128 conversions per cycle; the unit column of flip encoding would be one more
    own = {"cell_bits": table.CELL_BITS, "encoding": "offset", "input_bits": table.WEIGHT_BITS}
    values: dict[str, Any] = {item.name: default_value(item, load) for item in model.parameters(load)} | own

    def cost(replicas: int) -> Costs:
        columns = values | {"task_replicas": replicas}
        params = dse.Params(1, {name: np.array([value]) for name, value in columns.items()})
        return separate_cost(load, model, "isaac", params, table.WEIGHT_BITS - 1)[0]

    tiles = cost(1).array_area_mm2[0] / published_chip().tile_mm2
    replicas = int(table.TILES_PER_CHIP / tiles)
    return float(cost(replicas).find("tops")[0]), replicas
