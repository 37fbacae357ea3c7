"""The numbers of the page that sets the paper's results beside ours, from the record of the long runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.pages import DOCS, fill, interval, say_edition, table
from benchmarks.problems import encoder
from reproductions.kang2021.laws import MODELS, ratios

PAGE = DOCS / "kang2021.md"
TEMPLATE = Path(__file__).parent / "page.md.template"
TASKS = 8
CELLS = 8
"""Cells of an 8-bit weight at one bit per cell, of either sign."""
PUBLISHED = {"acc": (0.26, -0.1, 1.12), "opt": (0.23, 0.7, 0.86), "agg": (0.21, 2.7, 0.65)}
"""Array area at eight tasks, points lost on average over GLUE, cells an element of the difference."""
PUBLISHED_AREA = {2: 0.62, 4: 0.37, 8: 0.26}
SUITES = (
    ("kang2021", "kang2021-beyond", "packaged tasks"),
    ("glue8", "glue8-beyond", "GLUE"),
)

LARGE = "mpnet-base"
"""Space file of the paper's system at BERT-base size, on fewer tasks."""
PUBLISHED_GLUE = {
    "cola": 0.565,
    "sst2": 0.923,
    "mrpc": 0.841,
    "stsb": 0.886,
    "qqp": 0.907,
    "mnli": 0.839,
    "wnli": 0.563,
    "rte": 0.657,
}
"""BERT-base (cased) on the dev sets, as in the examples of Hugging Face's transformers: Matthews, Pearson, else accuracy."""


def page(record: dict[str, Any]) -> str:
    """Return the page.

    Args:
        record: measurements, as `reproductions.kang2021.run` records them.
    """
    values: dict[str, str | None] = {
        "edition": say_edition(record),
        "modes": _modes(record),
        "numbers": _numbers(record),
        "shapes": _shapes(),
        "choices": _choices(record),
        "others": _others(record["others"]),
        "larger": _larger(record[LARGE]),
    }
    for space, name in (*((paper, name) for paper, _, name in SUITES), (LARGE, LARGE)):
        values[f"{space}.deltas"] = _deltas(record[space]["deltas"], name)
        values[f"{space}.tasks"] = _tasks(record[space]["tasks"], name)
        values[f"{space}.means"] = _means(record[space]["tasks"])
    return fill(TEMPLATE, values)


def _deltas(found: dict[str, Any], name: str) -> str:
    published = ("published, BERT-base on GLUE", "0.991 to 0.999", "2.6 to 42 %", "1.00 to 1.35")
    rows = [
        (task, f"{item['cosine']:.4f}", f"{100 * item['nonzero']:.1f} %", f"{item['magnitude']:.2f}")
        for task, item in found.items()
    ]
    head = (name, "cosine to the base", "not zero on the 8-bit grid", "mean magnitude of these")
    return table(head, [published, *rows])


def _modes(record: dict[str, Any]) -> str:
    rows = []
    for mode, (area, drop, _) in PUBLISHED.items():
        row = [mode, f"{area:.2f}", f"{drop:.1f}"]
        for paper, _, _ in SUITES:
            found = record[paper]["modes"][mode]
            row += [f"{found['array_area_ratio']:.3f}", interval(found, "report.")]
        rows.append(row)
    head = ["mode", "area, paper", "points lost, paper"]
    for _, _, name in SUITES:
        head += [f"area, {name}", f"points lost, {name}"]
    return table(head, rows)


def _numbers(record: dict[str, Any]) -> str:
    """What follows from a mode's r: cells, fewer tasks, throughput and efficiency by area."""
    rows: list[list[str]] = []
    shares = {paper: {m: record[paper]["modes"][m] for m in PUBLISHED} for paper, _, _ in SUITES}
    for tasks, area in PUBLISHED_AREA.items():
        ours = [f"{1 / tasks + shares[paper]['acc']['array_area_ratio'] - 1 / TASKS:.2f}" for paper, _, _ in SUITES]
        rows.append([f"area at {tasks} tasks, acc", f"{area:.2f}", *ours])
    for mode, (_, _, cells) in PUBLISHED.items():
        ours = [f"{CELLS * (shares[paper][mode]['array_area_ratio'] - 1 / TASKS):.2f}" for paper, _, _ in SUITES]
        rows.append([f"cells an element of the difference, {mode}", f"{cells:.2f}", *ours])
    for mode, (throughput, efficiency) in {"acc": (3.9, 3.4), "agg": (4.9, 4.5)}.items():
        found = [shares[paper][mode] for paper, _, _ in SUITES]
        rows.append(
            [f"throughput by area, {mode}", f"{throughput}x", *(f"{1 / row['array_area_ratio']:.1f}x" for row in found)]
        )
        ours = [f"{1 / row['array_area_ratio'] / row['energy_ratio']:.1f}x" for row in found]
        rows.append([f"energy efficiency by area, {mode}", f"{efficiency}x", *ours])
    return table(["", "paper", *(name for _, _, name in SUITES)], rows)


def _shapes() -> str:
    """Return the reductions by ternary deltas on the shapes of other models."""
    rows = []
    for name, (sizes, published) in MODELS.items():
        area, _ = ratios(encoder(*sizes), TASKS, 1, 1.0)
        rows.append([name, f"{published} %", f"{100 * (1 - area):.0f} %"])
    return table(["eight tasks, ternary differences", "area saved, paper", "area saved"], rows)


def _choices(record: dict[str, Any]) -> str:
    rows = []
    for _, beyond, name in SUITES:
        for target, found in record[beyond]["choices"].items():
            if found is None:
                rows.append([name, f"<= {target}", "none", "", "", ""])
                continue
            search = f"{found['search.accuracy_drop']:.2f}"
            met = "yes" if found["met"] else "no"
            rows.append(
                [name, f"<= {target}", f"{found['array_area_ratio']:.3f}", search, interval(found, "report."), met]
            )
        for mode, found in record[beyond]["modes"].items():
            search = f"{found['search.accuracy_drop']:.2f}"
            rows.append([name, mode, f"{found['array_area_ratio']:.3f}", search, interval(found, "report."), ""])
    head = ["tasks", "points to lose", "area", "lost on the search split", "lost on the report split", "target met"]
    return table(head, rows)


def _larger(found: dict[str, Any]) -> str:
    rows = []
    tasks = len(found["tasks"])
    for mode, (area, drop, _) in PUBLISHED.items():
        row = found["modes"][mode]
        share = row["array_area_ratio"] - 1 / tasks
        areas = [f"{area:.2f}", f"{row['array_area_ratio']:.3f}", f"{1 / TASKS + share:.3f}"]
        rows.append([mode, *areas, f"{drop:.1f}", interval(row, "report.")])
    head = [
        "mode",
        "area, paper, 8 tasks",
        f"area, {tasks} tasks",
        "area, 8 such tasks",
        "points lost, paper",
        "points lost",
    ]
    return table(head, rows)


def _others(found: list[dict[str, Any]]) -> str:
    rows = []
    for row in found:
        settings = ", ".join(f"{name} {value}" for name, value in row["values"].items())
        drop = f"{row['accuracy_drop']:.2f} [{row['accuracy_drop_low']:.2f}, {row['accuracy_drop_high']:.2f}]"
        ratios = [f"{row[name]:.3f}" for name in ("array_area_ratio", "energy_ratio", "latency_ratio")]
        rows.append([row["compressor"], settings, *ratios, drop])
    return table(["compressor", "settings", "area", "energy", "latency", "points lost, search split"], rows)


def _tasks(found: dict[str, Any], name: str) -> str:
    """Scores of the fine-tuned models, and what stands beside them."""
    published = found.keys() <= PUBLISHED_GLUE.keys()
    rows = [
        [
            task,
            item["metric"],
            f"{item['fine_tuned']:.3f}",
            *([f"{PUBLISHED_GLUE[task]:.3f}"] if published else []),
            f"{item['constant']:.3f}",
            f"{item['tfidf']:.3f}",
            str(item["rows"]["report"]),
            "near a constant answer: not counted" if item["flagged"] else "",
        ]
        for task, item in found.items()
    ]
    head = [name, "metric", "fine-tuned", "constant answer", "TF-IDF", "rows of the report split", ""]
    if published:
        head.insert(3, "BERT-base, published")
    return table(head, rows)


def _means(found: dict[str, Any]) -> str:
    means = {
        "of all": list(found.values()),
        "of those counted": [item for item in found.values() if not item["flagged"]],
    }
    return ", ".join(
        f"mean {which} {sum(item['fine_tuned'] for item in items) / len(items):.3f}" for which, items in means.items()
    )
