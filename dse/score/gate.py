"""The gate: every tensor that a plugin gives has the size that is charged, so that no weights hide in what is free."""

from collections.abc import Iterable, Mapping

from dse.errors import PluginContractError
from dse.records.arrays import Tensor
from dse.records.exits import ExitHead
from dse.records.model import Model
from dse.records.stored import Image, Key, Scaling, Stored, Term
from dse.records.workload import Encoder, Workload

Shape = tuple[int, ...]


def check_term_shapes(stored: Stored, term: Term, shape: tuple[int, int], where: str) -> None:
    """Refuse a term whose codes do not fit the matrix, or whose scale or offset has more than one value per output.

    Args:
        stored: terms of the matrix.
        term: one of them.
        shape: (outputs, inputs) of the matrix.
        where: plugin, owner, layer and matrix, for messages.

    Raises:
        PluginContractError: a tensor of the term does not have the shape in its contract.
    """
    if not term.codes.numel():
        return  # a piece of the footprint that this matrix leaves empty
    for indices, size, side, name in zip(
        (term.columns, term.rows), _sides(stored, term, shape), (0, 1), ("columns", "rows"), strict=True
    ):
        _check_places(indices, size, term.codes.shape[side], f"{name} of a stored term", where)
    outputs = len(term.codes)
    for name, values in (("scale", term.scale), ("offset", term.offset)):
        if values is not None:
            _check_shape(f"the {name} of a stored term", values, _per_output(outputs), where)


def check_change_shapes(stored: Stored, shape: tuple[int, int], blocks: tuple[int, int] | None, where: str) -> None:
    """Refuse factors of the base's sums, or codes written over the base, whose size differs from the charged size.

    Args:
        stored: terms of the matrix.
        shape: (outputs, inputs) of the matrix.
        blocks: (column blocks, row blocks) of the whole matrix where blocks are written.
        where: plugin, owner, layer and matrix, for messages.

    Raises:
        PluginContractError: a tensor does not have the shape in its contract, or a factor more values than its bits have.
    """
    if stored.scaling is not None:
        _check_scaling(stored.scaling, shape[0], where)
    if stored.image is not None:
        _check_image(stored.image, shape, blocks, where)


def check_shared_scales(encoder: Encoder, stored: Mapping[Key, Stored], base: Mapping[Key, Stored], where: str) -> None:
    """Refuse a scale that is said to be shared but is not one of the charged scales.

    A term may share the scale of another term of its matrix, or of the base's matrix in the same place. An image lies on the
    base's grid.

    Args:
        encoder: names of the matrices.
        stored: terms of one owner.
        base: terms of the base; empty if nothing of the base is stored.
        where: plugin and owner, for messages.

    Raises:
        PluginContractError: a shared scale has values that no charged scale has.
    """
    for key, matrix in stored.items():
        place = f"{where}, layer {key[0]}, {encoder.matrices[key[1]].name}"
        below = base[key].terms if key in base else ()
        free = [term.scale for term in matrix.terms if term.shared_scale and term.codes.numel()]
        charged = [term.scale for term in (*matrix.terms, *below) if not term.shared_scale]
        _check_among(free, charged, "a scale that is not charged", place)
        if matrix.image is not None:
            _check_among([matrix.image.scale], charged, "the scale of codes written over the base", place)


def check_model_shapes(workload: Workload, model: Model, where: str) -> None:
    """Refuse weights that the encoder does not have, and vectors or heads that are larger than the charged ones.

    Args:
        workload: encoder and tasks.
        model: weights of one owner.
        where: plugin and owner, for messages.

    Raises:
        PluginContractError: the shape of a tensor does not fit its place, or stands where no tensor belongs.
    """
    encoder = workload.encoder
    for name, by_matrix in (("weights", model.matrices), ("a shift of a bias", model.shifts)):
        for (layer, index), values in by_matrix.items():
            matrix = encoder.matrices[index]
            sizes: Shape = (matrix.columns, matrix.rows) if name == "weights" else (matrix.columns,)
            _check_shape(name, values, {sizes}, f"{where}, layer {layer}, {matrix.name}")
    names = {f"{matrix.name}.weight" for matrix in encoder.matrices}
    for layer, vectors in model.vectors.items():
        if hidden := sorted(names & vectors.keys()):
            reason, place = "a matrix is given among biases and norms", f"{where}, layer {layer}"
            raise PluginContractError(reason, where=place, expected="biases and norms", found=hidden[0])
    # The encoder states the mean of its layers, since some families lack a norm in one of them.
    everything = [value for named in model.vectors.values() for value in named.values()]
    _check_count("the set of biases and norms", everything, encoder.layers * encoder.vector_parameters, where)
    for task, head in model.heads.items():
        _check_count("a head", head.values(), workload.tasks[task].head_parameters, f"{where}, task {task}")
    for task, exits in model.exits.items():
        for layer, exit_head in exits.items():
            _check_exit(exit_head, 2 * encoder.hidden, f"{where}, exit of task {task} after layer {layer}")


def _sides(stored: Stored, term: Term, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the numbers of a term's outputs and inputs: the matrix's, or on one side those inside a product of terms."""
    if term.fed_by is not None:
        return shape[0], stored.terms[term.fed_by].codes.shape[0]
    feeds = any(other.fed_by is not None and stored.terms[other.fed_by] is term for other in stored.terms)
    return (term.codes.shape[0], shape[1]) if feeds else shape


def _check_places(indices: Tensor | None, size: int, count: int, name: str, where: str) -> None:
    """Refuse indices that do not give each row or column of codes a place of its own in the matrix."""
    if indices is None and count == size:
        return
    places = range(count) if indices is None else indices.tolist()
    if indices is None or len(places) != count or {*places} != {*range(size)} & {*places} or len({*places}) < count:
        raise PluginContractError(
            f"{name} do not fit the matrix",
            where=where,
            expected=size if indices is None else f"{count} different places from 0 to {size - 1}",
            found=count if indices is None else f"{len({*places})} places from {min(places)} to {max(places)}",
        )


def _per_output(outputs: int) -> set[Shape]:
    """Return the shapes of one value per matrix, or of one per output."""
    return {(), (1,), (1, 1), (outputs,), (outputs, 1)}


def _check_shape(name: str, values: Tensor, shapes: set[Shape], where: str) -> None:
    if tuple(values.shape) not in shapes:
        raise PluginContractError(
            f"the shape of {name} differs from the charged one",
            where=where,
            expected=" or ".join(map(str, sorted(shapes))),
            found=tuple(values.shape),
        )


def _check_count(name: str, values: Iterable[Tensor], most: int, where: str) -> None:
    count = sum(value.numel() for value in values)
    if count > most:
        raise PluginContractError(
            f"{name} holds more numbers than are charged", where=where, expected=f"at most {most}", found=count
        )


def _check_exit(head: ExitHead, inputs: int, where: str) -> None:
    classes = head.bias.numel()
    _check_shape("the bias of an exit", head.bias, {(classes,)}, where)
    _check_shape("the weight of an exit", head.weight, {(classes, inputs)}, where)


def _check_scaling(scaling: Scaling, outputs: int, where: str) -> None:
    sizes: set[Shape] = {(len(scaling.factors), outputs)}
    for name, values in (("factors of the base's sums", scaling.factors), ("places of factors", scaling.live)):
        _check_shape(name, values, sizes, where)
    different = int(scaling.factors[scaling.live].unique().numel())
    if different > 2**scaling.bits:
        raise PluginContractError(
            "factors of the base's sums take more values than their bits can hold",
            where=where,
            expected=f"at most {2**scaling.bits} values in {scaling.bits} bits",
            found=different,
        )


def _check_image(image: Image, shape: tuple[int, int], blocks: tuple[int, int] | None, where: str) -> None:
    _check_shape("codes written over the base", image.codes, {shape}, where)
    _check_shape("the scale of codes written over the base", image.scale, _per_output(shape[0]), where)
    if blocks is not None:
        _check_shape("places of codes written over the base", image.blocks, {blocks}, where)


def _check_among(free: Iterable[Tensor], charged: Iterable[Tensor], name: str, where: str) -> None:
    """Refuse scales with a value that no charged scale has."""
    import torch

    paid = [values.flatten() for values in charged]
    for values in free:
        if not paid or not bool(torch.isin(values.flatten(), torch.cat(paid)).all()):
            raise PluginContractError(
                f"{name} is not a stored scale",
                where=where,
                expected="values of a charged scale of the same matrix, of this owner or of the base",
                found=f"{values.numel()} values, the first of them {float(values.flatten()[0]):g}",
                fix="set shared_scale = False and charge the scale's bits",
            )
