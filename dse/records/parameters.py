"""Declared parameters: the values that a plugin lets a search choose.

A plugin receives a parameter as an array whose leading axis is P, the designs that are costed together: ``(P,)``,
``(P, T)`` per task, ``(P, L)`` per layer, ``(P, T, L)`` per task and layer, ``(P, n)`` for a permutation.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, TypeVar

from dse.errors import SpaceError

Scope = Literal["task", "layer"]
Scalar: TypeAlias = float | int | str


@dataclass(frozen=True, kw_only=True)
class _Declared:
    """Fields that all kinds of parameter share.

    Attributes:
        name: name, unique within its plugin; the core prefixes it with ``kind.plugin.``.
        summary: one line for listings.
        unit: unit of the value, if it has one.
        scope: axes beyond P, any of ``("task",)``, ``("layer",)``, ``("task", "layer")``.
        scores: whether the value changes a task's weights, so that its score must be measured again. A per-task value
            reaches only that task's score.
        baseline: value that the baseline takes instead of the design's, such as a chip that holds all weights; None: the
            baseline takes the design's. For parameters of hardware models.
    """

    name: str
    summary: str = ""
    unit: str = ""
    scope: tuple[Scope, ...] = ()
    scores: bool = True
    baseline: Scalar | None = None

    def __post_init__(self) -> None:
        if self.scope not in ((), ("task",), ("layer",), ("task", "layer")):
            raise SpaceError(
                f"parameter {self.name!r} has an unknown scope",
                expected="(), ('task',), ('layer',) or ('task', 'layer')",
                found=self.scope,
            )


@dataclass(frozen=True, kw_only=True)
class Float(_Declared):
    """A real number in [low, high], optionally on a logarithmic scale or on steps from ``low``.

    Attributes:
        limits: range that the plugin accepts, if it is wider than the range searched by default; a space file may widen
            the search up to it.
    """

    low: float
    high: float
    default: float
    log: bool = False
    step: float | None = None
    limits: tuple[float, float] | None = None

    def check(self, value: Any) -> float:
        """Return the value as a float, or raise a SpaceError if it lies outside the range or off the steps."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _bad(self, value, "a finite number")
        if not self.low - 1e-12 <= value <= self.high + 1e-12:
            raise _bad(self, value, f"{self.low} to {self.high}")
        if self.step is not None:
            steps = (value - self.low) / self.step
            if abs(steps - round(steps)) > 1e-6:
                raise _bad(self, value, f"{self.low} to {self.high} in steps of {self.step}")
        return float(value)


@dataclass(frozen=True, kw_only=True)
class Int(_Declared):
    """A whole number in [low, high], optionally on a logarithmic scale or on steps from ``low``.

    Attributes:
        limits: range that the plugin accepts, if it is wider than the range searched by default; a space file may widen
            the search up to it.
    """

    low: int
    high: int
    default: int
    log: bool = False
    step: int = 1
    limits: tuple[int, int] | None = None

    def check(self, value: Any) -> int:
        """Return the value as an int, or raise a SpaceError if it lies outside the range or off the steps."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise _bad(self, value, "a whole number")
        if not self.low <= value <= self.high:
            raise _bad(self, value, f"{self.low} to {self.high}")
        if (value - self.low) % self.step:
            raise _bad(self, value, f"{self.low} to {self.high} in steps of {self.step}")
        return value


@dataclass(frozen=True, kw_only=True)
class Choice(_Declared):
    """One of a fixed list of values, all of one type.

    Attributes:
        allowed: values that the plugin accepts, if there are more than those searched by default.
    """

    choices: tuple[Scalar, ...]
    default: Scalar
    allowed: tuple[Scalar, ...] | None = None

    def check(self, value: Any) -> Scalar:
        """Return the value if it is one of the choices, or raise a SpaceError."""
        for choice in self.choices:
            if type(choice) is type(value) and choice == value:
                return choice
        raise _bad(self, value, f"one of {list(self.choices)}")


@dataclass(frozen=True, kw_only=True)
class Permutation(_Declared):
    """An order of the T tasks, searched through its Lehmer code: T - 1 independent integers."""

    scores: bool = False

    def check(self, value: Any, size: int) -> tuple[int, ...]:
        """Return the value as a tuple, or raise a SpaceError if it is not an order of ``size`` things."""
        if not isinstance(value, list | tuple) or sorted(value) != list(range(size)):
            raise _bad(self, value, f"an order of the numbers 0 to {size - 1}")
        return tuple(int(item) for item in value)


Parameter: TypeAlias = Float | Int | Choice | Permutation
INPUT_BITS = Int(
    name="input_bits", low=8, high=8, default=8, limits=(4, 16), unit="bit", summary="bits of an activation"
)
"""Parameter that the core adds to every compressor; hardware models since contract 2 receive its value among theirs."""
Narrowed = TypeVar("Narrowed", bound=Parameter)
Widened = TypeVar("Widened", bound=Float | Int | Choice)


def narrow(parameter: Narrowed, **changes: Any) -> Narrowed:
    """Return the parameter with some fields replaced, e.g. a smaller range; the default moves into this range."""
    new = replace(parameter, **changes)
    if isinstance(new, Float | Int):
        if new.low > new.high:
            raise SpaceError(
                f"the range of parameter {new.name!r} is empty", expected="low <= high", found=f"{new.low} > {new.high}"
            )
        default = min(max(new.default, new.low), new.high)
        if new.step:
            default = new.low + math.floor((default - new.low) / new.step + 1e-9) * new.step
        return replace(new, default=int(default)) if isinstance(new, Int) else replace(new, default=default)
    if isinstance(new, Choice):
        if not new.choices:
            raise SpaceError(f"parameter {new.name!r} has no choices", expected="at least one", found="none")
        if new.default not in new.choices:
            return replace(new, default=new.choices[0])
    return new


def widest(parameter: Widened) -> Widened:
    """Return the parameter widened to all values that its plugin accepts, not only those searched by default."""
    if isinstance(parameter, Choice):
        return narrow(parameter, choices=parameter.allowed or parameter.choices)
    if parameter.limits is None:
        return parameter
    low, high = parameter.limits
    return narrow(parameter, low=min(low, parameter.low), high=max(high, parameter.high))


def lehmer_decode(code: tuple[int, ...] | list[int]) -> tuple[int, ...]:
    """Turn a Lehmer code of n - 1 digits (digit i in 0..n-1-i) into the order of n things it stands for."""
    left = list(range(len(code) + 1))
    return (*(left.pop(digit) for digit in code), left[0])


def lehmer_encode(order: tuple[int, ...] | list[int]) -> tuple[int, ...]:
    """Return the Lehmer code of an order: the inverse of `lehmer_decode`."""
    return tuple(sum(later < item for later in order[at + 1 :]) for at, item in enumerate(order[:-1]))


def _bad(parameter: Parameter, value: Any, expected: str) -> SpaceError:
    unit = f" {parameter.unit}" if parameter.unit else ""
    return SpaceError(
        f"parameter {parameter.name!r} cannot take this value", expected=f"{expected}{unit}", found=repr(value)
    )
