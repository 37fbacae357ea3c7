"""The component table against ISAAC's published totals."""

from __future__ import annotations

from collections.abc import Iterator

from dse_plugins.hardware.isaac.table import published_chip

from benchmarks.figures import Figure, measures

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
