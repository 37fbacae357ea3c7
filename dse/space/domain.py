"""Domain of one searched number or choice: the declared parameter, narrowed to the values that a space file allows."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

from dse.errors import SpaceError, raise_errors, unknown_name
from dse.records.parameters import Choice, Float, Int, Scalar, narrow, widest

Domain: TypeAlias = Float | Int | Choice
"""The values one element may take; a single one where the space file fixes it."""

MOST_KEPT = 1000
"""Largest number of values of a range that are stored once computed."""
RANGE_KEYS = ("low", "high", "step", "log", "choices", "value")


def fix(declared: Domain, value: Any, where: str) -> Domain:
    """Build the domain of a single value, which may lie anywhere the plugin allows."""
    allowed = check_allowed(declared, value, where)
    return (
        _choice(declared, (allowed,)) if isinstance(declared, Choice) else narrow(declared, low=allowed, high=allowed)
    )


def from_table(declared: Domain, table: Mapping[str, Any], where: str) -> Domain:
    """Build the domain given by ``{low, high, step, log}``, ``{choices}`` or ``{value}``.

    Raises:
        SpaceError: a value has the wrong type, the plugin does not allow it, or no value is left.
        UnknownNameError: a key does not exist.
    """
    names = (*RANGE_KEYS, "tasks", "layers")
    raise_errors(unknown_name("key", key, names, where=f"{where}.{key}") for key in table if key not in RANGE_KEYS)
    for alone in ("value", "choices"):
        if alone in table and len(table) > 1:
            raise SpaceError(
                f"`{alone}` allows no other key", where=where, expected=f"only `{alone}`", found=", ".join(table)
            )
    if "value" in table:
        return fix(declared, table["value"], f"{where}.value")
    if "choices" in table:
        return _choices(declared, table["choices"], f"{where}.choices")
    if isinstance(declared, Choice):
        if table:
            raise SpaceError("a choice has no range", where=where, expected="`choices` or `value`", found=sorted(table))
        return declared
    return _range(declared, table, where) if table else declared


def size(domain: Domain) -> float:
    """Return the number of values of the domain; infinite for a real number without steps."""
    if isinstance(domain, Choice):
        return len(domain.choices)
    if isinstance(domain, Int):
        return (domain.high - domain.low) // domain.step + 1
    if domain.low == domain.high:
        return 1
    return math.inf if domain.step is None else math.floor((domain.high - domain.low) / domain.step + 1e-9) + 1


def at(domain: Domain, index: int) -> Scalar:
    """Return the domain's value number ``index``, in order."""
    if isinstance(domain, Choice):
        return domain.choices[index]
    if isinstance(domain, Int):
        return domain.low + index * domain.step
    return round_digits(domain.low + index * (domain.step or 0.0))


def snap_value(domain: Domain, value: Any) -> Scalar:
    """Return the value as every trial records it: on its step, within its range, without the noise of binary fractions."""
    if isinstance(domain, Choice):
        return domain.check(value)
    if isinstance(domain, Int):
        return int(value)
    if domain.step is not None:
        count = int(size(domain))
        values = _values(domain.low, domain.step, count) if count <= MOST_KEPT else {}
        if value in values:
            return values[value]
        return at(domain, min(max(round((value - domain.low) / domain.step), 0), count - 1))
    return min(max(round_digits(float(value)), domain.low), domain.high)


@cache
def _values(low: float, step: float, count: int) -> dict[float, float]:
    """Return the values of a range with steps, each by itself: looking a value up is faster than computing it again."""
    return {value: value for value in (round_digits(low + index * step) for index in range(count))}


def round_digits(value: float) -> float:
    """Round to twelve significant digits: two ways to compute one value must not make two designs."""
    return float(f"{value:.12g}")


def _range(declared: Float | Int, table: Mapping[str, Any], where: str) -> Domain:
    changes: dict[str, Any] = {
        key: check_allowed(declared, table[key], f"{where}.{key}") for key in ("low", "high") if key in table
    }
    if "log" in table:
        if not isinstance(table["log"], bool):
            raise _wrong(f"{where}.log", "true or false", table["log"])
        changes["log"] = table["log"]
    if "step" in table:
        changes["step"] = _step(declared, table["step"], f"{where}.step")
    try:
        new = narrow(declared, **changes)
    except SpaceError as error:
        raise SpaceError(error.what, where=where, expected=error.expected, found=error.found) from error
    _check_log(new, where)
    return _align(new)


def _align(domain: Float | Int) -> Domain:
    """End the range on its last step, so that its upper end is a value."""
    if domain.step is None or domain.low == domain.high:
        return domain
    return narrow(domain, high=at(domain, int(size(domain)) - 1))


def _check_log(domain: Float | Int, where: str) -> None:
    if not domain.log:
        return
    if domain.low <= 0:
        raise SpaceError("a logarithmic range must be positive", where=where, expected="low > 0", found=domain.low)
    if (isinstance(domain, Float) and domain.step is not None) or (isinstance(domain, Int) and domain.step != 1):
        raise SpaceError("a logarithmic range has no steps", where=where, expected="`log` or `step`", found="both")


def _step(declared: Float | Int, step: Any, where: str) -> float | int:
    whole = isinstance(declared, Int)
    if isinstance(step, bool) or not isinstance(step, int if whole else int | float) or step <= 0:
        raise _wrong(where, "a whole number above 0" if whole else "a number above 0", step)
    if declared.step is not None and abs(step / declared.step - round(step / declared.step)) > 1e-6:
        raise _wrong(where, f"a multiple of {declared.step}", step)
    return int(step) if whole else float(step)


def _choices(declared: Domain, values: Any, where: str) -> Domain:
    if not isinstance(values, list):
        raise _wrong(where, "a list of values", values)
    if not values:
        raise SpaceError(
            f"parameter {declared.name!r} has no choices", where=where, expected="at least one", found="none"
        )
    return _choice(declared, tuple(dict.fromkeys(check_allowed(declared, value, where) for value in values)))


def _choice(declared: Domain, values: tuple[Scalar, ...]) -> Choice:
    """Build a choice of some values of any declared parameter; a number may be searched over a list of its values."""
    shared: dict[str, Any] = {name: getattr(declared, name) for name in ("name", "summary", "unit", "scope", "scores")}
    return Choice(**shared, choices=values, default=declared.default if declared.default in values else values[0])


def check_allowed(declared: Domain, value: Any, where: str) -> Scalar:
    """Check a value against all values that the plugin accepts; the error names the value's key."""
    try:
        return widest(declared).check(value)
    except SpaceError as error:
        raise SpaceError(error.what, where=where, expected=error.expected, found=error.found) from error


def _wrong(where: str, expected: str, value: Any) -> SpaceError:
    return SpaceError("this value is not usable", where=where, expected=expected, found=repr(value))


def values_text(domain: Domain) -> str:
    """Describe the values of a parameter, or of one element of it."""
    count = size(domain)
    if count == 1:
        return f"{at(domain, 0)}"
    if isinstance(domain, Choice):
        return ", ".join(str(choice) for choice in domain.choices)
    steps = "" if math.isinf(count) or domain.step in (None, 1) else f" in steps of {domain.step}"
    return f"{domain.low} to {domain.high}{steps}{', logarithmic' if domain.log else ''}"
