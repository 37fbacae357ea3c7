"""What compressors of differences ask about owners: whose parameters are a group's, and which grid differences lie on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin

if TYPE_CHECKING:
    from torch import Tensor


def by_owner(params: plugin.Params, demand: plugin.Demand | None, *, least: Collection[str] = ()) -> plugin.Params:
    """Give every owner above the base the values that say how it is stored.

    A task has its own. A group has none, since parameters belong to tasks: of each value it takes the one that keeps most
    among the tasks that use it, so that none gets less than it asks for.

    Args:
        params: values (P,), and of tasks (P, T).
        demand: of these points; None: no groups.
        least: names of values that keep more the smaller they are; all others, the larger.

    Returns:
        The same, with values (P, groups + T) in place of those of tasks.
    """
    if demand is None or not demand.groups:
        return params
    users = demand.users[:, 1 : demand.task_owner(0)]
    users = users | ~users.any(axis=-1, keepdims=True)  # what nobody uses takes nothing, whatever its values
    found: dict[str, NDArray[Any]] = {}
    for name, values in params.items():
        if values.ndim == 1:
            found[name] = values
            continue
        keeps_most, neutral = (np.minimum, values.max()) if name in least else (np.maximum, values.min())
        of_groups = keeps_most.reduce(np.where(users, values[:, None], neutral), axis=2)
        found[name] = np.concatenate([of_groups, values], axis=1)
    return plugin.Params(params.points, found)


def grid(
    known: Mapping[tuple[int, int], Tensor], base: plugin.Matrices, key: tuple[int, int], *, per_channel: bool = False
) -> Tensor:
    """Step of the base's 8-bit grid for what is left of a matrix, one for all its owners.

    Args:
        known: steps found on the context's base; they hold where the base is that one.
        base: the base's matrices as they were cut.
        key: layer and matrix.
        per_channel: one step for each output.

    Returns:
        float32 scalar, or (outputs, 1).
    """
    scale = known[key] if base.measured else plugin.best_scale(base.whole[key], per_channel=per_channel)
    return base.of_outputs(key, scale) if scale.ndim else scale
