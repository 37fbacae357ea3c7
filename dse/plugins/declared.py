"""Parameters that a plugin declares, checked before a space file or a search meets them."""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

from dse.errors import PluginContractError
from dse.plugins.call import call_plugin
from dse.records.parameters import INPUT_BITS, Choice, Float, Int, Parameter, Permutation
from dse.records.plugin import OLDEST_API, Kind
from dse.records.workload import Workload


def declare_parameters(kind: Kind, name: str, plugin: Any, workload: Workload, api: int) -> tuple[Parameter, ...]:
    """Ask a plugin for its parameters, and check them; see `check_parameters`. A compressor has `INPUT_BITS`, too."""
    declared = call_plugin(kind, name, plugin.parameters, workload)
    own = check_parameters(f"{kind} {name!r}", declared, given_bits=is_given_input_bits(kind, api))
    return (*own, INPUT_BITS) if kind == "compressor" else own


def is_given_input_bits(kind: Kind, api: int) -> bool:
    """Return whether plugins of a kind and contract receive `INPUT_BITS`, which they may not declare themselves."""
    return kind == "compressor" or (kind == "hardware" and api > OLDEST_API)


def check_parameters(who: str, declared: Iterable[Any], *, given_bits: bool = False) -> tuple[Parameter, ...]:
    """Return the parameters that a plugin declares, or refuse them.

    Args:
        who: the plugin, for messages.
        declared: what its method `parameters` returned.
        given_bits: whether the core gives the plugin the input bits of a design.

    Raises:
        PluginContractError: an item is not a parameter, two parameters have the same name, a range or a default cannot be used, or the core adds the parameter.
    """
    parameters = tuple(declared)
    for number, item in enumerate(parameters):
        if not isinstance(item, Parameter):
            raise PluginContractError(
                f"{who}: something that is not a parameter is declared as a parameter",
                expected="dse.Float, dse.Int, dse.Choice or dse.Permutation",
                found=ascii(item)[:80],
            )
        try:
            fault = _find_fault(item)
        except Exception as error:  # a plugin's own values may raise anything when they are compared
            fault = f"the range or the default of {item.name!r} cannot be used: {error}"
        if item.name in [other.name for other in parameters[:number]]:
            fault = f"parameter {item.name!r} is declared twice"
        if given_bits and item.name == INPUT_BITS.name:
            fault = f"parameter {item.name!r} belongs to the core, which adds it to every compressor"
        if fault:
            raise PluginContractError(f"{who}: {fault}")
    return parameters


def _find_fault(item: Parameter) -> str:
    """Return what is wrong with one parameter; empty if nothing is."""
    name = repr(item.name)
    for part in ("choices", "low", "high", "default"):
        given = getattr(item, part, 0)
        for value in given if isinstance(given, list | tuple) else [given]:
            if not isinstance(value, str | Real):
                return f"{part} of {name} holds neither text nor a number: {value!a:.80}"
    faults = {f"{name} is not an identifier": not item.name.isidentifier()}
    if isinstance(item, Choice):
        faults[f"choices of {name} repeat or are missing"] = not len(set(item.choices)) == len(item.choices) > 0
        faults[f"choices of {name} are not of one type: {item.choices}"] = len(set(map(type, item.choices))) > 1
        faults[f"{name} searches refused choices"] = not set(item.choices) <= set(item.allowed or item.choices)
    if isinstance(item, Float | Int):
        low, high = item.limits or (item.low, item.high)
        finite = -math.inf < item.low <= item.high < math.inf
        faults[f"the range of {name} is empty or not finite: {item.low} to {item.high}"] = not finite
        faults[f"{name} is on a logarithmic scale that starts at {item.low}"] = item.log and item.low <= 0
        faults[f"the range of {name} lies outside its limits"] = not low <= item.low <= item.high <= high
    for fault, holds in faults.items():
        if holds:
            return fault
    if not isinstance(item, Permutation):
        item.check(item.default)
    return ""
