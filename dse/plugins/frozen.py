"""Values that plugins are given cannot be changed in place: one plugin would spoil every later design of the others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Self, TypeVar
from weakref import ref

import numpy as np

from dse.errors import PluginContractError
from dse.records.arrays import Tensor

C = TypeVar("C")


def freeze(value: object) -> None:
    """Make the numpy arrays of a record read-only, those in its tuples and mappings included.

    An assignment to a read-only array raises ``ValueError`` in the plugin that tries it, so the message names the plugin.
    """
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value) and not isinstance(value, type):
        for name in _names(type(value)):
            freeze(getattr(value, name))
    elif isinstance(value, tuple | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            freeze(one)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """Names of the fields of a dataclass: to ask each time takes as long as to freeze them."""
    return tuple(field.name for field in fields(kind))


class Guard:
    """Guard of the tensors that a plugin is given while one of its methods runs: in-place changes are refused.

    Tensors are compared by their sums: torch counts in-place operations, but not what is written through ``numpy()``.

    Args:
        who: kind and name of the plugin, for the message.
        forget: function that drops the tensors, so that later designs get fresh ones.

    Raises:
        PluginContractError: a tensor has changed when the guard ends.
    """

    def __init__(self, who: str, forget: Callable[[], None]) -> None:
        self._who = who
        self._forget = forget
        # A tensor that nobody holds any more reaches no later design: the guard keeps none alive.
        self._watched: dict[int, tuple[object, ref[Tensor], tuple[float, float]]] = {}
        self._active = False

    def watch(self, weights: Mapping[Any, Tensor]) -> None:
        """Remember tensors that the plugin is given, until the guard ends."""
        for key, tensor in weights.items() if self._active else ():
            if id(tensor) not in self._watched or self._watched[id(tensor)][1]() is not tensor:
                self._watched[id(tensor)] = (key, ref(tensor), _print(tensor))

    def __enter__(self) -> Self:
        self._active = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._active = False
        alive = [(key, tensor(), before) for key, tensor, before in self._watched.values()]
        changed = [key for key, tensor, before in alive if tensor is not None and _print(tensor) != before]
        self._watched.clear()
        if not changed:
            return
        self._forget()
        if kind is None:
            raise PluginContractError(
                f"{self._who} changed weights that it was given",
                where=self._who,
                expected="unchanged weights, since all designs share them",
                found=f"{len(changed)} tensors that were changed in place, the first of them {changed[0]}",
                fix="change a copy: weight.clone()",
            )


@contextmanager
def guarded(context: C, who: str, forget: Callable[[], None], *weights: Mapping[Any, Tensor]) -> Iterator[C]:
    """Give a copy of a context to one call of a plugin; refuse in-place changes of what the plugin gets from the copy.

    Args:
        context: context whose methods hand the weights they give to the attribute ``guard``.
        who: kind and name of the plugin.
        forget: function that drops the tensors of the context.
        weights: further tensors that the plugin is given.

    Raises:
        PluginContractError: the plugin changed weights in place.
    """
    with Guard(who, forget) as guard:
        for named in weights:
            guard.watch(named)
        other: Any = copy(context)
        other.guard = guard
        yield other


def _print(tensor: Tensor) -> tuple[float, float]:
    """Return two sums that a change moves: that of all numbers, and that of some, which a new order moves too."""
    return float(tensor.sum()), float(tensor.flatten()[::7].sum())
