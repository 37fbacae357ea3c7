"""Checks that stored terms take exactly what the footprint was charged."""

from collections.abc import Mapping
from itertools import zip_longest

from dse.errors import PluginContractError
from dse.records.footprint import Footprint, Piece, Reprogrammed
from dse.records.stored import Stored, Term
from dse.records.workload import Encoder, Matrix
from dse.score.base_changes import check_beneath
from dse.score.check_values import check_changes, check_finite, check_term
from dse.score.gate import check_change_shapes, check_term_shapes
from dse.score.matrices import digital_bits


def check_stored(
    encoder: Encoder,
    stored: Mapping[tuple[int, int], Stored],
    shapes: Mapping[tuple[int, int], tuple[int, int]],
    footprint: Footprint,
    owner: int,
    *,
    who: str,
) -> None:
    """Refuse terms that differ from the footprint they were charged by.

    Args:
        encoder: names of the matrices.
        stored: one owner's terms by (layer, matrix).
        shapes: (outputs, inputs) of each matrix that the compressor was given.
        footprint: footprint of one design (P = 1).
        owner: owner of the terms.
        who: name of the compressor.

    Raises:
        PluginContractError: a matrix is missing, a value is not finite, codes are not whole or exceed
            their magnitude bound, or counts differ.
    """
    for key, shape in shapes.items():
        layer, index = key
        where = f"{who}, owner {owner}, layer {layer}, {encoder.matrices[index].name}"
        if key not in stored:
            raise PluginContractError("a matrix was not stored", where=where, expected="its terms", found="nothing")
        matrix = stored[key]
        _check_bias(matrix, shape, where)
        check_changes(matrix, where)
        for term, piece in zip_longest(matrix.terms, footprint.pieces):
            if term is not None:
                check_term(term, where)
                _check_term(term, where, piece)
                _check_fed(matrix, term, piece, where)
        for term in matrix.terms:
            check_term_shapes(matrix, term, shape, where)
        check_change_shapes(matrix, shape, _blocks(encoder.matrices[index], footprint.reprogrammed), where)
        check_beneath(encoder, matrix, footprint, owner, key, where)
        _check_counts(matrix, footprint, owner, key, shape[0], where)


def _blocks(matrix: Matrix, images: Reprogrammed | None) -> tuple[int, int] | None:
    """Return the numbers of blocks of columns and of rows that images cut a whole matrix into."""
    return None if images is None else (-(-matrix.columns // images.columns), -(-matrix.rows // images.rows))


def _check_bias(matrix: Stored, shape: tuple[int, int], where: str) -> None:
    """Refuse a bias that is not a vector of one finite value per output."""
    if matrix.bias is None:
        return
    check_finite(matrix.bias, "a stored bias", where)
    if matrix.bias.shape != shape[:1]:
        raise PluginContractError(
            "a stored bias is not usable",
            where=where,
            expected=f"{shape[0]} values",
            found=f"shape {tuple(matrix.bias.shape)}",
        )


def _check_term(term: Term, where: str, piece: Piece | None) -> None:
    """Refuse codes beyond their bound, codes outside the charged place, and signs that one array cannot hold."""
    unsigned, digital = (piece is not None and piece.unsigned), (piece is not None and piece.digital)
    least, largest = (int(term.codes.min()), int(term.codes.max())) if term.codes.numel() else (0, 0)
    if max(-least, largest) > term.magnitude:
        raise PluginContractError(
            "a stored code is larger than its magnitude bound",
            where=where,
            expected=f"at most {term.magnitude}",
            found=max(-least, largest),
        )
    _compare("digital", digital, term.digital, "a stored term disagree on whether arrays hold it", where)
    _compare("unsigned", unsigned, term.unsigned, "a stored term disagree on whether codes have a sign", where)
    if (unsigned and least < 0) or (term.offset is not None and not unsigned):
        raise PluginContractError(
            "a signed term is stored like an unsigned one",
            where=where,
            expected="codes >= 0, and an offset only beside such codes",
            found=f"smallest code {least}",
        )


def _check_fed(matrix: Stored, term: Term, piece: Piece | None, where: str) -> None:
    """Refuse a product whose factors do not fit each other, or were not charged as a product."""
    charged = None if piece is None else piece.fed_by
    _compare("fed_by", charged, term.fed_by, "a stored term disagree on what feeds the term", where)
    if term.fed_by is None or not term.codes.numel():
        return
    first = matrix.terms[term.fed_by] if 0 <= term.fed_by < len(matrix.terms) else None
    if first is None or first.fed_by is not None or first.codes.shape[0] != term.codes.shape[1]:
        raise PluginContractError(
            "a stored term is fed by a term that does not fit it",
            where=where,
            expected=f"a term driven by the matrix's inputs, with {term.codes.shape[1]} outputs",
            found="none" if first is None else f"{first.codes.shape[0]} outputs, fed_by = {first.fed_by}",
        )


def _check_counts(
    matrix: Stored, footprint: Footprint, owner: int, key: tuple[int, int], outputs: int, where: str
) -> None:
    """Compare one matrix's terms with its footprint, piece by piece and bit by bit."""
    layer, index = key
    at = (0, owner, layer, index)
    charged = [_piece(piece.rows[at], piece.columns[at], piece.magnitude[at]) for piece in footprint.pieces]
    measured = [_piece(term.codes.shape[1], term.codes.shape[0], term.magnitude) for term in matrix.terms]
    measured += [_NOTHING] * (len(charged) - len(measured))
    bits = int(footprint.digital_bits[0, owner, layer, index])
    if charged != measured or bits != digital_bits(matrix, outputs):
        raise PluginContractError(
            "the stored terms are not what the footprint charged for",
            where=where,
            expected=f"(rows, columns, magnitude) {charged} and {bits} digital bits",
            found=f"{measured} and {digital_bits(matrix, outputs)} digital bits",
        )
    delta = bool(footprint.on_base[0, owner, layer])
    text = "the stored terms disagree on whether a matrix is a delta on the base"
    _compare("on_base", delta, matrix.on_base, text, where)


def _compare(name: str, charged: object, stored: object, text: str, where: str) -> None:
    """Refuse a value that the footprint was not charged for."""
    if charged != stored:
        expected, found = f"{name} = {charged}", f"{name} = {stored}"
        raise PluginContractError(f"the footprint and {text}", where=where, expected=expected, found=found)


_NOTHING = (0, 0, 0)


def _piece(rows: float, columns: float, magnitude: float) -> tuple[int, int, int]:
    """Rows, columns and magnitude as whole numbers; all are zero if one is, since nothing is stored then."""
    return (int(rows), int(columns), int(magnitude)) if rows and columns and magnitude else _NOTHING
