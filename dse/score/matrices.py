"""Matrices: rebuilt from stored terms, as the arrays compute with them."""

from dse.errors import PluginContractError
from dse.records.arrays import Tensor
from dse.records.effective import Product
from dse.records.stored import SCALE_BITS, Stored, Term


def effective(stored: Stored, base: Tensor | None, shape: tuple[int, int]) -> Tensor:
    """Sum a matrix's terms, and the base's matrix if they are a delta; `products` handles products of two terms.

    Args:
        stored: terms of the matrix.
        base: the base's effective matrix (outputs, inputs), needed if ``stored.on_base``.
        shape: (outputs, inputs) of the matrix.

    Returns:
        Matrix, float32 (outputs, inputs); rows and columns that no term keeps are the base's, or zero.
    """
    import torch

    if stored.on_base:
        if base is None:
            raise PluginContractError("a delta was stored without a base", expected="the base's matrix", found="none")
        total = base.clone()
    else:
        total = torch.zeros(shape)
    factors = {term.fed_by for term in stored.terms}
    for index, term in enumerate(stored.terms):
        if not term.codes.numel():
            continue  # the term stands for a piece of the footprint that this matrix leaves empty
        if term.fed_by is None and index not in factors:
            _add(total, term)
    return total


def products(stored: Stored, shape: tuple[int, int]) -> list[Product]:
    """Return pairs of factors that run one after the other: (rank, inputs), then (outputs, rank).

    Args:
        stored: terms of the matrix.
        shape: (outputs, inputs) of the matrix.
    """
    import torch

    pairs = []
    for term in stored.terms:
        if term.fed_by is None or not term.codes.numel():
            continue
        rank = term.codes.shape[1]
        first, second = torch.zeros(rank, shape[1]), torch.zeros(shape[0], rank)
        _add(first, stored.terms[term.fed_by])
        _add(second, term)
        pairs.append((first, second))
    return pairs


def _add(total: Tensor, term: Term) -> None:
    """Add a term's values at the rows and columns that the term keeps."""
    import torch

    values = term.codes.to(torch.float32) * _by_column(term.scale)
    if term.offset is not None:
        values += _by_column(term.offset)
    if term.columns is None and term.rows is None:
        total += values
        return
    columns = torch.arange(total.shape[0]) if term.columns is None else term.columns
    rows = torch.arange(total.shape[1]) if term.rows is None else term.rows
    total[columns[:, None], rows[None, :]] += values


def _by_column(values: Tensor) -> Tensor:
    return values[:, None] if values.ndim == 1 and values.numel() > 1 else values


def digital_bits(stored: Stored, outputs: int) -> int:
    """Count a matrix's bits of SRAM: scales, offsets, factors, digital codes, and one bit per output if some are dropped."""
    bits = 0
    if stored.scaling is not None:
        bits += int(stored.scaling.live.sum()) * stored.scaling.bits
    for term in stored.terms:
        if not term.shared_scale:
            bits += term.scale.numel() * SCALE_BITS
        if term.digital:
            bits += term.codes.numel() * (1 + term.magnitude.bit_length())
        if term.offset is not None:
            bits += term.offset.numel() * SCALE_BITS
        if term.columns is not None:
            bits += outputs
    return bits
