"""A footprint: the rows, columns and codes of matrices, announced by a compressor before weights exist."""

from dataclasses import dataclass

from dse.records.arrays import Bools, Floats


@dataclass(frozen=True, slots=True)
class Piece:
    """One stored piece of every matrix; a matrix has several where it is a product or a sum.

    Arrays are ``(P, O, L, M)``, whole numbers kept as floats: division of floats is vectorised, division of integers is not.

    Attributes:
        rows: live wordlines; 0 where nothing is stored.
        columns: live bitlines before bit slicing; 0 where nothing is stored.
        magnitude: largest absolute integer code; it sets the bit slices.
        unsigned: whether no code is negative: one array per slice, with an extra column that sums the inputs, as ISAAC's
            offset encoding reads it.
        fed_by: index of the piece whose outputs are this piece's inputs, so that this piece runs after it; None: the
            matrix's inputs drive this piece.
        digital: whether codes lie in SRAM and are multiplied in the digital unit, so that they take no arrays.
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

    A block (the XMA2 paper's processing element) holds ``rows`` by ``columns`` weights with all their bit slices and both
    signs. Blocks are cut from whole matrices. The blocks of all layers and their matrices follow one another (B), those of
    a matrix by blocks of columns and, within these, of rows.

    Attributes:
        rows: number of inputs of a block.
        columns: number of outputs of a block.
        blocks: (P, O, B) whether a block is written for an owner; False for the base.
        weight_bits: bits of one weight of an image, off-chip.
        masks: whether images only mark which of the base's weights are left; the base's weights are read beside them.
    """

    rows: int
    columns: int
    blocks: Bools
    weight_bits: float = 8.0
    masks: bool = False


@dataclass(frozen=True, slots=True)
class Footprint:
    """Stored pieces of every owner's matrices, announced by a compressor before any weight exists.

    Attributes:
        pieces: stored pieces of the matrices; a matrix is their sum.
        digital_bits: (P, O, L, M) bits of scales, metadata and digital codes in on-chip SRAM.
        on_base: (P, O, L) whether the owner's weights are a delta, so that the base's arrays run beside its own.
        reprogrammed: blocks of the base's arrays that are written for users of an owner; None: nothing is written.
        scalings: (P, O, L, M) number of partial sums of the base's arrays that are multiplied by the owner's factors, per
            input vector; None: there are no factors.
        shifts: (P, O, L, M) number of partial sums that are shifted and added instead, per input vector; None: no sum is.
    """

    pieces: tuple[Piece, ...]
    digital_bits: Floats
    on_base: Bools
    reprogrammed: Reprogrammed | None = None
    scalings: Floats | None = None
    shifts: Floats | None = None
