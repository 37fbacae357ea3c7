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
from typing import Any, NamedTuple

from benchmarks.figures import SETTINGS, Figure, measures

ROOT = Path(__file__).parent.parent
RECORD = Path(__file__).parent / "records" / "xma2.json"
SPACE = ROOT / "spaces" / "xma2.toml"
SEEDS = (0, 1, 2)
HOW = "recorded; benchmarks with --full measure it anew"
PUBLISHED_MASK = 0.014
"""XBM, ASP-DAC 2022: memory of its column masks by that of Piggyback's weight masks."""
ROWS_OF_PUBLISHED = 72


class Design(NamedTuple):
    """One way to adapt the base to all tasks.

    Attributes:
        compressor: plugin.
        options: of it.
        values: of its parameters, the same for every task.
        seeds: of trainings.
    """

    compressor: str
    options: Mapping[str, Any]
    values: Mapping[str, Any]
    seeds: tuple[int, ...] = (0,)

    @property
    def trained(self) -> bool:
        """Whether it is learnt."""
        return self.options.get("route") == "trained"


def _xma2(share: float, seeds: tuple[int, ...] = (0,), factors: str = "real") -> Design:
    return Design("xma2", {"route": "trained", "shares": [share], "factors": factors}, {"share": share}, seeds)


def _free(share: float, factors: str = "real") -> Design:
    return Design("xma2", {}, {"share": share, "factors": factors})


DESIGNS = {
    "trained.10": _xma2(0.1, SEEDS),
    "trained.0": _xma2(0.0),
    "trained.30": _xma2(0.3),
    "trained.0.shift": _xma2(0.0, factors="shift"),
    "trained.piggyback": Design("piggyback", {"route": "trained"}, {}),
    "trained.lora": Design("lora", {"route": "trained", "ranks": [8]}, {"rank": 8}),
    "free.0.none": _free(0.0, "none"),
    "free.0": _free(0.0),
    **{f"free.{share}": _free(share / 100) for share in (10, 30, 50, 75)},
    "free.30.resident": Design("xma2", {}, {"share": 0.3, "resident": 1.0}),
    "free.100": _free(1.0, "none"),
    "free.piggyback": Design("piggyback", {}, {}),
    "free.lora": Design("lora", {}, {"rank": 8}),
}
"""By name in the record."""
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
    """Figures of the record, made anew where everything was asked for."""
    if SETTINGS.full:
        measure()
    memory = mask_memory(ROWS_OF_PUBLISHED)
    text = f"bits of a column mask by those of a weight mask, {ROWS_OF_PUBLISHED} rows a column; XBM publishes {PUBLISHED_MASK:g}"
    yield Figure("xma2.mask_memory_vs_piggyback", memory, "ratio", "<= 0.0145", text)
    if not RECORD.exists():
        return
    rows = json.loads(RECORD.read_text(encoding="utf-8"))["designs"]
    for name, design, wanted in (
        ("xma2.drop_at_10pct.trained", "trained.10", "<= 1"),
        ("xma2.drop_at_10pct.training_free", "free.10", ""),
        ("xma2.drop_scales_only", "trained.0", ""),
    ):
        if design in rows:
            yield Figure(
                name, rows[design]["report"]["accuracy_drop"], "points", wanted, f"{said(rows[design])}; {HOW}"
            )
    if "trained.10" in rows:
        row, text = rows["trained.10"], f"10 % of PEs, 1 request a second, 2,048 a visit, 1e6 pulses a cell; {HOW}"
        yield Figure("xma2.lifetime_years", row["lifetime_years"], "years", ">= 5", text)
        yield Figure("xma2.area_ratio", row["array_area_ratio"], "ratio", "<= 0.15", f"{said(row)}; {HOW}")


def said(row: Mapping[str, Any]) -> str:
    """Points lost, with their interval and seeds."""
    found = row["report"]
    interval = f"[{found['accuracy_drop_low']:.2f}, {found['accuracy_drop_high']:.2f}]"
    return f"report drop {found['accuracy_drop']:.2f} {interval}, {len(row['drops'])} seed(s)"


def measure() -> None:
    """Score every design and search the joint front, and write the record after each. What was learnt is not learnt again."""
    record: dict[str, Any] = {"designs": {}}
    with TemporaryDirectory() as folder:
        for name in DESIGNS:
            record["designs"][name] = scored(name, Path(folder))
            write(record)
        record["front"] = front(Path(folder))
        write(record)


def write(record: dict[str, Any]) -> None:
    """Write record and page."""
    from benchmarks.xma2_page import PAGE, page

    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(record), encoding="utf-8")


def scored(name: str, folder: Path) -> dict[str, Any]:
    """One design on the report split: the seed with the median drop."""
    from benchmarks.mgen import problem_of

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


def space_of(design: Design, folder: Path, seed: int) -> Path:
    """Space file of a design: the one of the paper with another compressor."""
    text = SPACE.read_text(encoding="utf-8")
    head, rest = text.split("[compressor]\n")
    options = dict(design.options) | ({"seed": seed} if design.trained else {})
    lines = [f'plugins = ["{design.compressor}"]', f"[compressor.{design.compressor}.options]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    path = folder / f"{design.compressor}-{seed}.toml"
    path.write_text("\n".join([head + "[compressor]", *lines, "", rest[rest.index("[scheduler]") :]]), encoding="utf-8")
    return path


def front(results: Path) -> list[dict[str, Any]]:
    """Front of all compressors without training, over area, energy with switching, and accuracy, on the search split."""
    import dse

    ran = dse.run(ROOT / "spaces" / "adaptions.toml", results=results)
    rows = dse.pareto(ran.folder)
    columns = ["compressor", "array_area_ratio", "energy_ratio", "lifetime_years", "offchip_mb", "accuracy_drop"]
    found: list[dict[str, Any]] = json.loads(rows[columns].to_json(orient="records"))
    return sorted(found, key=lambda row: row["array_area_ratio"])


def mask_memory(rows: int) -> float:
    """Bits of a binary factor for each column of so many rows, by those of a mask of every weight, as they are charged."""
    import numpy as np

    import dse
    from dse.cost.demand import demand
    from dse.testing import TinyContext, tiny_geometry, tiny_workload

    load = tiny_workload(1, layers=1, hidden=rows, ffn=2 * rows, heads=4)
    plugin: Any = dse.Registry().discover().build("compressor", "xma2", {"tile_rows": rows, "tile_columns": rows})
    plugin.prepare(TinyContext(load))
    values = {item.name: np.array([item.default]) for item in plugin.parameters(load)}
    values |= {"share": np.zeros((1, 1)), "resident": np.zeros((1, 1)), "factors": np.array(["binary"])}
    wanted = demand(load, dse.separate_models(load, 1), generator="benchmark")
    bits = plugin.footprint(load, wanted, tiny_geometry(), dse.Params(1, values)).digital_bits[0, 1].sum()
    return float(bits / sum(matrix.rows * matrix.columns for matrix in load.encoder.matrices))
