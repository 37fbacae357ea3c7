"""Designs that papers published, placed in a study: at their ratios to a baseline, times the study's own baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dse.reports.study import Study

_TASKS = 8
"""For how many tasks the areas were published."""


@dataclass(frozen=True, slots=True)
class Published:
    """One design of a paper; what it does not say is None.

    Attributes:
        name: paper and mode.
        area_ratio: arrays to those of separate 8-bit models, at eight tasks.
        energy_ratio: energy of a request to theirs.
        drop: points lost to them.
    """

    name: str
    area_ratio: float | None = None
    energy_ratio: float | None = None
    drop: float | None = None

    @property
    def tells_one(self) -> bool:
        """Whether the paper tells a single metric."""
        return (self.area_ratio, self.energy_ratio, self.drop).count(None) == 2


# ICCAD 2021: Kang et al., figures 14 and 15 and the abstract; the energy is from the efficiency by area, 3.4x and 4.5x.
# TC 2023: the abstract of MGen says up to 4.4x energy efficiency, and nothing of area or accuracy.
DESIGNS = (
    Published("ICCAD 2021, acc", 0.26, 1 / (3.4 * 0.26), -0.1),
    Published("ICCAD 2021, opt", 0.23, None, 0.7),
    Published("ICCAD 2021, agg", 0.21, 1 / (4.5 * 0.21), 2.7),
    Published("TC 2023", energy_ratio=1 / 4.4),
)


def place_design(design: Published, study: Study) -> Mapping[str, float]:
    """Metrics of a published design in a study, those that the paper and the study's baseline tell.

    At n tasks the area is 1/n of the baseline's for the base they share, and for each task's own difference what is left of
    the published ratio after the base's eighth: the law 1/n + r of the ICCAD 2021 paper.
    """
    found = {}
    tasks, baseline = len(study.columns("score.")), study.baseline
    if design.area_ratio is not None and "area_mm2" in baseline and tasks:
        found["area_mm2"] = (1 / tasks + design.area_ratio - 1 / _TASKS) * baseline["area_mm2"]
    if design.energy_ratio is not None and "energy_uj" in baseline:
        found["energy_uj"] = design.energy_ratio * baseline["energy_uj"]
    if design.drop is not None and "score_mean" in baseline:
        found["score_mean"] = baseline["score_mean"] - design.drop / 100
        found["accuracy_drop"] = design.drop
    return found
