"""The design with every parameter at its default."""

from __future__ import annotations

from dse.records.design import DesignPoint
from dse.space.searchspace import SearchSpace


def default_point(space: SearchSpace, **chosen: str) -> DesignPoint:
    """Return the design of each kind's first plugin, or of one chosen by kind, with every parameter at its default."""
    first = {kind: chosen.get(kind, names[0]) for kind, names in space.plugins.items()}
    values = {
        item.declared.full_name: item.value([element.domain.default for element in item.elements])
        for kind, name in first.items()
        for item in space.by_plugin[kind, name]
    }
    return DesignPoint(**first, values=values)
