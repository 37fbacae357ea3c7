"""Footprints that a hardware model is tried on."""

from dataclasses import replace

import numpy as np

from dse.records.demand import Demand
from dse.records.footprint import Footprint, Piece, Reprogrammed
from dse.records.workload import Workload


def deltas(wanted: Demand) -> Footprint:
    """Return the footprint of the whole base, with every task's matrices as three-bit deltas on it."""
    held = np.repeat(wanted.used[..., None].astype(float), wanted.rows.shape[-1], axis=-1)
    magnitude = held * 3.0
    magnitude[:, 0] *= 128 / 3
    on_base = wanted.used.copy()
    on_base[:, 0] = False
    piece = Piece(rows=held * wanted.rows, columns=held * wanted.columns, magnitude=np.round(magnitude))
    return Footprint((piece,), digital_bits=held * 32, on_base=on_base)


def adapters(wanted: Demand) -> Footprint:
    """Return the footprint of the whole base, with every task's factors of its partial sums and digital codes beside it."""
    base = deltas(wanted)
    held = np.repeat(base.on_base[..., None].astype(float), wanted.rows.shape[-1], axis=-1)
    first, whole = base.pieces[0], np.zeros_like(held)
    whole[:, 0] = 1.0
    arrays = replace(first, rows=first.rows * whole, columns=first.columns * whole, magnitude=first.magnitude * whole)
    digital = Piece(held * wanted.rows, held * 2.0, held * 127.0, digital=True)
    bits = base.digital_bits + held * (wanted.rows * 2 * 8 + wanted.columns * 3)
    return Footprint(
        (arrays, digital), bits, base.on_base, scalings=held * wanted.columns, shifts=held * wanted.columns
    )


def scale(footprint: Footprint, *, columns: float, magnitude: float) -> Footprint:
    """Return the footprint with a share of its columns and with smaller codes."""
    pieces = []
    for piece in footprint.pieces:
        live = np.where(piece.magnitude > 0, magnitude, 0.0)
        pieces.append(replace(piece, columns=np.floor(piece.columns * columns), magnitude=live))
    return replace(footprint, pieces=tuple(pieces))


def reprogram(footprint: Footprint, workload: Workload) -> Footprint:
    """Return the footprint of owners that write every matrix of the base where they lie on it, one block each."""
    blocks = np.repeat(footprint.on_base, len(workload.encoder.matrices), axis=-1)
    side = max(max(matrix.rows, matrix.columns) for matrix in workload.encoder.matrices)
    return replace(footprint, reprogrammed=Reprogrammed(side, side, blocks))
