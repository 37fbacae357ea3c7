"""Calls of plugin methods, whose errors carry the plugin's name."""

import inspect
import signal
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_origin, get_type_hints

import numpy as np

from dse.errors import DseError, PluginContractError
from dse.plugins.frozen import freeze
from dse.plugins.steps import step
from dse.records.arrays import Floats, Ints
from dse.records.charges import Components
from dse.records.footprint import Footprint
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.plan import Plan
from dse.records.schedule import Schedule
from dse.records.workload import Workload


def call_plugin(kind: str, name: str, method: Any, *arguments: Any) -> Any:
    """Call a plugin's method; an error that it raises comes back with the plugin's name.

    Arrays among the arguments become read-only.
    """
    for argument in arguments:
        if not isinstance(argument, Workload):  # it holds no array, and many records
            freeze(argument)
    who = f"{kind} {name!r}"
    try:
        with step(f"{who}, {method.__name__}()"):
            result = method(*arguments)
    except DseError as error:
        error.where = error.where or who
        raise
    except BaseException as error:
        refuse_interrupt(error)
        what = f"{who} raised in {method.__name__}(): {describe_error(error)}"
        raise PluginContractError(what, where=who) from error
    expected = _RETURNS.get(method.__name__, object)
    if not isinstance(result, expected):
        raise PluginContractError(
            f"{who}: {method.__name__}() returned a type that its contract does not allow",
            where=who,
            expected=expected.__name__,
            found=type(result).__name__,
        )
    if isinstance(result, Components | Geometry | Plan | Schedule):
        _check_numbers(f"{who}: {method.__name__}()", result)
    return result


def _check_numbers(who: str, result: Components | Geometry | Plan | Schedule) -> None:
    """Refuse a record whose values are not arrays of real numbers, have lengths below 1, or lack a charge of a component."""
    values = {item.name: getattr(result, item.name) for item in fields(result) if item.type in (Floats, Ints)}
    for number, limit in enumerate(result.violations if isinstance(result, Components) else ()):
        values[f"violations.{number}.amount"] = getattr(limit, "amount", limit)
    count = len({*map(str, result.names)}) if isinstance(result, Components) and isinstance(result.names, tuple) else 0
    for name, value in values.items():
        kinds, text = ("iu", "whole") if name in _INDICES else ("iuf", "real")
        real = isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray) and value.dtype.kind in kinds
        numbers = value if real and (value.size or name not in _INDICES) else np.array([np.nan])
        usable = not np.isnan(numbers).any() if name.startswith("violations") else numbers is value
        fits = name not in _BY_COMPONENT or numbers.shape[-1:] == (count,)
        if not usable or not fits or (name in _LENGTHS and (numbers < 1).any()):
            more = f", one for each of {count} different names of components" if name in _BY_COMPONENT else ""
            expected = f"an array of {text} numbers" + (", 1 or more" if name in _LENGTHS else more)
            what, found = f"{who} gives {name} that is not usable", " ".join(ascii(value).split())[:80]
            raise PluginContractError(what, expected=expected, found=found if fits else f"shape {numbers.shape}")


def refuse_interrupt(error: BaseException) -> None:
    """Raise a person's Ctrl-C again. A worker gets none: there, a KeyboardInterrupt is the plugin's own.

    Raises:
        KeyboardInterrupt: the error is a KeyboardInterrupt, and this process listens to Ctrl-C.
    """
    if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        raise error


def describe_error(error: BaseException) -> str:
    """Return type and text of an error, even if the error cannot give its text."""
    try:
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    except Exception as fault:
        return f"{type(error).__name__}, whose text raises {type(fault).__name__}"


def check_names(who: str, plugin: object, protocols: tuple[type, ...], *, where: object = None) -> None:
    """Refuse an object with a misspelt member: nobody would call an optional method under another name.

    A public member is misspelt where it is close to a member of the protocols that the object lacks, and of the same sort:
    a callable for a method, else a value of the declared type.

    Args:
        who: the object, for messages.
        plugin: the object.
        protocols: what it must have or may have.
        where: file and key, or other place it came from.

    Raises:
        PluginContractError: a member is misspelt.
    """
    public = {name for name in dir(plugin) if not name.startswith("_")}
    sorts = {name: sort for protocol in protocols for name, sort in _members(protocol).items() if name not in public}
    for name in sorted(public):
        for near in get_close_matches(name, sorts, n=1, cutoff=_CLOSE):
            value, sort = inspect.getattr_static(plugin, name), sorts[near]
            if callable(value) if sort is None else isinstance(value, sort):
                raise PluginContractError(
                    f"{who} has {name!r}, which dse never uses",
                    where=where,
                    expected=f"{near!r}",
                    found=f"{name!r}",
                    fix=f"did you mean {near!r}? If not, rename {name!r}: the two names are too similar",
                )


def _members(protocol: type) -> dict[str, type | None]:
    """Public members of a protocol and of those it extends, with the type of values and None for methods."""
    methods = [name for base in protocol.__mro__ for name in vars(base) if not name.startswith("_")]
    values = {name: get_origin(hint) or hint for name, hint in get_type_hints(protocol).items()}
    return dict.fromkeys(methods) | {name: sort for name, sort in values.items() if not name.startswith("_")}


_LENGTHS = ("rows", "columns", "cell_bits", "dac_bits", "input_bits")
"""Fields of a geometry that are at least 1."""
_INDICES = ("owner", "task")
"""Fields of plans and schedules that number owners and tasks."""
_BY_COMPONENT = ("area_mm2", "energy_uj", "input_energy_uj", "request_energy_uj")
"""Fields of components whose last axis is that of the components."""
_CLOSE = 0.8
"""Similarity, 0 to 1, from which one name counts as the other one misspelt."""
_RETURNS: dict[str, type] = {
    "parameters": tuple,
    "geometry": Geometry,
    "components": Components,
    "nonideality": Nonideality,
    "plan": Plan,
    "footprint": Footprint,
    "store": dict,
    "order": Schedule,
}
"""Type that a method returns, by its name in the contract."""
