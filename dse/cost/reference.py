"""The hardware of the baseline, and the values of its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from dse.errors import DseError, collect, raise_errors, unknown_name
from dse.records.parameters import INPUT_BITS, Parameter, Permutation
from dse.records.params import Params
from dse.records.workload import Workload
from dse.space.domain import check_allowed


class Reference(Protocol):
    """The hardware of the baseline."""

    @property
    def plugin(self) -> str:
        """Name of its plugin."""

    @property
    def options(self) -> dict[str, Any]:
        """The plugin's options."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Values of its parameters that differ from the defaults."""


def reference_values(reference: Reference, parameters: Iterable[Parameter], workload: Workload) -> Params:
    """Return the value of every parameter of the reference hardware, for one design (P = 1).

    Args:
        reference: reference hardware, with the values that differ from the defaults.
        parameters: parameters that its plugin declares.
        workload: tasks and layers, which defaults follow.

    Raises:
        UnknownNameError: a parameter does not exist.
        SpaceError: a value lies outside the range that the plugin accepts.
    """
    declared = {item.name: item for item in parameters}
    usual = {name: default_value(item, workload) for name, item in declared.items()}
    values = {INPUT_BITS.name: INPUT_BITS.default} | usual
    problems: list[DseError] = []
    for name, value in reference.parameters.items():
        where = f"[reference_hardware] parameters.{name}"
        with collect(problems):
            if name not in declared and name == INPUT_BITS.name and value == INPUT_BITS.default:
                continue  # files of contract 1 may name the bits that the baseline has
            if name not in declared:
                raise unknown_name("hardware parameter", name, declared, where=where)
            item = declared[name]
            values[name] = value if isinstance(item, Permutation) else check_allowed(item, value, where)
    raise_errors(problems)
    return Params(1, {name: np.array([value]) for name, value in values.items()})


def default_value(parameter: Parameter, workload: Workload) -> Any:
    """Return a parameter's default, repeated along its axes: tasks first, then layers."""
    tasks = len(workload.tasks)
    if isinstance(parameter, Permutation):
        return tuple(range(tasks))
    value: Any = parameter.default
    value = (value,) * workload.encoder.layers if "layer" in parameter.scope else value
    return (value,) * tasks if "task" in parameter.scope else value
