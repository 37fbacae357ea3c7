"""The numbers of the page on MGen: what was reached, by which choices, beside the abstract's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages import DOCS, fill, interval, say_edition, table
from reproductions.mgen2023.studies import REDUNDANCY, efficiency

PAGE = DOCS / "mgen2023.md"
TEMPLATE = Path(__file__).parent / "page.md.template"
TASKS, LAYERS = 8, 6
NAMES = {
    "trained": "trained, shared inputs",
    "trained.independent": "trained, independent inputs",
    "free": "free of training, shared inputs",
    "free.merged": "free of training, shared inputs, layers shared are the tasks' mean",
    "free.independent": "free of training, independent inputs",
    "combined.trained": "trained and `graded`, shared inputs",
    "combined.free": "free of training and `graded`, independent inputs",
}


def page(record: dict[str, Any]) -> str:
    """Return the page.

    Args:
        record: measurements, as `reproductions.mgen2023.run` records them.
    """
    values: dict[str, str | None] = {
        "edition": say_edition(record),
        "reached": _reached(record),
        "train_minutes": f"{record['train_minutes']:.0f}",
        "redundancy": _redundant(record["redundancy"]) if "redundancy" in record else None,
        "designs": _designs(record["designs"]),
        "bound": _bound(),
    }
    return fill(TEMPLATE, values)


def _reached(record: dict[str, Any]) -> str:
    head = [
        "",
        "points to lose",
        "efficiency",
        "area of arrays",
        "lost, search",
        "lost, report",
        "lost, each seed",
        "elsewhere",
        "met",
    ]
    rows = []
    if "mtl" in record:
        rows.append(["`mtl-shared`, shared inputs", "", *_numbers(record["mtl"], record["mtl"]["search"]), "", ""])
    for study, name in NAMES.items():
        for target, found in record.get(study, {}).items():
            said = "as `mtl-shared`" if target == "mtl" else f"<= {target}"
            if found is None:
                rows.append([name, said, "none", *("" for _ in head[3:])])
                continue
            other = found.get("elsewhere_energy_ratio")
            elsewhere = "" if other is None else f"{1 / other:.2f}x"
            rows.append([name, said, *_numbers(found, found), elsewhere, "yes" if found["met"] else "no"])
    return table(head, rows)


def _numbers(row: dict[str, Any], search: dict[str, Any]) -> list[str]:
    drops = ", ".join(f"{value:.2f}" for value in row["drops"].values())
    area = f"{row['array_area_ratio']:.3f}"
    return [f"{efficiency(row):.2f}x", area, interval(search), interval(row["report"]), drops]


def _designs(rows: Sequence[dict[str, Any]]) -> str:
    head = ["", "choice", "efficiency", "area of arrays", "latency", "layers run", "points lost, search split"]
    return table(
        head,
        [
            [
                NAMES[row["study"]],
                ", ".join(f"{name} {value}" for name, value in row["values"].items()),
                f"{efficiency(row):.2f}x",
                f"{row['array_area_ratio']:.3f}",
                f"{row['latency_ratio']:.3f}",
                "" if row["layers_run"] is None else f"{row['layers_run']:.2f}",
                interval(row),
            ]
            for row in rows
        ],
    )


def _redundant(rows: Sequence[dict[str, float | None]]) -> str:
    cells = [[str(layer), *(_share(row[name]) for name in REDUNDANCY)] for layer, row in enumerate(rows)]
    return table(["layer", *REDUNDANCY.values()], cells)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"  # the last layer has no exit


def _bound() -> str:
    shared = range(LAYERS, 1, -1)
    found = [f"{TASKS * LAYERS / (kept + TASKS * (LAYERS - kept)):.2f}x" for kept in shared]
    return table(["layers shared, of six, by eight tasks", *map(str, shared)], [["efficiency", *found]])
