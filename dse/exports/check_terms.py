"""Checks of terms from a file: shapes that fit the matrix, and codes and indices in their ranges."""

import torch
from torch import Tensor

from dse.records.stored import Stored
from dse.score.check_values import check_changes, check_term


def check_terms(stored: Stored, shape: tuple[int, int], where: str) -> None:
    """Refuse terms of a matrix that do not fit it.

    Args:
        stored: terms of the matrix.
        shape: (outputs, inputs) of the matrix, as it is cut.
        where: file and matrix, for the message.

    Raises:
        ValueError: a shape does not fit, an index is outside the matrix, or a code exceeds its bound.
        PluginContractError: a value is not a finite number, or a code is not whole.
    """
    check_changes(stored, where)
    feeding, scaling = {term.fed_by for term in stored.terms}, stored.scaling
    fits = stored.bias is None or stored.bias.shape == shape[:1]
    if scaling is not None:
        fits = fits and scaling.factors.shape == scaling.live.shape and scaling.live.shape[1:] == shape[:1]
    for index, term in enumerate(stored.terms):
        check_term(term, where)
        outputs = len(term.codes) if index in feeding else shape[0]
        inputs = shape[1] if term.fed_by is None else len(stored.terms[term.fed_by].codes)
        sizes = (_count(term.columns, outputs), _count(term.rows, inputs))
        vectors = {value.numel() for value in (term.scale, term.offset) if value is not None}
        if term.codes.numel():
            fits = fits and term.codes.shape == sizes and vectors <= {1, sizes[0]}
            fits = fits and int(term.codes.abs().max()) <= term.magnitude
    if not fits:
        raise ValueError(f"terms, bias or factors of {where} do not fit a matrix of {shape}, or a code is too large")


def _count(indices: Tensor | None, size: int) -> int:
    """Return the number of the indices kept, or -1 if an index occurs twice; an index out of range raises IndexError."""
    if indices is None:
        return size
    return len(indices) if len(torch.arange(size)[indices].unique()) == len(indices) else -1
