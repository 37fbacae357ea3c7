"""Calls of plugin methods, whose errors carry the plugin's name."""

from __future__ import annotations

from typing import Any

from dse.errors import DseError, PluginContractError
from dse.records.charges import Components
from dse.records.footprint import Footprint
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.plan import Plan
from dse.records.schedule import Schedule


def call_plugin(kind: str, name: str, method: Any, *arguments: Any) -> Any:
    """Call a plugin's method; whatever it raises comes back with the plugin's name."""
    try:
        result = method(*arguments)
    except DseError:
        raise
    except Exception as error:
        raise PluginContractError(
            f"{kind} {name!r} raised in {method.__name__}(): {type(error).__name__}: {error}", where=f"{kind} {name!r}"
        ) from error
    expected = _RETURNS.get(method.__name__, object)
    if not isinstance(result, expected):
        raise PluginContractError(
            f"{kind} {name!r}: {method.__name__}() returned something else than its contract says",
            where=f"{kind} {name!r}",
            expected=expected.__name__,
            found=type(result).__name__,
        )
    return result


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
"""What a method returns, by its name in the contract."""
