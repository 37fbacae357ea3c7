"""The table of arrays: the content and the place of each array, and the tasks that use it."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dse.cost.demand import kept_inputs, kept_outputs
from dse.cost.placement import Segment, place_pieces
from dse.cost.reprogramming import blocks_of
from dse.errors import PluginContractError
from dse.records.plan import BASE, DROPPED
from dse.records.workload import Workload
from dse.score.stored_terms import Assembly

NAMED = ("tasks", "rewritten_for", "role", "crossbar")
"""Columns of the table beside the fields of a segment and the units of the chip."""


def write_arrays(path: Path, workload: Workload, assembly: Assembly, levels: Mapping[str, int]) -> None:
    """Write one row for each matrix in each array, as parquet and as CSV, where a list is JSON.

    Args:
        path: path of the parquet file; the CSV file lies beside it.
        workload: names of tasks and matrices.
        assembly: plan and terms of one design.
        levels: number of arrays in each unit of the chip that holds several arrays, the largest unit first.

    Raises:
        OSError: the disk refused the file.
    """
    segments = list(place_pieces(workload.encoder, assembly.footprint, assembly.geometry))
    types = {name: str if name == "sign" else np.int64 for name in Segment._fields}
    rows = SimpleNamespace(
        **{name: np.array([getattr(part, name) for part in segments], dtype=of) for name, of in types.items()}
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
    table = pa.table(columns)
    pq.write_table(table, path)
    frame = table.to_pandas()
    for name in ("tasks", "rewritten_for"):
        frame[name] = [json.dumps(list(names), ensure_ascii=False) for names in frame[name]]
    frame.to_csv(path.with_suffix(".csv"), index=False, lineterminator="\n")


def _places(array: Any, levels: Mapping[str, int]) -> dict[str, Any]:
    """Return the number of each array's unit within the next larger unit, and the array's number in the smallest unit.

    Raises:
        PluginContractError: units do not fit into each other.
    """
    sizes = list(levels.values())
    fits = all(isinstance(size, int) and size >= 1 for size in sizes) and not any(a % b for a, b in pairwise(sizes))
    if not fits or set(levels) & {*Segment._fields, *NAMED}:
        raise PluginContractError(
            "levels() of the hardware model names impossible units",
            expected="the number of arrays in each unit, the largest unit first, each number a multiple of the next; no unit named like a column",
            found=dict(levels),
        )
    columns, left = {}, array
    for name, size in levels.items():
        columns[name], left = np.divmod(left, size)
    return {**columns, "crossbar": left} if levels else {}


def _users(workload: Workload, assembly: Assembly) -> dict[tuple[int, int], list[str]]:
    """Return the tasks that use an owner's arrays of a layer, by (owner, layer)."""
    users: dict[tuple[int, int], list[str]] = {}
    for task, name in enumerate(workload.task_names):
        for layer, owner in enumerate(assembly.owners(task).tolist()):
            if owner == DROPPED:
                continue
            users.setdefault((owner, layer), []).append(name)
            if owner != BASE and assembly.footprint.on_base[0, owner, layer]:
                users.setdefault((BASE, layer), []).append(name)
    return users


def _rewritten(workload: Workload, assembly: Assembly, segments: list[Segment]) -> list[list[str]]:
    """Return, for each segment, the owners whose weights are written over the base's while their users are served."""
    reprogrammed, encoder, demand = assembly.reprogrammed, workload.encoder, assembly.demand
    if reprogrammed is None:
        return [[]] * len(segments)
    blocks = reprogrammed.blocks[0].reshape(reprogrammed.blocks.shape[1], encoder.layers, -1)
    places, first = blocks_of(encoder, reprogrammed), 1 + assembly.plan.groups
    names = [*(f"group {group}" for group in range(1, first)), *workload.task_names]
    owners = []
    for segment in segments:
        matrix = encoder.matrices[segment.matrix]
        outputs = _whole(kept_outputs(encoder, demand, segment.matrix), matrix.columns, segment.layer)
        inputs = _whole(kept_inputs(encoder, demand, segment.matrix), matrix.rows, segment.layer)
        across = np.unique(outputs[segment.first_column :][: segment.columns] // reprogrammed.columns)
        down = np.unique(inputs[segment.first_row :][: segment.rows] // reprogrammed.rows)
        shape = (-(-matrix.columns // reprogrammed.columns), -(-matrix.rows // reprogrammed.rows))
        written = blocks[1:, segment.layer, places[segment.matrix]].reshape(-1, *shape)
        over = written[:, across][:, :, down].any(axis=(1, 2))
        owners.append([name for name, hit in zip(names, over, strict=True) if hit and segment.owner == BASE])
    return owners


def _whole(mask: Any, size: int, layer: int) -> Any:
    """Return the places in the whole matrix of the outputs (or inputs) that the base keeps."""
    return np.arange(size) if mask is None else np.flatnonzero(mask[0, BASE, layer])
