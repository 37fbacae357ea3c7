"""Demand of a plan: the matrices of each owner, and their sizes."""

from __future__ import annotations

import numpy as np

from dse.cost.exits import check_exits
from dse.errors import PluginContractError
from dse.records.arrays import Bools, Floats, Ints
from dse.records.demand import Demand
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.workload import PROJECTIONS, Encoder, Matrix, Workload


def demand(workload: Workload, plan: Plan, *, generator: str, joint: bool = False) -> Demand:
    """Turn a plan into the demand that a compressor answers.

    A matrix of an owner has every row and column that any of its users keeps. Every task that does not skip a layer uses
    the base's matrices there, since deltas lie on them.

    Args:
        workload: T tasks and an encoder of L layers.
        plan: plan with owners (P, T, L).
        generator: name of the generator, for the error.
        joint: whether the generator is joint: its weights are not those of the context.

    Raises:
        PluginContractError: the plan has the wrong shape, an owner that does not exist, a mask that does not fit, or groups
            though its generator is not joint.
    """
    _check_plan(workload, plan, generator, joint=joint)
    owner, tasks = np.asarray(plan.owner), len(workload.tasks)
    owners = 1 + plan.groups + tasks
    uses = owner[:, :, None, :] == np.arange(owners)[None, None, :, None]  # (P, T, O, L)
    direct = uses[:, :, BASE].any(axis=1)
    uses[:, :, BASE] = owner != DROPPED
    heads, ffn = (
        _union(plan, uses, mask, count, generator)
        for mask, count in ((plan.heads, workload.encoder.heads), (plan.ffn, workload.encoder.ffn))
    )
    rows, columns = _count_kept(workload.encoder, uses, heads, ffn)
    used = uses.any(axis=1)
    exits, computes = plan.exits, _computes(plan)
    return Demand(
        tasks, plan.groups, owner, used, direct, rows, columns, heads, ffn, exits, computes, measured=not joint
    )


def _check_plan(workload: Workload, plan: Plan, generator: str, *, joint: bool) -> None:
    """Refuse a plan with owners that do not exist, unusable early exits, or groups though its generator is not joint."""
    owner = np.asarray(plan.owner)
    tasks, layers = len(workload.tasks), workload.encoder.layers
    owners = 1 + plan.groups + tasks
    if owner.ndim != 3 or owner.shape[1:] != (tasks, layers):
        raise PluginContractError(
            f"generator {generator!r} returned a plan of the wrong shape",
            expected=f"owner (P, {tasks}, {layers})",
            found=f"{owner.shape}",
        )
    if owner.min(initial=BASE) < DROPPED or owner.max(initial=BASE) >= owners:
        raise PluginContractError(
            f"generator {generator!r} named an owner that does not exist",
            expected=f"{DROPPED} (skipped), 0 (base) to {owners - 1}",
            found=f"{owner.min()} to {owner.max()}",
        )
    if plan.groups and not joint:
        raise PluginContractError(
            f"generator {generator!r} has groups, whose weights several tasks share, but is not joint",
            expected="a class attribute joint = True, or no groups",
            found=f"{plan.groups} groups",
        )
    if plan.exits is not None:
        check_exits(plan.exits, owner, generator=generator)


def _computes(plan: Plan) -> Ints | None:
    """Return a number for each task's layer (P, T, L) that tells owners and masks apart: masks times random numbers."""
    masks = [mask for mask in (plan.heads, plan.ffn) if mask is not None]
    if not masks:
        return None
    draw = np.random.default_rng(0)
    numbers = np.asarray(plan.owner, dtype=np.int64)
    for mask in masks:
        numbers = numbers + mask @ draw.integers(2**32, 2**40, mask.shape[-1]) * (plan.owner != DROPPED)
    return numbers


def kept_outputs(encoder: Encoder, demand: Demand, matrix: int) -> Bools | None:
    """Return which outputs of a matrix each owner keeps, (P, O, L, outputs); None where no plan removes outputs.

    Args:
        encoder: shape of the base model.
        demand: matrices that each owner stores, for P designs.
        matrix: index of the matrix in `encoder.matrices`.
    """
    return _kept_side(encoder, demand, matrix, "columns")


def kept_inputs(encoder: Encoder, demand: Demand, matrix: int) -> Bools | None:
    """Return which inputs of a matrix each owner keeps, (P, O, L, inputs); None where no plan removes inputs.

    Args:
        encoder: shape of the base model.
        demand: matrices that each owner stores, for P designs.
        matrix: index of the matrix in `encoder.matrices`.
    """
    return _kept_side(encoder, demand, matrix, "rows")


def _kept_side(encoder: Encoder, demand: Demand, matrix: int, side: str) -> Bools | None:
    """Return which rows or columns of a matrix each owner keeps, (P, O, L, size of the side); None for all."""
    for mask, heads in ((demand.heads, True), (demand.ffn, False)):
        if mask is not None and removable_side(encoder.matrices[matrix], heads=heads) == side:
            return spread_units(encoder, matrix, mask, heads=heads)
    return None


def spread_units(encoder: Encoder, matrix: int, mask: Bools, *, heads: bool) -> Bools:
    """Return a mask over the side of a matrix that heads or FFN columns shrink, from a mask over these units (..., units).

    A fused matrix has the units of its parts one after another.
    """
    units = np.repeat(mask, encoder.head_size, axis=-1) if heads else mask
    of_matrix = encoder.matrices[matrix]
    size = of_matrix.columns if removable_side(of_matrix, heads=heads) == "columns" else of_matrix.rows
    return np.tile(units, size // units.shape[-1])


def _union(plan: Plan, uses: Bools, mask: Bools | None, count: int, generator: str) -> Bools | None:
    """Return the heads or columns that any user of each owner's layer keeps, (P, O, L, count)."""
    if mask is None:
        return None
    if mask.shape != (*plan.owner.shape, count):
        raise PluginContractError(
            f"generator {generator!r} returned a mask that does not fit the encoder",
            expected=f"{(*plan.owner.shape, count)}",
            found=f"{mask.shape}",
        )
    return np.asarray(np.einsum("ptol,ptlk->polk", uses, mask, optimize=True) > 0)


def _count_kept(encoder: Encoder, uses: Bools, heads: Bools | None, ffn: Bools | None) -> tuple[Floats, Floats]:
    """Count rows and columns (P, O, L, M) of every owner's matrices, or (1, 1, 1, M) where nothing is removed."""
    shape = np.array([(matrix.rows, matrix.columns) for matrix in encoder.matrices], dtype=float)
    rows, columns = shape[None, None, None, :, 0], shape[None, None, None, :, 1]
    if heads is None and ffn is None:
        return rows, columns
    full = (*uses.shape[:1], *uses.shape[2:], len(encoder.matrices))
    rows, columns = np.broadcast_to(rows, full).copy(), np.broadcast_to(columns, full).copy()
    for mask in (heads, ffn):
        if mask is None:
            continue
        for index, matrix in enumerate(encoder.matrices):
            side = removable_side(matrix, heads=mask is heads)
            if side is not None:
                sizes = columns if side == "columns" else rows
                sizes[..., index] = spread_units(encoder, index, mask, heads=mask is heads).sum(axis=-1)
    return rows, columns


def removable_side(matrix: Matrix, *, heads: bool) -> str | None:
    """Return the side of a matrix that shrinks when heads (or else FFN columns) are removed."""
    if heads:
        return "columns" if matrix.role in PROJECTIONS else "rows" if matrix.role == "attention_output" else None
    return "columns" if matrix.role == "ffn_in" else "rows" if matrix.role == "ffn_out" else None
