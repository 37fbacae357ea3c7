"""The page on XMA2, written from the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.xma2 import PUBLISHED_MASK, ROWS_OF_PUBLISHED, mask_memory

from benchmarks.pages import interval, table

PAGE = Path(__file__).parent.parent / "docs" / "xma2.md"
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
INTRODUCTION = """# XMA2, Frontiers in Electronics 2022

Zhang et al., "XMA2: A crossbar-aware multi-task adaption framework via 2-tier masks": tier 1 learns which processing elements
(PEs) are most critical to be reprogrammed for a new task; tier 2 learns, in the rest with weights frozen, a scaling factor for
each column of a crossbar. The abstract and the opening of the introduction are known to us; its equations and tables are not.
The paper adapts convolutional networks; here the base encoder is adapted to each of eight tasks. A PE is one block of 128 by
128 weights with all its bit slices and signs: the small encoder has 648. This page is written by
`make bench ONLY=xma2 FULL=1`; `make bench ONLY=xma2` prints the recorded figures.

All tasks share the base's arrays, an eighth of the area of separate models. Reprogrammed PEs take no area: they are written
when their task comes, and what the last task wrote is written back. Traffic is one request a second, 2,048 at a visit; a cell
takes a million pulses, a write 8.5 of them at 10 pJ. Trained ways learn from the base, with biases, norms and head, in as many
steps as fine-tuning took, following labels and the fine-tuned model's answers; the others begin from the fine-tuned weights.
Points are lost to fine-tuned 8-bit models on the report split. Every design is the same for all tasks and was fixed before it was
scored. Rates of the trained way were chosen on `trec6`'s search split. Without training, factors and biases followed weights
beyond the base's grid at first, so that full reprogramming lost 18 points; that was mended after it had been seen.
"""


def page(record: dict[str, Any]) -> str:
    """Write the page.

    Args:
        record: as `benchmarks.xma2` keeps it.
    """
    parts = [INTRODUCTION, "## Adaption\n", _designs(record["designs"]), _PER_TASK, _tasks(record["designs"]), _masks()]
    if "front" in record:
        parts += [_FRONT, _front(record["front"])]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


_PER_TASK = """Each task, in points lost on the report split. A task gains where as many steps from the base, at other rates and with the
fine-tuned model's answers beside the labels, bring it further than fine-tuning did, as for the fifty classes of `trec50`.
"""
_FRONT = """## All compressors on one front

Without training, `spaces/adaptions.toml`, search split: resident differences, reprogramming and digital adapters side by side.
Energy holds the switches of the traffic above.
"""


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


def _masks() -> str:
    found = f"{mask_memory(ROWS_OF_PUBLISHED):.4f}"
    return (
        "## Memory of masks\n\n"
        f"A binary factor for each column of {ROWS_OF_PUBLISHED} rows takes {found} of a mask over every weight; XBM (ASP-DAC 2022)\n"
        f"publishes {PUBLISHED_MASK:g}. Columns of 128 rows take {mask_memory(128):.4f}, 16-bit factors sixteen times as much.\n"
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
