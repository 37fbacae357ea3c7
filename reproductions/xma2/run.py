"""XMA2 on the eight packaged tasks: points lost by share of reprogrammed PEs, trained and not, beside what it is compared with.

`FULL=1` runs everything and writes the record, from which figures and the page come otherwise. Every design is fixed before
it is scored, the same share for all tasks, and scored on the report split; what is trained, from three seeds, of which the
median counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import RECORDED, SETTINGS, Figure, measures
from benchmarks.pages import read_record, write_record
from benchmarks.problems import SPACES
from dse.study.provenance import ACCOUNTING
from reproductions.mgen2023.studies import problem_of
from reproductions.xma2.designs import DESIGNS, PUBLISHED_MASK, ROWS_OF_PUBLISHED, mask_memory, space_of
from reproductions.xma2.page import PAGE, page

RECORD = Path(__file__).parent / "record.json"
COSTS = ("array_area_ratio", "energy_ratio", "latency_ratio", "offchip_mb", "writes", "lifetime_years")


@measures(
    "xma2.drop_at_10pct.trained",
    "xma2.drop_at_10pct.training_free",
    "xma2.drop_scales_only",
    "xma2.lifetime_years",
    "xma2.area_ratio",
    "xma2.mask_memory_vs_piggyback",
)
def xma2() -> Iterator[Figure]:
    """Figures of the record, measured again with ``--full``."""
    if SETTINGS.full:
        measure()
    memory = mask_memory(ROWS_OF_PUBLISHED)
    text = f"bits of a column mask by those of a weight mask, {ROWS_OF_PUBLISHED} rows per column; XBM publishes {PUBLISHED_MASK:g}"
    yield Figure("xma2.mask_memory_vs_piggyback", memory, "ratio", "<= 0.0145", text)
    rows = read_record(RECORD)["designs"]
    for name, design, wanted in (
        ("xma2.drop_at_10pct.trained", "trained.10", "<= 1"),
        ("xma2.drop_at_10pct.training_free", "free.10", ""),
        ("xma2.drop_scales_only", "trained.0", ""),
    ):
        if design in rows:
            yield Figure(
                name, rows[design]["report"]["accuracy_drop"], "points", wanted, f"{said(rows[design])}; {RECORDED}"
            )
    if "trained.10" in rows:
        row, text = (
            rows["trained.10"],
            f"10 % of PEs, 1 request per second, 2,048 per visit, 1e6 pulses per cell; {RECORDED}",
        )
        yield Figure("xma2.lifetime_years", row["lifetime_years"], "years", ">= 5", text)
        yield Figure("xma2.area_ratio", row["array_area_ratio"], "ratio", "<= 0.15", f"{said(row)}; {RECORDED}")


def said(row: Mapping[str, Any]) -> str:
    """Points lost, with their interval and seeds."""
    found = row["report"]
    interval = f"[{found['accuracy_drop_low']:.2f}, {found['accuracy_drop_high']:.2f}]"
    return f"report drop {found['accuracy_drop']:.2f} {interval}, {len(row['drops'])} seed(s)"


def measure() -> None:
    """Score every design, search the joint front, and write record and page. What was learnt is not learnt again."""
    record: dict[str, Any] = {"accounting": ACCOUNTING, "designs": {}}
    with TemporaryDirectory() as folder:
        for name in DESIGNS:
            record["designs"][name] = scored(name, Path(folder))
            write_record(RECORD, record)
        record["front"] = front(Path(folder))
        write_record(RECORD, record)
    PAGE.write_text(page(record), encoding="utf-8")


def scored(name: str, folder: Path) -> dict[str, Any]:
    """One design on the report split: the seed with the median drop."""
    design, scores, splits = DESIGNS[name], {}, {}
    for seed in design.seeds:
        problem = problem_of(space_of(design, folder, seed))
        problem.prepare(scores=False)
        point = problem.default_point(("independent", design.compressor, "optimal", "isaac"))
        values = dict(point.values)
        for key, value in design.values.items():
            full = f"compressor.{design.compressor}.{key}"
            values[full] = (value,) * len(problem.tasks) if isinstance(values[full], tuple) else value
        point = replace(point, values=values)
        (cost,) = problem.cost([point])
        scores[seed] = problem.score(point, "report")
        splits[seed] = dict(problem.score(point).metrics)
    median = sorted(scores, key=lambda seed: scores[seed].metrics["accuracy_drop"])[len(scores) // 2]
    found = scores[median]
    batch = problem.workload.traffic.batch
    return {
        **{key: cost.metrics[key] for key in COSTS},
        "switch_uj": cost.energy["switching"] * batch,
        "report": dict(found.metrics),
        "search": splits[median],
        "tasks": {task: 100 * (found.baseline[task] - score) for task, score in found.tasks.items()},
        "drops": {str(seed): one.metrics["accuracy_drop"] for seed, one in scores.items()},
    }


def front(results: Path) -> list[dict[str, Any]]:
    """Front of all compressors without training, over area, energy with switching, and accuracy, on the search split."""
    import dse

    ran = dse.run(SPACES / "adaptions.toml", results=results)
    rows = dse.pareto(ran.folder)
    columns = ["compressor", "array_area_ratio", "energy_ratio", "lifetime_years", "offchip_mb", "accuracy_drop"]
    found: list[dict[str, Any]] = json.loads(rows[columns].to_json(orient="records"))
    return sorted(found, key=lambda row: row["array_area_ratio"])
