"""The studies of MGen: their space files, and what is read from their rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from benchmarks.problems import SPACES

SEEDS = (0, 1, 2)
SHARED = ('mode = "independent"', 'mode = "shared"')
STUDIES: dict[str, tuple[str, tuple[tuple[str, str], ...], tuple[float, ...], Literal["area", "energy"]]] = {
    "trained": ("mgen2023", (), (0.5, 1.5), "energy"),
    "trained.independent": ("mgen2023-independent", (), (1.0,), "energy"),
    "free": ("mgen2023-free", (SHARED,), (1.0,), "energy"),
    "free.independent": ("mgen2023-free", (), (1.0,), "energy"),
    "combined.trained": ("combined", (), (1.0,), "area"),
    "combined.free": ("combined-free", (), (1.0,), "area"),
}
"""Space file, changes to its text, points to lose, and what the design chosen has least of, by name in the record."""
REDUNDANCY = {
    "tasks_cka": "CKA with other tasks",
    "base_cka": "CKA with the base",
    "of_base_drop": "lost with the base's matrices",
    "skipped_drop": "lost without it",
    "heads_half_share": "least half of heads",
    "ffn_half_share": "least half of columns",
    "exit_agrees": "exit agrees",
    "exit_leaves": "sure by then",
}
"""Columns of `dse redundancy` that are recorded, and what the page calls them."""


def efficiency(row: dict[str, Any]) -> float:
    """Energy of the baseline by that of a design."""
    return 1 / float(row["energy_ratio"])


def drop(row: dict[str, Any]) -> float:
    """Points lost on the report split."""
    return float(row["report"]["accuracy_drop"])


def problem_of(space: Path, cache: Path | None = None) -> Any:
    """Problem of a space file, in this process."""
    from dse.study.load import load, request

    return load(request(space, "auto", cache, ()))[0]


def space_of(name: str, folder: Path, seed: int, depth: Any = None, further: tuple[tuple[str, str], ...] = ()) -> Path:
    """Space file of a study with another seed of trainings, only one number of layers, or further changes."""
    file, changes, _, _ = STUDIES[name]
    text = (SPACES / f"{file}.toml").read_text(encoding="utf-8")
    changes += further
    changes += ((f'name = "{file}"', f'name = "{name.replace(".", "-")}"'),)
    if seed:
        changes += (("[generator.mgen.options]\n", f"[generator.mgen.options]\nseed = {seed}\n"),)
        if '"mtl-shared"' in text:
            changes += (("[compressor]\n", f"[generator.mtl-shared.options]\nseed = {seed}\n\n[compressor]\n"),)
    if depth is not None and seed:
        changes += (("depths = [4, 5, 6]", f"depths = [{int(depth)}]"),)  # a table gives 6.0
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"spaces/{file}.toml: expected one {old!r}, found {text.count(old)}")
        text = text.replace(old, new)
    path = folder / f"{name}-{seed}.toml"
    path.write_text(text, encoding="utf-8")
    return path
