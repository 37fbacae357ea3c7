"""Weights of a task for exact integer products: each matrix is a sum of pieces, integer codes times a scale per output."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor

from dse.records.effective import BitSlice, Converter, Effective, OnArrays
from dse.records.footprint import Reprogrammed
from dse.records.plan import BASE
from dse.records.stored import Key, Stored, Term
from dse.score.adc_pieces import within
from dse.score.cut import cut_empty, keep_only
from dse.score.task_weights import Source, held_by, layers_of

Place: TypeAlias = tuple[Tensor | None, Tensor | None, tuple[int, int]]
"""Indices of the outputs and of the inputs in the whole matrix, None for all, and the matrix's (outputs, inputs)."""
BITS = 16
"""Bits of an input that one cycle applies: more than an input has, so that a product takes one cycle."""


def hold_integers(source: Source, task: int) -> Effective:
    """Return the weights of a task as pieces, in ``arrays``; ``weights`` are zero, and ``products`` are empty.

    The pieces of a delta begin with those of the base's matrix, with one piece for each block of rows whose sums have
    factors, and then the codes that are written over it. The owner's terms follow.
    """
    held = held_by(source, task)
    held.products.clear()
    for owner, layers in layers_of(source.plan, task).items():
        for key, stored in source.get_terms(owner, layers).items():
            place, weight = _place(source, owner, key), held.weights[key]
            held.weights[key] = weight.new_zeros(()).expand_as(weight)  # takes no memory
            held.arrays[key] = tuple(_pieces(stored, place))
            if stored.on_base:
                base = _pieces(source.get_terms(BASE, [key[0]])[key], _place(source, BASE, key))
                held.arrays[key] = (*_change_base(base, stored, place, source.reprogrammed), *held.arrays[key])
    keep_only(source.encoder, source.plan, task, held)
    return held


def _place(source: Source, owner: int, key: Key) -> Place:
    matrix, cut = source.encoder.matrices[key[1]], cut_empty(source.encoder, source.plan, owner, key)
    return cut.outputs.get(key), cut.inputs.get(key), (matrix.columns, matrix.rows)


def _pieces(stored: Stored, place: Place) -> Iterator[OnArrays]:
    """Yield a piece for each term that the matrix's inputs drive; the second factor of a product follows in its ``then``."""
    outputs, inputs, shape = place
    fed = {term.fed_by: term for term in stored.terms if term.fed_by is not None}
    for index, term in enumerate(stored.terms):
        if term.fed_by is not None or not term.codes.numel():
            continue
        if index not in fed:
            yield _piece(term, (within(term.columns, outputs), within(term.rows, inputs), shape))
        elif fed[index].codes.numel():
            second, rank = fed[index], len(term.codes)
            then = _piece(second, (within(second.columns, outputs), second.rows, (shape[0], rank)))
            yield replace(_piece(term, (term.columns, within(term.rows, inputs), (rank, shape[1]))), then=then)


def _piece(term: Term, place: Place) -> OnArrays:
    """Return a term as one slice, whose sums no conversion changes."""
    codes = term.codes.to(torch.int32)
    unit = None if term.offset is None else torch.ones(1, codes.shape[1])
    most = 2**62  # no sum reaches it
    return OnArrays(
        slices=(BitSlice(1.0, codes, unit=unit),),
        scale=term.scale.double().reshape(-1, 1),
        bias=0,
        offset=None if term.offset is None else term.offset.double().reshape(-1, 1),
        outputs=place[0],
        inputs=place[1],
        shape=place[2],
        converter=Converter(max(1, codes.shape[1]), len(codes), 1, BITS, BITS, 1.0, most),
    )


def _change_base(
    pieces: Iterable[OnArrays], stored: Stored, place: Place, reprogrammed: Reprogrammed | None
) -> Iterator[OnArrays]:
    """Yield the base's pieces as they compute for an owner: sums scaled by block of rows, and blocks written over."""
    outputs, inputs, shape = place
    factors, size, written = torch.ones(1, shape[0]), shape[1], torch.zeros(shape, dtype=torch.bool)
    if (scaling := stored.scaling) is not None:
        factors, size = torch.ones(len(scaling.live), shape[0]), scaling.rows
        factors[:, _list_indices(outputs, shape[0])] = torch.where(scaling.live, scaling.factors, 1.0)
    if stored.image is not None and reprogrammed is not None:
        columns, rows = torch.arange(shape[0]), torch.arange(shape[1])
        written = stored.image.blocks[columns // reprogrammed.columns][:, rows // reprogrammed.rows]
    for piece in pieces:
        over, under = _list_indices(piece.outputs, shape[0]), _list_indices(piece.inputs, shape[1])
        levels = piece.slices[0].levels * ~written[over][:, under]
        for block, factor in enumerate(factors.double()):
            some = under // size == block
            part = replace(piece.slices[0], levels=levels[:, some])
            yield replace(piece, slices=(part,), inputs=under[some], scale=piece.scale * factor[over][:, None])
    if stored.image is not None:
        over, under = _list_indices(outputs, shape[0]), _list_indices(inputs, shape[1])
        yield _piece(Term(stored.image.codes * written[over][:, under], stored.image.scale, 0), place)


def _list_indices(indices: Tensor | None, size: int) -> Tensor:
    """Return the indices that are kept, or all of them."""
    return torch.arange(size) if indices is None else indices
