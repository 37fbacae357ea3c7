"""Designs that papers published, placed in a study at their ratios to a baseline, times the study's own baseline."""

from collections.abc import Mapping
from dataclasses import dataclass

from dse.reports.study import Study

_TASKS = 8
"""Number of tasks of the published areas."""


@dataclass(frozen=True, slots=True)
class Published:
    """One design of a paper; None stands for a value that the paper does not give.

    Attributes:
        name: paper and mode.
        area_ratio: area of the arrays, relative to separate 8-bit models, at eight tasks.
        energy_ratio: energy per request, relative to separate 8-bit models.
        drop: percentage points lost against separate 8-bit models.
    """

    name: str
    area_ratio: float | None = None
    energy_ratio: float | None = None
    drop: float | None = None

    @property
    def tells_one(self) -> bool:
        """Whether the paper gives a single metric."""
        return (self.area_ratio, self.energy_ratio, self.drop).count(None) == 2


# ICCAD 2021: Kang et al., figures 14 and 15 and the abstract; the energy is from the efficiency by area, 3.4x and 4.5x.
# TC 2023: the abstract of MGen gives up to 4.4x energy efficiency, and neither area nor accuracy.
DESIGNS = (
    Published("ICCAD 2021, acc", 0.26, 1 / (3.4 * 0.26), -0.1),
    Published("ICCAD 2021, opt", 0.23, None, 0.7),
    Published("ICCAD 2021, agg", 0.21, 1 / (4.5 * 0.21), 2.7),
    Published("TC 2023", energy_ratio=1 / 4.4),
)


def place_design(design: Published, study: Study) -> Mapping[str, float]:
    """Return the metrics of a published design in a study, as far as the paper and the study's baseline give them.

    The law 1/n + r of the ICCAD 2021 paper gives the area at n tasks, relative to the baseline: 1/n for the shared
    base, and r for the deltas. The published ratio at eight tasks, less the base's eighth, is r.
    """
    metrics = {}
    tasks, baseline = len(study.columns("score.")), study.baseline
    if design.area_ratio is not None and "area_mm2" in baseline and tasks:
        metrics["area_mm2"] = (1 / tasks + design.area_ratio - 1 / _TASKS) * baseline["area_mm2"]
    if design.energy_ratio is not None and "energy_uj" in baseline:
        metrics["energy_uj"] = design.energy_ratio * baseline["energy_uj"]
    if design.drop is not None and "score_mean" in baseline:
        metrics["score_mean"] = baseline["score_mean"] - design.drop / 100
        metrics["accuracy_drop"] = design.drop
    return metrics
