"""Cut matrices to the heads and FFN columns that a plan keeps, and put the kept parts back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.cost.demand import removable_side, spread_units
from dse.records.arrays import Tensor
from dse.records.demand import Demand
from dse.records.effective import Effective
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.stored import Key, Matrices
from dse.records.workload import Encoder


class Cut:
    """Rows and columns of one owner's matrix that its users keep.

    Args:
        encoder: shapes and roles.
        plan: plan of one design.
        owner: owner of the matrix; every task that does not skip the layer is a user of the base.
        layer: index of the layer.
        matrix: index of the matrix in the layer.
    """

    def __init__(self, encoder: Encoder, plan: Plan, owner: int, layer: int, matrix: int) -> None:
        self._shape = (encoder.matrices[matrix].columns, encoder.matrices[matrix].rows)
        owners = plan.owner[0, :, layer]
        users = owners != DROPPED if owner == BASE else owners == owner
        self._outputs, self._inputs = _sides(encoder, plan, users, layer, matrix)

    @classmethod
    def matrices(cls, cuts: "Mapping[Key, Cut]", whole: Mapping[Key, Tensor], demand: Demand | None = None) -> Matrices:
        """Cut whole matrices; record which of their outputs and inputs are left, and the demand."""
        import torch

        outputs, inputs = (
            {key: torch.from_numpy(indices) for key, cut in cuts.items() if (indices := getattr(cut, side)) is not None}
            for side in ("_outputs", "_inputs")
        )
        return Matrices({key: cut.of(whole[key]) for key, cut in cuts.items()}, outputs, inputs, whole, demand)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of outputs and inputs that are left."""
        sides = (self._outputs, self._inputs)
        outputs, inputs = (whole if side is None else len(side) for whole, side in zip(self._shape, sides, strict=True))
        return outputs, inputs

    def of(self, weight: Tensor) -> Tensor:
        """Cut a whole matrix (outputs, inputs)."""
        if self._outputs is not None:
            weight = weight[self._outputs]
        return weight if self._inputs is None else weight[:, self._inputs]

    def back(self, weight: Tensor) -> Tensor:
        """Put a cut matrix back into a whole one, zero elsewhere."""
        if self._outputs is None and self._inputs is None:
            return weight
        whole = weight.new_zeros(self._shape)
        outputs = np.arange(self._shape[0]) if self._outputs is None else self._outputs
        inputs = np.arange(self._shape[1]) if self._inputs is None else self._inputs
        whole[np.ix_(outputs, inputs)] = weight
        return whole

    def bias_back(self, bias: Tensor) -> Tensor:
        """Put values of a cut matrix's outputs (outputs, ...), such as its bias, back into a whole; zero elsewhere."""
        if self._outputs is None:
            return bias
        whole = bias.new_zeros((self._shape[0], *bias.shape[1:]))
        whole[self._outputs] = bias
        return whole

    def inputs_back(self, factor: Tensor) -> Tensor:
        """Put a factor (rank, inputs) driven by a cut matrix's inputs back into a whole factor; zero elsewhere."""
        if self._inputs is None:
            return factor
        whole = factor.new_zeros((len(factor), self._shape[1]))
        whole[:, self._inputs] = factor
        return whole


def cut_empty(encoder: Encoder, plan: Plan, owner: int, key: Key) -> Matrices:
    """Cut a matrix without values as an owner's matrix is cut: it knows which outputs and inputs are left."""
    import torch

    matrix = encoder.matrices[key[1]]
    return Cut.matrices({key: Cut(encoder, plan, owner, *key)}, {key: torch.empty(matrix.columns, matrix.rows)})


def keep_only(encoder: Encoder, plan: Plan, task: int, held: Effective) -> None:
    """Zero the parts of each matrix and product that one task removes and another user of the matrix keeps."""
    if plan.heads is None and plan.ffn is None:
        return
    alone = np.arange(plan.owner.shape[1]) == task
    for key, weight in held.weights.items():
        outputs, inputs = _sides(encoder, plan, alone, *key)
        above, beside = weight.new_ones(weight.shape[0]), weight.new_ones(weight.shape[1])
        for mask, indices in ((above, outputs), (beside, inputs)):
            if indices is not None:
                mask.zero_()[indices] = 1
        held.weights[key] = weight * above[:, None] * beside
        if key in held.arrays:
            held.kept[key] = (above, beside)
        if key in held.products:
            held.products[key] = tuple((one * beside, two * above[:, None]) for one, two in held.products[key])


def _sides(
    encoder: Encoder, plan: Plan, users: NDArray[Any], layer: int, matrix: int
) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """Return the indices of the outputs and of the inputs that any of the users keeps; None for all."""
    indices: dict[str, NDArray[Any]] = {}
    for mask, heads in ((plan.heads, True), (plan.ffn, False)):
        side = removable_side(encoder.matrices[matrix], heads=heads)
        if mask is not None and side is not None:
            union = mask[0, users, layer].any(axis=0)
            indices[side] = np.flatnonzero(spread_units(encoder, matrix, union, heads=heads))
    return indices.get("columns"), indices.get("rows")
