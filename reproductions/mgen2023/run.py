"""MGen on the eight packaged tasks: energy efficiency and points lost, with and without training, alone and compressed.

`FULL=1` runs everything and writes the record, from which figures come otherwise. Designs are chosen on the search split; the
report split is scored afterwards. What is trained is trained from three seeds, and the seed with the median drop counts.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import RECORDED, SETTINGS, Figure, measures
from benchmarks.pages import plain, read_record, write_record
from benchmarks.problems import SPACES
from dse.study.provenance import ACCOUNTING
from reproductions.mgen2023 import designs
from reproductions.mgen2023.page import PAGE, page
from reproductions.mgen2023.studies import REDUNDANCY, SEEDS, STUDIES, drop, efficiency, problem_of, space_of

RECORD = Path(__file__).parent / "record.json"
EFFICIENCY = {
    "mgen.trained.efficiency_at_drop_0.5": ("trained", "0.5", ">= 8"),
    "mgen.trained.efficiency_at_drop_1.5": ("trained", "1.5", ">= 12"),
    "mgen.trained.efficiency_independent_at_drop_1": ("trained.independent", "1", ">= 1.5"),
    "mgen.free.efficiency_at_drop_1": ("free", "1", ">= 1.5"),
    "mgen.free.efficiency_independent_at_drop_1": ("free.independent", "1", ">= 1.3"),
}
ELSEWHERE = {"trained.independent": "trained", "free": "free.independent"}
"""Studies whose targets a design of another may keep too, chosen on inputs that are shared, or not: it scores the same."""
COMBINED = {
    "combined.trained": {"area_ratio": "<= 0.1", "efficiency": ">= 8", "drop": "<= 1"},
    "combined.free": {"area_ratio": "<= 0.26", "efficiency": ">= 1", "drop": "<= 1"},
}
PROPOSED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Mean drops on the search split that a profile proposes designs for, to start a search from."""
SPARE = 0.25
"""Points that designs free of training must have to spare on the search split, whose rows also chose each task's settings."""


@measures(
    *EFFICIENCY,
    *(f"{name}.{what}" for name, found in COMBINED.items() for what in found),
    *("mgen.trained.gain_over_mtl", "mgen.trained.drop_by_mtl", "mtl.efficiency", "mtl.drop", "mgen.train_minutes"),
)
def mgen() -> Iterator[Figure]:
    """Figures of the record, measured again with ``--full``."""
    if SETTINGS.full:
        measure()
    record = read_record(RECORD)
    for name, (study, target, wanted) in EFFICIENCY.items():
        if study in record or ELSEWHERE.get(study) in record:
            found = _best(record, study, target)
            value = efficiency(found) if found is not None and found["met"] else 1.0
            yield Figure(
                name, value, "ratio", wanted, f"energy of separate models by this design's; {said(found)}; {RECORDED}"
            )
    for study, figures in COMBINED.items():
        if study in record and (found := record[study]["1"]) is not None:
            values = {"area_ratio": found["array_area_ratio"], "efficiency": efficiency(found), "drop": drop(found)}
            for what, wanted in figures.items():
                unit = "points" if what == "drop" else "ratio"
                yield Figure(
                    f"{study}.{what}", values[what], unit, wanted, f"to separate models; {said(found)}; {RECORDED}"
                )
    yield from _compared(record)


def _best(record: dict[str, Any], study: str, target: str) -> dict[str, Any] | None:
    """The design chosen for a target; where it misses, the best that was chosen on other inputs and keeps the target."""
    own = record.get(study, {}).get(target)
    if own is not None and own["met"]:
        return dict(own)
    others = [
        {**found, "energy_ratio": found["elsewhere_energy_ratio"], "met": True}
        for found in record.get(ELSEWHERE.get(study, ""), {}).values()
        if found is not None and "elsewhere_energy_ratio" in found and keeps(found["report"], float(target))
    ]
    return min(others, key=lambda found: found["energy_ratio"], default=own)


def keeps(report: dict[str, Any], target: float) -> bool:
    """Whether a drop on the report split, and its interval's upper end with half a point to spare, keep a target."""
    return bool(report["accuracy_drop"] <= target and report["accuracy_drop_high"] <= target + 0.5)


def _compared(record: dict[str, Any]) -> Iterator[Figure]:
    """Beside one encoder for all tasks."""
    if "mtl" not in record:
        return
    shared = record["mtl"]
    chosen = [found for found in record["trained"].values() if found is not None]
    yield Figure("mtl.efficiency", efficiency(shared), "ratio", "", f"mtl-shared to separate models; {RECORDED}")
    yield Figure("mtl.drop", drop(shared), "points", "", f"mtl-shared; {said(shared)}; {RECORDED}")
    alike = [found for found in chosen if drop(found) <= drop(shared)]
    best = max(alike, key=efficiency, default=None)
    gain = 1.0 if best is None else efficiency(best) / efficiency(shared)
    text = f"efficiency of mgen at no more points lost to that of mtl-shared, this or drop_by_mtl; {said(best)}; {RECORDED}"
    yield Figure("mgen.trained.gain_over_mtl", gain, "ratio", ">= 1.5", text)
    better = [found for found in chosen if efficiency(found) >= efficiency(shared)]
    if better and drop(shared) > 0:
        least = min(better, key=drop)
        text = f"points lost by mgen at no less efficiency to those of mtl-shared; {said(least)}; {RECORDED}"
        yield Figure("mgen.trained.drop_by_mtl", drop(least) / drop(shared), "ratio", "<= 0.5", text)
    if "train_minutes" in record:
        text = f"trunks of every depth and mtl-shared, eight tasks, fine-tuned models cached; {RECORDED}"
        yield Figure("mgen.train_minutes", record["train_minutes"], "min", "<= 60", text)


def said(row: dict[str, Any] | None) -> str:
    """Points lost on the report split, with their interval."""
    if row is None:
        return "no design chosen on the search split"
    found = row["report"]
    interval = f"[{found['accuracy_drop_low']:.2f}, {found['accuracy_drop_high']:.2f}]"
    return f"report drop {found['accuracy_drop']:.2f} {interval}, {len(row['drops'])} seed(s)"


def measure() -> None:
    """Run every study; write the record after each, and the page at the end. What is cached is not measured again."""
    record: dict[str, Any] = {"accounting": ACCOUNTING}
    with tempfile.TemporaryDirectory() as folder:
        record["train_minutes"] = designs.train_minutes()
        record["mtl"] = shared()
        write_record(RECORD, record)
        for name in STUDIES:
            record[name] = studied(name, Path(folder), record["mtl"])
            write_record(RECORD, record)
        record["designs"] = designs.measure(Path(folder))
        record["redundancy"] = redundant(Path(folder))
        write_record(RECORD, record)
    PAGE.write_text(page(record), encoding="utf-8")


def studied(name: str, results: Path, mtl: dict[str, Any]) -> dict[str, Any]:
    """Search a space, choose for each target, and score what was chosen on the report split.

    Args:
        name: name of one of `STUDIES`.
        results: folder for the study.
        mtl: `mtl-shared`; its drop on the search split is a target of the trained study.
    """
    import dse

    _, _, targets, least = STUDIES[name]
    space = space_of(name, results, 0)
    start = None
    if "free" in name:  # tasks choose for themselves, so what each tolerates says where to begin
        start = dse.profile(space, results=results, max_drops=PROPOSED, least=least).proposals_path
    ran = dse.run(space, results=results, start=start)
    wanted = {f"{target:g}": target for target in targets}
    if name == "trained":
        wanted["mtl"] = float(mtl["search"]["accuracy_drop"])
    found: dict[str, Any] = {}
    spare = SPARE if "free" in name else 0.0
    for key, target in wanted.items():
        done = dse.validate(ran.folder, target_drop=target - spare, least=least, chosen_only=True)
        found[key] = None
        if done.choice is not None:
            found[key] = _chosen(name, results, _row(ran.trials, done.choice), target)
    if name in ELSEWHERE.values():
        for row in (row for row in found.values() if row is not None):
            row["elsewhere_energy_ratio"] = designs.ratio_elsewhere(row, name, results)
    if found.get("mtl") is not None:
        found["mtl"]["met"] = drop(found["mtl"]) <= drop(mtl)
    return found


def redundant(results: Path) -> list[dict[str, float | None]]:
    """What `dse redundancy` finds in each layer, on average over the tasks."""
    import dse

    table = dse.redundancy(SPACES / "mgen2023.toml", results=results).table
    means = table.groupby("layer")[list(REDUNDANCY)].mean()
    return list(json.loads(means.to_json(orient="records")))


def _row(trials: Path, trial: int) -> dict[str, Any]:
    import pandas as pd

    table = pd.read_parquet(trials, use_threads=False)
    return {str(key): value for key, value in table.set_index("trial", drop=False).loc[trial].to_dict().items()}


def _chosen(name: str, results: Path, row: dict[str, Any], target: float) -> dict[str, Any]:
    """A design on the report split: from each seed where it is trained, of which the median counts."""
    from dse.results.points import point_of

    point = point_of(row)
    trained = point.generator == "mtl-shared" or point.values.get("generator.mgen.layers") is not None
    scores = {}
    for seed in SEEDS if trained else (0,):
        problem = problem_of(space_of(name, results, seed, point.values.get("generator.mgen.layers")))
        problem.prepare(scores=False)
        scores[seed] = problem.score(point, "report").metrics
    median = sorted(scores, key=lambda seed: scores[seed]["accuracy_drop"])[len(scores) // 2]
    report = scores[median]
    numbers = ("energy_ratio", "array_area_ratio", "latency_ratio", "accuracy_drop", "accuracy_drop_low")
    return {
        "trial": int(row["trial"]),
        **{key: float(row[key]) for key in (*numbers, "accuracy_drop_high")},
        "design": {key: plain(value) for key, value in point.values.items() if not key.startswith("hardware")},
        "report": dict(report),
        "drops": {str(seed): found["accuracy_drop"] for seed, found in scores.items()},
        "met": keeps(report, target),
    }


def shared() -> dict[str, Any]:
    """`mtl-shared` on both splits, from every seed."""
    results = Path(tempfile.mkdtemp())
    scores: dict[int, Any] = {}
    for seed in SEEDS:
        problem = problem_of(space_of("trained", results, seed))
        point = problem.default_point(("mtl-shared", "none", "fixed", "isaac"))
        scores[seed] = {split: dict(problem.score(point, split).metrics) for split in ("search", "report")}
    (cost,) = problem.cost([point])
    median = sorted(SEEDS, key=lambda seed: scores[seed]["report"]["accuracy_drop"])[len(SEEDS) // 2]
    drops = {str(seed): found["report"]["accuracy_drop"] for seed, found in scores.items()}
    ratios = {name: cost.metrics[name] for name in ("energy_ratio", "array_area_ratio", "latency_ratio")}
    return {**ratios, **scores[median], "drops": drops}
