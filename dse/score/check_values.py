"""Checks that values from plugins are numbers: a score of anything else would be a wrong answer without a word."""

from collections.abc import Iterator
from itertools import chain

from dse.errors import PluginContractError
from dse.records.arrays import Tensor
from dse.records.effective import Effective
from dse.records.model import Model
from dse.records.stored import Stored, Term
from dse.records.workload import Encoder


def check_finite(values: object, name: str, where: str) -> None:
    """Refuse a value that is not a tensor of real, finite numbers.

    Args:
        values: value that a plugin gave.
        name: noun phrase for the value, e.g. ``a stored bias``.
        where: plugin, owner, layer and matrix, for the message.

    Raises:
        PluginContractError: the value is not a tensor, is complex, or holds NaN or an infinite number.
    """
    import torch

    if not isinstance(values, torch.Tensor):
        raise PluginContractError(
            f"{name} is not a tensor", where=where, expected="a torch.Tensor", found=type(values).__name__
        )
    if values.is_complex():
        raise PluginContractError(
            f"{name} is complex", where=where, expected="real numbers", found=f"dtype {values.dtype}"
        )
    if not values.is_floating_point() or bool(values.sum().isfinite()):
        return  # a sum is several times faster than a test of each number, and NaN or infinity spoils it
    bad = ~values.isfinite()
    if bool(bad.any()):
        at = tuple(bad.nonzero()[0].tolist())
        raise PluginContractError(
            f"{name} has values that are not finite",
            where=where,
            expected="finite numbers",
            found=f"{float(values[at])} at {at}; {int(bad.sum())} of {values.numel()} values are not finite",
        )


def check_model(encoder: Encoder, model: Model, where: str) -> None:
    """Refuse weights, biases, norms, heads or exits of a model that are not finite.

    Args:
        encoder: names of the matrices.
        model: weights of one owner.
        where: plugin and owner, for the message.

    Raises:
        PluginContractError: a value is not a tensor of finite numbers.
    """
    for place, values in _parts(encoder, model):
        check_finite(values, "a weight of a model", f"{where}, {place}")


def _parts(encoder: Encoder, model: Model) -> Iterator[tuple[str, Tensor]]:
    """Yield each tensor of a model with its place."""
    for name, by_matrix in (("", model.matrices), ("shift of ", model.shifts)):
        for (layer, index), values in by_matrix.items():
            yield f"layer {layer}, {name}{encoder.matrices[index].name}", values
    for layer, vectors in model.vectors.items():
        yield from ((f"layer {layer}, {name}", values) for name, values in vectors.items())
    for task, head in model.heads.items():
        yield from ((f"head of task {task}, {name}", values) for name, values in head.items())
    for task, exits in model.exits.items():
        for layer, one in exits.items():
            yield f"exit of task {task} after layer {layer}, weight", one.weight
            yield f"exit of task {task} after layer {layer}, bias", one.bias


def check_effective(encoder: Encoder, held: Effective, where: str) -> None:
    """Refuse rebuilt matrices, biases or factors that are not finite, such as finite codes times a huge scale.

    Args:
        encoder: names of the matrices.
        held: weights that one task computes with.
        where: plugins and task, for the message.

    Raises:
        PluginContractError: a value is not finite.
    """
    for (layer, index), weight in held.weights.items():
        place = f"{where}, layer {layer}, {encoder.matrices[index].name}"
        check_finite(weight, "a matrix that was rebuilt from stored terms", place)
        for factor in chain.from_iterable(held.products.get((layer, index), ())):
            check_finite(factor, "a factor that was rebuilt from stored terms", place)
        if (layer, index) in held.biases:
            check_finite(held.biases[layer, index], "a bias that was rebuilt from stored terms", place)


def check_term(term: Term, where: str) -> None:
    """Refuse a term whose codes are not whole numbers, or whose scale or offset is not finite.

    Raises:
        PluginContractError: a value is not a tensor, is not finite, or is a code that is not whole.
    """
    _check_whole(term.codes, "stored codes", where)
    check_finite(term.scale, "the scale of a stored term", where)
    if term.offset is not None:
        check_finite(term.offset, "the offset of a stored term", where)


def check_changes(stored: Stored, where: str) -> None:
    """Refuse factors of the base's sums, or codes written over the base, that are not numbers.

    Raises:
        PluginContractError: a value is not a tensor, is not finite, or is a code that is not whole.
    """
    if stored.scaling is not None:
        check_finite(stored.scaling.factors, "a factor of the base's partial sums", where)
    if stored.image is not None:
        _check_whole(stored.image.codes, "codes written over the base", where)
        check_finite(stored.image.scale, "the scale of codes written over the base", where)


def _check_whole(codes: Tensor, name: str, where: str) -> None:
    check_finite(codes, name, where)
    if codes.is_floating_point() and not bool((codes == codes.round()).all()):
        first = float(codes[codes != codes.round()][0])
        raise PluginContractError(
            f"{name} are not whole numbers",
            where=where,
            expected="integers",
            found=first,
            fix="round codes before storing",
        )
