"""Parts that compressors of deltas share: the base, the layers above it, a group's parameters, and the grid of deltas."""

from collections.abc import Collection, Iterable

import numpy as np

from dse import plugin
from dse_plugins.shared import Array, Key, Tensor


class BaseGrids:
    """Steps of the 8-bit grids of the base's matrices, each found when it is first asked for: costs need none.

    It is not a `Mapping`: dse looks at the values of a mapping for the plugin's code.

    Args:
        context: context of the study.
        per_channel: whether each output has its own step.
    """

    def __init__(self, context: plugin.Context, *, per_channel: bool = False) -> None:
        self._context, self._per_channel = context, per_channel
        self._steps: dict[Key, Tensor] = {}

    def __getitem__(self, key: Key) -> Tensor:
        if key not in self._steps:
            self._steps[key] = plugin.best_scale(self._context.base_weights()[key], per_channel=self._per_channel)
        return self._steps[key]

    def keys(self) -> Iterable[Key]:
        """Return layer and index of every matrix; with it ``dict(grids)`` finds all steps."""
        return self._context.base_weights().keys()


def by_owner(params: plugin.Params, demand: plugin.Demand | None, *, least: Collection[str] = ()) -> plugin.Params:
    """Give every owner above the base the values that say how it is stored.

    A task has values of its own. A group has none, since parameters belong to tasks: it takes, for each parameter, the
    value that keeps most among the tasks that use it, so that no task gets less than it asks for.

    Args:
        params: values, shape (P,), or (P, T) for parameters of tasks.
        demand: demand of these designs; None where there are no groups.
        least: names of parameters whose smaller values keep more; for all others the larger values keep more.

    Returns:
        The parameters, with values (P, groups + T) in place of the values (P, T) of tasks.
    """
    if demand is None or not demand.groups:
        return params
    users = demand.users[:, 1 : demand.task_owner(0)]
    users = users | ~users.any(axis=-1, keepdims=True)  # a group that no task uses takes nothing, whatever its values
    by_name: dict[str, Array] = {}
    for name, values in params.items():
        if values.ndim == 1:
            by_name[name] = values
            continue
        keeps_most, neutral = (np.minimum, values.max()) if name in least else (np.maximum, values.min())
        of_groups = keeps_most.reduce(np.where(users, values[:, None], neutral), axis=2)
        by_name[name] = np.concatenate([of_groups, values], axis=1)
    return plugin.Params(params.points, by_name)


def store_base(weight: Tensor, scale: Tensor) -> plugin.Term:
    """Store a matrix of the base whole in 8 bits, on the grid that the deltas use too."""
    import torch

    return plugin.Term(plugin.quantise(weight, scale).to(torch.int16), scale, plugin.FULL_MAGNITUDE)


def above_base(demand: plugin.Demand) -> Array:
    """Whether an owner above the base is used in each layer, shape (P, O, L): its delta lies on the base there."""
    used = demand.used.copy()
    used[:, plugin.BASE] = False
    return used


def grid(steps: BaseGrids, base: plugin.Matrices, key: Key, *, per_channel: bool = False) -> Tensor:
    """Step of the base's 8-bit grid for the kept part of a matrix; all owners of the matrix use it.

    Args:
        steps: steps of the context's base; they are used if the base is that one.
        base: the base's matrices as they were cut.
        key: layer and index of the matrix.
        per_channel: whether each output has its own step.

    Returns:
        Steps, a float32 scalar, or (outputs, 1).
    """
    scale = steps[key] if base.measured else plugin.best_scale(base.whole[key], per_channel=per_channel)
    return base.of_outputs(key, scale) if scale.ndim else scale
