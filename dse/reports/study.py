"""Data of a study for figures: its trials, its front, its baseline, and the labels of its columns on axes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dse.results.baseline import agreed_values, baseline_metrics, baseline_scores, best_metrics
from dse.results.files import PROVENANCE, TRIALS
from dse.results.objectives import Objective, read_objectives
from dse.results.plain import plain_value
from dse.results.read import read_provenance, read_table, table_file, to_frame
from dse.results.status import Status

AXES = {
    "area_mm2": "chip area, mm²",
    "energy_uj": "energy per request, µJ",
    "latency_us": "latency per request, µs",
    "score_mean": "mean score",
    "accuracy_drop": "points lost",
}


def title(column: str) -> str:
    """Return the title of a column on an axis: the words of `AXES`, or else its name."""
    return AXES.get(column, column)


@dataclass(frozen=True)
class Study:
    """Data of one study that figures draw.

    Attributes:
        name: name of the study in its space file.
        folder: folder of its tables.
        objectives: its objectives.
        reference: worst value by metric, from which hypervolume is measured.
        trials: table with one row per trial.
        provenance: provenance of its sessions; empty if the file is missing.
    """

    name: str
    folder: Path
    objectives: tuple[Objective, ...]
    reference: Mapping[str, float]
    trials: pd.DataFrame
    provenance: Mapping[str, Any]

    @cached_property
    def front(self) -> pd.DataFrame:
        """Designs that no other design beats, sorted by the first objective, best first."""
        first = self.objectives[0]
        rows = self.trials[self.trials["on_front"].fillna(value=False)]
        return rows.sort_values([first.column, "trial"], ascending=[not first.maximise, True])

    @property
    def dominated(self) -> pd.DataFrame:
        """Done designs that another design beats."""
        return self.trials[(self.trials["status"] == Status.DONE) & ~self.trials["on_front"].fillna(value=False)]

    @property
    def infeasible(self) -> pd.DataFrame:
        """Designs that break a limit."""
        return self.trials[self.trials["status"] == Status.INFEASIBLE]

    @cached_property
    def baseline(self) -> dict[str, float]:
        """Metrics of separate 8-bit models, as far as the trials determine them."""
        return baseline_metrics(self.trials)

    @cached_property
    def best(self) -> dict[str, float]:
        """Metrics of separate models in the fewest bits without a loss, as far as the trials determine them."""
        return best_metrics(self.trials)

    @cached_property
    def baseline_scores(self) -> dict[str, float]:
        """Score of each task's separate model, or no scores if the trials do not determine them."""
        return baseline_scores(self.trials)

    @cached_property
    def chance_scores(self) -> dict[str, float]:
        """Score of the best constant answer by task; empty for tables of older versions."""
        return agreed_values(self.trials, "chance.")

    def columns(self, prefix: str) -> list[str]:
        """Return the columns whose names begin with the prefix, in the table's order."""
        return [name for name in self.trials.columns if name.startswith(prefix)]


def load(path: Path | str) -> Study:
    """Read a study.

    Args:
        path: folder of the study, or its table of trials.

    Raises:
        StudyError: there is no study, or one of its files is damaged.
    """
    file = table_file(path, TRIALS)
    table, metadata = read_table(file)
    provenance = file.parent / PROVENANCE
    return Study(
        name=metadata["study"],
        folder=file.parent,
        objectives=read_objectives(metadata["objectives"]),
        reference=metadata["reference_point"],
        trials=to_frame(table, file),
        provenance=read_provenance(provenance) if provenance.is_file() else {},
    )


def plain(values: Iterable[Any]) -> list[Any]:
    """Return a column as a list of plain Python values: plotly writes these as readable numbers, arrays as bytes."""
    return [plain_value(value) for value in values]
