"""Values of declared parameters, and comparisons of a plugin's results."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.records.parameters import Choice, Parameter, Permutation, narrow
from dse.records.params import Params
from dse.records.workload import Workload

Array = NDArray[Any]
Declared = tuple[Parameter, ...]
MOST_VALUES = 7


def range_of(parameter: Parameter) -> Parameter:
    """Return the range searched by default; where that is a single value, the range that a space file may widen it to."""
    if isinstance(parameter, Permutation):
        return parameter
    if isinstance(parameter, Choice):
        wide = len(parameter.choices) < 2 and parameter.allowed
        return narrow(parameter, choices=parameter.allowed) if wide else parameter
    if parameter.low == parameter.high and parameter.limits:
        return narrow(parameter, low=parameter.limits[0], high=parameter.limits[1])
    return parameter


def scalars(parameter: Parameter) -> list[Any]:
    """Return some values of a parameter over its range, both ends among them; for an order, seeds."""
    wide = range_of(parameter)
    if isinstance(wide, Permutation):
        return [0, 1, 2]
    if isinstance(wide, Choice):
        return list(wide.choices)
    spread = (np.geomspace if wide.log else np.linspace)(wide.low, wide.high, MOST_VALUES)
    if wide.step:
        spread = wide.low + np.round((spread - wide.low) / wide.step) * wide.step
    kind = int if isinstance(wide.low, int) and isinstance(wide.high, int) and isinstance(wide.default, int) else float
    values = {min(max(kind(round(value, 9)), kind(wide.low)), kind(wide.high)) for value in spread.tolist()}
    return sorted(values)


def fill(parameter: Parameter, workload: Workload, value: Any) -> Array:
    """Return one design's array (1, ...) with this value in every task and layer; orders rotate by the value."""
    sizes = {"task": len(workload.tasks), "layer": workload.encoder.layers}
    if isinstance(parameter, Permutation):
        return np.roll(np.arange(sizes["task"]), int(value))[None]
    return np.full((1, *(sizes[axis] for axis in parameter.scope)), value)


def default_point(declared: Declared, workload: Workload) -> Params:
    """Return one design with every parameter at its default."""
    values = {
        item.name: fill(item, workload, 0 if isinstance(item, Permutation) else item.default) for item in declared
    }
    return Params(1, values)


def some_points(declared: Declared, workload: Workload, count: int) -> list[Params]:
    """Return the design at the defaults, then a number of drawn ones."""
    return [default_point(declared, workload), *(drawn_point(declared, workload, seed) for seed in range(count))]


def drawn_point(declared: Declared, workload: Workload, seed: int) -> Params:
    """Draw one design from the ranges searched by default, each task and layer on its own."""
    draw = np.random.default_rng(seed)
    values = dict(default_point(declared, workload))
    for item in declared:
        shape = values[item.name].shape
        if isinstance(item, Permutation):
            values[item.name] = draw.permutation(shape[1])[None]
        elif range_of(item) is item:
            allowed = np.array(scalars(item))
            values[item.name] = allowed[draw.integers(len(allowed), size=shape)]
    return Params(1, values)


def with_value(params: Params, item: Parameter, workload: Workload, value: Any) -> Params:
    """Return the design with one parameter at another value."""
    return Params(1, {**params, item.name: fill(item, workload, value)})


def stack(points: list[Params]) -> Params:
    """Join several designs along the leading axis."""
    return Params(len(points), {name: np.concatenate([point[name] for point in points]) for name in points[0]})


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every array and scalar of a plugin's result, with its path."""
    if is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            yield from leaves(getattr(value, item.name), f"{path}.{item.name}")
    elif isinstance(value, Mapping):
        yield f"{path}.keys", repr(sorted(value, key=repr))
        for key in sorted(value, key=repr):
            yield from leaves(value[key], f"{path}[{key}]")
    elif isinstance(value, tuple | list):
        yield f"{path}.len", len(value)
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif hasattr(value, "detach"):
        yield path, value.detach().cpu().numpy()
    else:
        yield path, value


def first_difference(one: Any, other: Any, *, exact: bool = True) -> str:
    """Return the first place where two results differ, with both values; empty where they are equal."""
    ours, theirs = list(leaves(one)), list(leaves(other))
    for (path, left), (where, right) in zip(ours, theirs, strict=False):
        if path != where:
            return f"{path} against {where}"
        if not _same(left, right, exact=exact):
            return f"{path.lstrip('.') or 'value'}: {_short(left)} against {_short(right)}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} values against {len(theirs)}"


def _same(left: Any, right: Any, *, exact: bool) -> bool:
    if not isinstance(left, np.ndarray | np.generic) and not isinstance(right, np.ndarray | np.generic):
        return bool(left == right) or (callable(left) and callable(right))  # functions cannot be compared
    one, other = np.asarray(left), np.asarray(right)
    if one.shape != other.shape:
        return False
    if exact or one.dtype.kind not in "fc":
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc" and other.dtype.kind in "fc"))
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 120 else text[:117] + "..."


def point_of(result: Any, part: slice | EllipsisType) -> Any:
    """Return some designs' part of a result for several: every array at the part of its leading axis; ``...`` for all."""
    if isinstance(result, np.ndarray):
        return result[part]
    if isinstance(result, tuple):
        return tuple(point_of(item, part) for item in result)
    if is_dataclass(result) and not isinstance(result, type):
        return {item.name: point_of(getattr(result, item.name), part) for item in fields(result)}
    return result
