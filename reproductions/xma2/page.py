"""The numbers of the page on XMA2, from the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.pages import DOCS, fill, interval, say_edition, table
from reproductions.xma2.designs import PUBLISHED_MASK, ROWS_OF_PUBLISHED, mask_memory

PAGE = DOCS / "xma2.md"
TEMPLATE = Path(__file__).parent / "page.md.template"
NAMES = {
    "trained.10": "trained: 10 % of PEs reprogrammed, real factors elsewhere",
    "trained.0": "trained: factors alone",
    "trained.30": "trained: 30 % of PEs",
    "trained.0.shift": "trained: factors alone, of two shifts",
    "trained.piggyback": "trained: `piggyback`, a bit a weight",
    "trained.lora": "trained: `lora` of rank 8, digital",
    "free.0.none": "the base's matrices, with each task's biases, norms and head",
    "free.0": "factors alone",
    "free.10": "10 % of PEs",
    "free.30": "30 % of PEs",
    "free.50": "50 % of PEs",
    "free.75": "75 % of PEs",
    "free.30.resident": "30 % of PEs, resident as differences of three bits",
    "free.100": "full reprogramming",
    "free.piggyback": "`piggyback`",
    "free.lora": "`lora` of rank 8",
}


def page(record: dict[str, Any]) -> str:
    """Return the page.

    Args:
        record: measurements, as `reproductions.xma2.run` records them.
    """
    values: dict[str, str | None] = {
        "edition": say_edition(record),
        "designs": _designs(record["designs"]),
        "tasks": _tasks(record["designs"]),
        "front": _front(record["front"]),
        "mask": f"{mask_memory(ROWS_OF_PUBLISHED):.4f}",
        "mask_rows": str(ROWS_OF_PUBLISHED),
        "mask_published": f"{PUBLISHED_MASK:g}",
        "mask_128": f"{mask_memory(128):.4f}",
    }
    return fill(TEMPLATE, values)


def _designs(rows: dict[str, Any]) -> str:
    head = [
        "",
        "area of arrays",
        "energy",
        "a switch, µJ",
        "off-chip, MB",
        "lifetime, years",
        "points lost, report",
        "each seed",
    ]
    return table(
        head,
        [
            [
                NAMES[name],
                f"{row['array_area_ratio']:.3f}",
                f"{row['energy_ratio']:.3f}",
                f"{row['switch_uj']:.0f}",
                f"{row['offchip_mb']:.1f}",
                "" if row["lifetime_years"] is None else f"{row['lifetime_years']:.1f}",
                interval(row["report"]),
                ", ".join(f"{drop:.2f}" for drop in row["drops"].values()),
            ]
            for name, row in rows.items()
        ],
    )


def _tasks(rows: dict[str, Any]) -> str:
    tasks = list(next(iter(rows.values()))["tasks"])
    return table(
        ["", *tasks], [[NAMES[name], *(f"{row['tasks'][task]:.1f}" for task in tasks)] for name, row in rows.items()]
    )


def _front(rows: list[dict[str, Any]]) -> str:
    head = ["compressor", "area of arrays", "energy", "off-chip, MB", "lifetime, years", "points lost, search"]
    return table(
        head,
        [
            [
                f"`{row['compressor']}`",
                f"{row['array_area_ratio']:.3f}",
                f"{row['energy_ratio']:.3f}",
                f"{row['offchip_mb']:.1f}",
                "" if row["lifetime_years"] is None else f"{row['lifetime_years']:.1f}",
                f"{row['accuracy_drop']:.2f}",
            ]
            for row in rows
        ],
    )
