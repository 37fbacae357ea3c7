"""Counting: the arrays and events of a footprint on crossbar arrays.

One code path counts footprints (before weights exist) and stored terms (after), so the two can only differ if a
compressor stored weights that differ from those that it announced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.records.arrays import Floats
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.footprint import Footprint, Piece
from dse.records.geometry import Geometry
from dse.records.plan import DROPPED
from dse.records.stored import VECTOR_BITS
from dse.records.workload import Encoder, Workload

FULL_MAGNITUDE = 128
"""Magnitude bound of an 8-bit weight."""


def bit_length(magnitude: NDArray[Any]) -> Floats:
    """Return ceil(log2(magnitude + 1)) exactly: the bits that hold 0..magnitude."""
    return np.asarray(np.frexp(np.asarray(magnitude, dtype=float))[1], dtype=float)


def slices(magnitude: NDArray[Any], cell_bits: NDArray[Any], separate: NDArray[Any]) -> Floats:
    """Count the bit slices of one sign (separate arrays) or of the offset code.

    Separate: ceil(ceil(log2(M + 1)) / cell_bits), for each of two arrays. Offset: ceil(ceil(log2(2M + 1)) / cell_bits)
    in one array, where the 256 levels of an 8-bit weight need 8 bits. All arguments broadcast.

    Args:
        magnitude: largest absolute value M of a code.
        cell_bits: bits per cell.
        separate: whether positive and negative codes have arrays of their own.
    """
    levels = np.where(magnitude == FULL_MAGNITUDE, 2 * FULL_MAGNITUDE - 1, 2.0 * magnitude)
    return np.asarray(np.ceil(np.where(separate, bit_length(magnitude), bit_length(levels)) / cell_bits))


def count(
    workload: Workload,
    demand: Demand,
    footprint: Footprint,
    geometry: Geometry,
    compensated: bool = False,
) -> Counts:
    """Count arrays and events of every owner's layers, each (P, O, L), and what heads ask for.

    Matrices of one owner and layer that are driven by the same input vector share arrays (``same-input`` packing):
    slice plane k holds the columns of all those that have more than k slices.

    If drift is ``compensated``, each array has one factor, which multiplies the sum of each live bitline for each input vector.
    """
    encoder, shape = workload.encoder, demand.used.shape
    matrices = range(len(encoder.matrices))
    fields: dict[str, Floats] = {
        name: np.zeros(shape)
        for name in ("arrays", "cells", "conversions", "drives", "inputs", "partials", "outputs", "fed", "macs")
    }
    for piece in footprint.pieces:
        if piece.fed_by is not None:
            fields["fed"] += (piece.rows * (piece.columns * piece.magnitude > 0)).sum(axis=-1)
        if piece.digital:
            fields["macs"] += (piece.rows * piece.columns * (piece.magnitude > 0)).sum(axis=-1)
            continue
        # A piece that another piece feeds shares its inputs with no other matrix.
        groups = input_groups(encoder, geometry) if piece.fed_by is None else [[index] for index in matrices]
        for group in groups:
            _add_group(fields, piece, group, geometry)
    for name, factors in (("scalings", footprint.scalings), ("shifts", footprint.shifts)):
        fields[name] = np.zeros(shape) if factors is None else np.asarray(factors.sum(axis=-1))
    bits = np.broadcast_to(footprint.digital_bits.sum(axis=-1), shape)
    if compensated:
        bits, fields["scalings"] = bits + VECTOR_BITS * fields["arrays"], fields["scalings"] + fields["conversions"]
    stages = _extra_stages(encoder, footprint, shape)
    return Counts(digital_bits=bits, extra_stages=stages, **fields, **_count_heads(workload, demand))


def _count_heads(workload: Workload, demand: Demand) -> dict[str, Floats]:
    """Count bits (P, O), and products and sums (P, T), of poolers, classifiers and heads of early exits."""
    points, tasks = demand.owner.shape[:2]
    parameters = np.broadcast_to([float(task.head_parameters) for task in workload.tasks], (points, tasks))
    macs, sums, held = parameters, np.zeros((points, tasks)), parameters
    if demand.exits is not None:
        reach, heads = np.where(demand.owner == DROPPED, 1.0, demand.exits.reach), demand.exits.parameters
        asked = reach * (heads > 0)
        held = parameters + heads.sum(axis=-1)
        macs = parameters * reach.min(axis=-1) + (asked * heads).sum(axis=-1)
        sums = asked.sum(axis=-1) * [task.tokens * workload.encoder.hidden for task in workload.tasks]
    bits = np.zeros((points, demand.owners))
    bits[:, [demand.task_owner(task) for task in range(tasks)]] = held * VECTOR_BITS
    return {"head_bits": bits, "head_macs": macs, "head_sums": sums}


def _extra_stages(encoder: Encoder, footprint: Footprint, shape: tuple[int, ...]) -> Floats:
    """Count products that wait for another product, (P, O, L); products of matrices with the same input wait together."""
    total = np.zeros(shape)
    fed = [piece for piece in footprint.pieces if piece.fed_by is not None]
    names = [matrix.input for matrix in encoder.matrices]
    for name in set(names) if fed else ():
        group = [index for index, other in enumerate(names) if other == name]
        live = [(piece.rows * piece.columns * piece.magnitude)[..., group] > 0 for piece in fed]
        total += np.any(live, axis=(0, -1))
    return total


def count_bits(footprint: Footprint) -> Floats:
    """Count the bits of codes, scales and metadata, (P, O, L, M): in arrays or in SRAM."""
    bits = footprint.digital_bits  # which has the codes of digital pieces
    for piece in footprint.pieces:
        if not piece.digital:
            width = bit_length(piece.magnitude) + (not piece.unsigned)
            bits = bits + np.where(piece.magnitude > 0, piece.rows * piece.columns * width, 0.0)
    return np.asarray(bits)


def input_groups(encoder: Encoder, geometry: Geometry) -> list[list[int]]:
    """Group the matrices of a layer, by index, that may share arrays."""
    if geometry.packing == "none":
        return [[index] for index in range(len(encoder.matrices))]
    groups: dict[str, list[int]] = {}
    for index, matrix in enumerate(encoder.matrices):
        groups.setdefault(matrix.input, []).append(index)
    return list(groups.values())


def _add_group(fields: dict[str, Floats], piece: Piece, group: list[int], geometry: Geometry) -> None:
    """Add the matrices of one input vector, packed together where their live rows agree."""
    rows, columns, magnitude = (values[..., group] for values in (piece.rows, piece.columns, piece.magnitude))
    rows = np.where((columns > 0) & (magnitude > 0), rows, 0.0)
    shared = rows.max(axis=-1)
    agree = ((rows == shared[..., None]) | (rows == 0)).all(axis=-1)  # where nothing is stored, any row fits
    live = columns * (rows > 0)
    parts = [(slice(None), agree)]
    if not agree.all():
        parts += [(slice(index, index + 1), ~agree) for index in range(len(group))]
    for part, here in parts:
        packed = rows[..., part].max(axis=-1), live[..., part], magnitude[..., part]
        for name, values in _pack_matrices(*packed, piece.unsigned, geometry).items():
            fields[name] += np.where(here, values, 0.0)


def _pack_matrices(
    rows: NDArray[Any], columns: NDArray[Any], magnitude: NDArray[Any], unsigned: bool, geometry: Geometry
) -> dict[str, Floats]:
    """Count matrices (..., m) that share rows (...) and arrays."""
    over = (slice(None), None, None)
    separate = geometry.separate[over]
    plain = np.ones_like(separate) if unsigned else separate  # magnitudes, without an offset or a sign in them
    depth = slices(magnitude, geometry.cell_bits[over][..., None], plain[..., None])  # (P, O, L, m)
    live = columns * (depth > 0)
    signs = np.where(separate & (not unsigned), 2.0, 1.0)
    row_blocks = np.ceil(rows / geometry.rows[over])
    planes = signs * _column_blocks(
        live, depth, geometry.usable_columns[over]
    )  # column blocks over all planes and signs
    arrays = row_blocks * planes
    bitlines = (live * depth).sum(axis=-1)
    extra = np.where(geometry.flip[over] | unsigned, arrays, 0)
    return {
        "arrays": arrays,
        "cells": signs * rows * bitlines,
        "drives": rows * planes,
        "conversions": signs * row_blocks * bitlines + extra,
        "inputs": rows * (planes > 0),
        "partials": signs * row_blocks * live.sum(axis=-1),
        "outputs": live.sum(axis=-1),
    }


def _column_blocks(live: NDArray[Any], depth: Floats, columns: NDArray[Any]) -> Floats:
    """Count blocks of columns over the slice planes of one sign: the sum over k of ceil(columns deeper than k / C)."""
    if live.shape[-1] == 1:
        return np.asarray(depth[..., 0] * np.ceil(live[..., 0] / columns))
    order = np.argsort(-depth, axis=-1, kind="stable")
    depth = np.take_along_axis(depth, order, axis=-1)
    wide = np.cumsum(np.take_along_axis(np.broadcast_to(live, depth.shape), order, axis=-1), axis=-1)
    steps = -np.diff(depth, axis=-1, append=0.0)
    return np.asarray((steps * np.ceil(wide / columns[..., None])).sum(axis=-1))
