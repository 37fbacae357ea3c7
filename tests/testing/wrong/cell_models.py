"""Cell models that are wrong on purpose, each with the check that must find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dse
from dse import plugin

CALLS = {"count": 0}


def mean_of_all(options: dse.Options) -> plugin.CellLaw:
    """Cells that stand side by side change each other."""
    return _changed(options, lambda target, normal: target + normal - (target + normal).mean())


def not_a_number(options: dse.Options) -> plugin.CellLaw:
    """Levels at 0 have no logarithm."""
    return _changed(options, lambda target, normal: np.log(target - target) + normal)


def one_number(options: dse.Options) -> plugin.CellLaw:
    """One number stands for all cells."""
    return _changed(options, lambda target, normal: (target + normal)[:1])


def other_every_time(options: dse.Options) -> plugin.CellLaw:
    """Each call counts."""

    def program(target: Any, normal: Any) -> Any:
        CALLS["count"] += 1
        return target + normal * np.float32(1 + CALLS["count"] / 100)

    return _changed(options, program)


def no_law(options: dse.Options) -> str:
    """Words instead of a law."""
    del options
    return "g"


def _changed(options: dse.Options, program: Callable[[Any, Any], Any]) -> plugin.CellLaw:
    del options
    return plugin.CellLaw(program=program, g_min_us=1.0, g_max_us=40.0)


def record(build: Callable[[Any], Any]) -> plugin.CellModel:
    return plugin.CellModel(api=2, name="wrong", summary="wrong on purpose", build=build)


CASES = (
    (record(mean_of_all), "test_batch_equals_single"),
    (record(not_a_number), "test_law_is_usable"),
    (record(one_number), "test_law_is_usable"),
    (record(no_law), "test_law_is_usable"),
    (record(other_every_time), "test_is_deterministic"),
)
