"""Rows of a study, and how to write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dse.records.design import PluginParameter
from dse.records.parameters import Float, Int, Permutation
from dse.results.columns import study_columns
from dse.results.writer import Rows, write_tables

TASKS = ("trec6", "sst2")
REFERENCE = {"area_ratio": 1.0, "accuracy_drop": 5.0}
OLD = (
    PluginParameter("generator", "shared-prefix", Int(name="depth", low=0, high=2, default=0, scope=("task",))),
    PluginParameter("hardware", "isaac", Int(name="adc_bits", low=4, high=8, default=8)),
    PluginParameter("scheduler", "searched", Permutation(name="order")),
)
NEW = (*OLD, PluginParameter("compressor", "two-stage", Float(name="cosine", low=0.0, high=1.0, default=0.5)))


def row(trial: int, area: float, score: float | None, **more: Any) -> dict[str, Any]:
    values = {
        "trial": trial,
        "accounting": 2,
        "status": "done" if score is not None else "failed",
        "stage": "score",
        "source": "sampler",
        "generator": "shared-prefix",
        "compressor": "none",
        "scheduler": "searched",
        "hardware": "isaac",
        "order": ["sst2", "trec6"],
        "visit_us": [2.0, 3.0],
        "switch_us": [0.0, 0.5],
        "area_mm2": area,
        "energy_uj": 2.0,
        "area_ratio": area / 10,
        "score_mean": score,
        "accuracy_drop": None if score is None else 100 * (0.9 - score),
        "score.trec6": score,
        "param.generator.shared-prefix.depth": (trial % 3, 1),
        "param.hardware.isaac.adc_bits": 8,
        "param.scheduler.searched.order": (1, 0),
        "area.adc": area,
        "evaluated_tasks": 1,
        "seed": 7,
        **more,
    }
    ratios = {f"{name}_reference": value for name, value in values.items() if name.endswith("_ratio")}
    return {**ratios, **values}


def write(
    folder: Path,
    parameters: tuple[PluginParameter, ...],
    rows: list[dict[str, Any]],
    *,
    objectives: tuple[str, ...] = ("area", "accuracy"),
    reference: dict[str, float] = REFERENCE,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    columns = study_columns(parameters, TASKS, ["adc", "arrays"])
    write_tables(
        folder,
        Rows(columns, rows),
        study=folder.name,
        objectives=objectives,
        reference_point=reference,
    )
    return folder
