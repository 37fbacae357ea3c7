"""What matrices take on arrays: announced by a compressor before weights exist, and counted by the core."""

from __future__ import annotations

from dataclasses import dataclass

from dse.records.arrays import Bools, Floats


@dataclass(frozen=True, slots=True)
class Piece:
    """One stored piece of every matrix; a matrix has several where it is a product or a sum.

    All ``(P, O, L, M)``, whole numbers kept as floats: division of floats is vectorised, of integers it is not.

    Attributes:
        rows: live wordlines; 0 where nothing is stored.
        columns: live bitlines before bit slicing; 0 where nothing is stored.
        magnitude: largest absolute integer code; it sets the bit slices.
        unsigned: no code is negative: one array a slice, with an extra column that sums the inputs, as ISAAC's offset
            encoding reads it.
        fed_by: index of the piece whose outputs are this one's inputs, so that it runs after that one; None: it is driven
            by the matrix's inputs.
        digital: codes lie in SRAM and are multiplied in the digital unit: they take no arrays.
    """

    rows: Floats
    columns: Floats
    magnitude: Floats
    unsigned: bool = False
    fed_by: int | None = None
    digital: bool = False


@dataclass(frozen=True, slots=True)
class Reprogrammed:
    """Blocks of the base's matrices that hold an owner's own weights while its users are served.

    A block is what a processing element (PE) holds: ``rows`` by ``columns`` weights with all their bit slices and both
    signs. Blocks are cut from whole matrices; those of all layers and their matrices follow one another (B), those of a
    matrix by blocks of columns and, within these, of rows.

    Attributes:
        rows: inputs of a block.
        columns: outputs of a block.
        blocks: (P, O, B) which blocks each owner has written; none of the base's own.
        weight_bits: bits of one weight of an image, off-chip.
        masks: images only say what is left of the base's weights, which are read beside them.
    """

    rows: int
    columns: int
    blocks: Bools
    weight_bits: float = 8.0
    masks: bool = False


@dataclass(frozen=True, slots=True)
class Footprint:
    """What every owner's matrices take, from a compressor, before any weight exists.

    Attributes:
        pieces: what arrays hold.
        digital_bits: (P, O, L, M) scales, metadata and digital codes held in on-chip SRAM.
        on_base: (P, O, L) whether the owner's weights are a delta, so that the base's arrays run beside its own.
        reprogrammed: blocks of the base's arrays that are written when a user of the owner comes; None: none.
        scalings: (P, O, L, M) partial sums of the base's arrays that are multiplied by the owner's factors, for one input
            vector; None: none.
        shifts: likewise those that are shifted and added instead.
    """

    pieces: tuple[Piece, ...]
    digital_bits: Floats
    on_base: Bools
    reprogrammed: Reprogrammed | None = None
    scalings: Floats | None = None
    shifts: Floats | None = None
