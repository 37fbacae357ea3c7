"""Checks of the footprint that a compressor announces."""

from __future__ import annotations

import numpy as np

from dse.cost.reprogramming import blocks_of
from dse.errors import PluginContractError
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.workload import Encoder


def check_footprint(footprint: Footprint, wanted: Demand, compressor: str) -> None:
    """Refuse a footprint of the wrong shape, or with values that are negative or not finite."""
    shape = (*wanted.used.shape, wanted.rows.shape[-1])
    fields = {"digital_bits": footprint.digital_bits}
    fields |= {name: values for name in ("scalings", "shifts") if (values := getattr(footprint, name)) is not None}
    for index, piece in enumerate(footprint.pieces):
        fields |= {f"pieces[{index}].{name}": getattr(piece, name) for name in ("rows", "columns", "magnitude")}
    for name, values in fields.items():
        if values.shape != shape or not np.isfinite(values).all() or values.min(initial=0) < 0:
            raise _unusable(
                compressor,
                name,
                f"finite values >= 0 of shape {shape}",
                f"shape {values.shape}, smallest value {np.min(values, initial=0):g}",
            )
    for index, piece in enumerate(footprint.pieces):
        first = piece.fed_by
        if first is not None and not (0 <= first < len(footprint.pieces) and footprint.pieces[first].fed_by is None):
            raise _unusable(
                compressor, f"pieces[{index}].fed_by", "the index of a piece that the matrix's inputs drive", first
            )
    if footprint.on_base.shape != wanted.used.shape:
        raise _unusable(compressor, "on_base", f"shape {wanted.used.shape}", f"shape {footprint.on_base.shape}")


def check_blocks(encoder: Encoder, footprint: Footprint, compressor: str) -> None:
    """Refuse blocks that do not fit the encoder, are the base's own, or lie where no base runs."""
    images = footprint.reprogrammed
    if images is None:
        return
    count = encoder.layers * blocks_of(encoder, images)[-1].stop if min(images.rows, images.columns) >= 1 else 0
    shape = (*footprint.on_base.shape[:2], count)
    given = np.shape(images.blocks)
    stray = 0
    if given == shape:
        stray = int((images.blocks & ~np.repeat(footprint.on_base, count // encoder.layers, axis=-1)).sum())
    if given != shape or stray or images.weight_bits < 0:
        raise _unusable(
            compressor,
            "reprogrammed",
            f"blocks of shape {shape}, only where on_base is True",
            f"shape {given}, {stray} elsewhere, {images.weight_bits:g} bits per weight",
        )


def _unusable(compressor: str, where: str, expected: str, found: object) -> PluginContractError:
    message = f"compressor {compressor!r} returned an unusable footprint"
    return PluginContractError(message, where=where, expected=expected, found=found)
