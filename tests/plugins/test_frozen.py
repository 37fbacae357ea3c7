"""A plugin cannot change what it is given: arrays are read-only, and changed weights are an error that names it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import dse
from dse.errors import PluginContractError
from dse.plugins.call import call_plugin
from dse.plugins.frozen import Guard, freeze
from dse.testing import TinyContext, tiny_workload
from tests.support.workloads import geometry


@dataclass(frozen=True)
class Nested:
    """A record with arrays at three depths."""

    plain: Any
    inside: tuple[Any, ...]
    named: Mapping[str, Any]


def test_every_array_of_a_record_becomes_read_only() -> None:
    arrays = [np.zeros(2) for _ in range(4)]
    freeze(Nested(arrays[0], (Nested(arrays[1], (), {}), arrays[2], 5), {"a": arrays[3]}))
    assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize("given", ["geometry", "params"])
def test_a_plugin_that_writes_into_an_array_is_named(given: str) -> None:
    values: dict[str, Any] = {"geometry": geometry(), "params": dse.Params(1, {"rate": np.ones(1)})}

    def order(shape: Any, params: Any) -> None:
        target = shape.rows if given == "geometry" else params["rate"]
        target[...] = 7

    with pytest.raises(PluginContractError, match=r"scheduler 'mine' raised in order.*read-only"):
        call_plugin("scheduler", "mine", order, values["geometry"], values["params"])


def by_method(weight: torch.Tensor) -> None:
    """Change a tensor as torch counts it."""
    weight.mul_(2)


def by_index(weight: torch.Tensor) -> None:
    """Change one number."""
    weight[0, 0] = 5


def by_numpy(weight: torch.Tensor) -> None:
    """Change the memory through numpy."""
    weight.numpy()[0, 0] = 9


def by_data(weight: torch.Tensor) -> None:
    """Change the memory so that torch does not count it."""
    weight.data[0].zero_()


def by_order(weight: torch.Tensor) -> None:
    """Put the same numbers in another order."""
    weight.copy_(weight.roll(1, 1))


CHANGES = (by_method, by_index, by_numpy, by_data, by_order)


def call(change: Callable[[Any], None], dropped: list[int]) -> None:
    """Let a compressor change one of two tensors."""
    weight = torch.arange(9.0).reshape(3, 3)
    with Guard("compressor 'mine'", lambda: dropped.append(1)) as guard:
        guard.watch({(2, 1): weight, (2, 2): torch.ones(2)})
        change(weight)


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_are_changed_in_place_are_an_error_and_are_dropped(change: Callable[[Any], None]) -> None:
    dropped: list[int] = []
    with pytest.raises(PluginContractError) as error:
        call(change, dropped)
    assert error.value.what == "compressor 'mine' changed weights that it was given"
    assert error.value.found == "1 tensors that were changed in place, the first of them (2, 1)"
    assert dropped == [1]


def test_an_error_of_the_plugin_is_not_hidden_by_a_change() -> None:
    dropped: list[int] = []

    def fail(weight: torch.Tensor) -> None:
        weight.zero_()
        raise KeyError("own")

    with pytest.raises(KeyError):
        call(fail, dropped)
    assert dropped == [1]


def test_a_context_gives_fresh_weights_after_a_plugin_changed_them() -> None:
    context = TinyContext(tiny_workload(2))
    before = context.task_weights(1)[0, 0].clone()
    with pytest.raises(PluginContractError), context.guarded("generator 'mine'") as given:
        given.task_weights(1)[0, 0].zero_()
    assert torch.equal(context.task_weights(1)[0, 0], before)


def test_copies_may_be_changed() -> None:
    context = TinyContext(tiny_workload(2))
    with context.guarded("generator 'mine'", context.base_weights()) as given:
        given.base_weights()[0, 0].clone().zero_()


def test_a_guard_keeps_no_weights_in_memory() -> None:
    with Guard("generator 'mine'", lambda: None) as guard:
        weight = torch.ones(3)
        alive = weakref.ref(weight)
        guard.watch({(0, 0): weight})
        del weight
        assert alive() is None
        guard.watch({(0, 0): torch.zeros(3)})
