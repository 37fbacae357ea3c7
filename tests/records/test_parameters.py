"""Declared parameters: values they accept, ranges that are narrowed, orders as Lehmer codes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.records.parameters import lehmer_decode, lehmer_encode, narrow

SHARE = dse.Float(name="share", low=0.0, high=1.0, default=0.5, step=0.25)
COUNT = dse.Int(name="count", low=2, high=10, default=4, step=2, unit="bit")
MODE = dse.Choice(name="mode", choices=("a", "b"), default="a")


@pytest.mark.parametrize(("parameter", "value"), [(SHARE, 0.75), (SHARE, 1), (COUNT, 10), (MODE, "b")])
def test_good_values_are_taken(parameter: Any, value: Any) -> None:
    assert parameter.check(value) == value


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (SHARE, 1.5, "0.0 to 1.0"),
        (SHARE, 0.3, "0.0 to 1.0 in steps of 0.25"),
        (SHARE, math.nan, "a finite number"),
        (SHARE, True, "a finite number"),
        (SHARE, "0.5", "a finite number"),
        (COUNT, 12, "2 to 10 bit"),
        (COUNT, 5, "2 to 10 in steps of 2 bit"),
        (COUNT, 4.0, "a whole number bit"),
        (MODE, "c", "one of ['a', 'b']"),
        (MODE, 1, "one of ['a', 'b']"),
    ],
)
def test_bad_values_are_refused_with_what_was_expected(parameter: Any, value: Any, expected: str) -> None:
    with pytest.raises(dse.SpaceError) as caught:
        parameter.check(value)
    assert caught.value.expected == expected
    assert caught.value.found == repr(value)


def test_orders_must_hold_every_task_once() -> None:
    order = dse.Permutation(name="order")
    assert order.check([2, 0, 1], 3) == (2, 0, 1)
    with pytest.raises(dse.SpaceError, match="an order of the numbers 0 to 2"):
        order.check([0, 0, 1], 3)


def test_a_scope_must_be_known() -> None:
    with pytest.raises(dse.SpaceError, match="unknown scope"):
        dse.Int(name="x", low=0, high=1, default=0, scope=("head",))  # type: ignore[arg-type]


def test_narrowing_moves_the_default_into_the_range_and_onto_a_step() -> None:
    assert narrow(SHARE, low=0.0, high=0.3).default == 0.25
    assert narrow(COUNT, low=6, high=10).default == 6
    assert narrow(MODE, choices=("b",)).default == "b"


@pytest.mark.parametrize("changes", [{"low": 0.9, "high": 0.1}, {"low": 2.0}])
def test_an_empty_range_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(dse.SpaceError, match="the range of parameter 'share' is empty"):
        narrow(SHARE, **changes)


def test_no_choices_are_refused() -> None:
    with pytest.raises(dse.SpaceError, match="has no choices"):
        narrow(MODE, choices=())


@given(st.integers(1, 9).flatmap(lambda size: st.permutations(range(size))))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_lehmer_codes_and_orders_are_one_to_one(order: list[int]) -> None:
    code = lehmer_encode(order)

    assert all(0 <= digit <= len(order) - 1 - index for index, digit in enumerate(code))
    assert lehmer_decode(code) == tuple(order)
