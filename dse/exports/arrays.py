"""The table of arrays: what each of them holds, where it lies, and which tasks run through it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.cost.demand import kept_inputs, kept_outputs
from dse.cost.placement import Segment, place_pieces
from dse.cost.reprogramming import blocks_of
from dse.errors import PluginContractError
from dse.records.plan import BASE, DROPPED
from dse.records.workload import Workload

if TYPE_CHECKING:
    from dse.score.stored_terms import Assembly

NAMED = ("tasks", "rewritten_for", "role", "crossbar")
"""Columns beside those of a segment and the chip's units."""


def write_arrays(path: Path, workload: Workload, assembly: Assembly, levels: Mapping[str, int]) -> None:
    """Write one row for each matrix in each array.

    Args:
        path: of the parquet file.
        workload: names of tasks and matrices.
        assembly: of one point.
        levels: arrays in each unit of the chip that holds several, the largest unit first.

    Raises:
        OSError: the disk refused it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    segments = list(place_pieces(workload.encoder, assembly.footprint, assembly.geometry))
    rows = SimpleNamespace(
        **{
            name: np.array([getattr(segment, name) for segment in segments], dtype=str if name == "sign" else np.int64)
            for name in Segment._fields
        }
    )
    matrices, groups = workload.encoder.matrices, assembly.plan.groups
    owners = ["base", *(f"group {group}" for group in range(1, groups + 1)), *workload.task_names]
    users = _users(workload, assembly)
    keys = list(zip(rows.owner.tolist(), rows.layer.tolist(), strict=True))
    written = _rewritten(workload, assembly, segments)
    columns: dict[str, Any] = {"array": rows.array, **_places(rows.array, levels)}
    columns |= {
        "owner": np.array(owners)[rows.owner],
        "tasks": pa.array([users[key] for key in keys], pa.list_(pa.string())),
        "rewritten_for": pa.array(written, pa.list_(pa.string())),
        "layer": rows.layer,
        "matrix": np.array([matrix.name for matrix in matrices])[rows.matrix],
        "role": np.array([matrix.role for matrix in matrices])[rows.matrix],
    }
    columns |= {name: getattr(rows, name) for name in Segment._fields if name not in {*columns, "array"}}
    pq.write_table(pa.table(columns), path)


def _places(array: Any, levels: Mapping[str, int]) -> dict[str, Any]:
    """Number of the unit an array lies in, within the next larger one, and its own number in the smallest.

    Raises:
        PluginContractError: units that do not fit into each other.
    """
    sizes = list(levels.values())
    fits = all(isinstance(size, int) and size >= 1 for size in sizes) and not any(a % b for a, b in pairwise(sizes))
    if not fits or set(levels) & {*Segment._fields, *NAMED}:
        raise PluginContractError(
            "levels() of the hardware model names units that cannot be",
            expected="arrays in each unit, the largest unit first, each a multiple of the next; names of no other column",
            found=dict(levels),
        )
    columns, left = {}, array
    for name, size in levels.items():
        columns[name], left = np.divmod(left, size)
    return {**columns, "crossbar": left} if levels else {}


def _users(workload: Workload, assembly: Assembly) -> dict[tuple[int, int], list[str]]:
    """Tasks that run through an owner's arrays of a layer."""
    found: dict[tuple[int, int], list[str]] = {}
    for task, name in enumerate(workload.task_names):
        for layer, owner in enumerate(assembly.owners(task).tolist()):
            if owner == DROPPED:
                continue
            found.setdefault((owner, layer), []).append(name)
            if owner != BASE and assembly.footprint.on_base[0, owner, layer]:
                found.setdefault((BASE, layer), []).append(name)
    return found


def _rewritten(workload: Workload, assembly: Assembly, segments: list[Segment]) -> list[list[str]]:
    """Owners whose weights are written over those of the base in each segment while their users are served."""
    what, encoder, demand = assembly.reprogrammed, workload.encoder, assembly.demand
    if what is None:
        return [[]] * len(segments)
    blocks = what.blocks[0].reshape(what.blocks.shape[1], encoder.layers, -1)
    places, first = blocks_of(encoder, what), 1 + assembly.plan.groups
    names = [*(f"group {group}" for group in range(1, first)), *workload.task_names]
    found = []
    for segment in segments:
        matrix = encoder.matrices[segment.matrix]
        sides = (
            (
                kept_outputs(encoder, demand, segment.matrix),
                matrix.columns,
                segment.first_column,
                segment.columns,
                what.columns,
            ),
            (kept_inputs(encoder, demand, segment.matrix), matrix.rows, segment.first_row, segment.rows, what.rows),
        )
        across, down = (
            np.unique(_whole(kept, size, segment.layer)[begin : begin + count] // block)
            for kept, size, begin, count, block in sides
        )
        shape = (-(-matrix.columns // what.columns), -(-matrix.rows // what.rows))
        over = (
            blocks[1:, segment.layer, places[segment.matrix]]
            .reshape(-1, *shape)[:, across][:, :, down]
            .any(axis=(1, 2))
        )
        found.append([name for name, hit in zip(names, over, strict=True) if hit and segment.owner == BASE])
    return found


def _whole(kept: Any, size: int, layer: int) -> Any:
    """Places in the whole matrix of what the base keeps of a side."""
    return np.arange(size) if kept is None else np.flatnonzero(kept[0, BASE, layer])
