"""Write the resolved copy of a space file: it spells out every parameter, and is a valid space file of the same study."""

from pathlib import Path
from typing import Any

from dse.records.parameters import Choice, lehmer_decode
from dse.records.plugin import KINDS, Kind
from dse.space.domain import at
from dse.space.searchspace import Element, SearchedParameter, SearchSpace
from dse.space.toml_text import toml_text
from dse.space.workload_paths import with_paths


def resolved_text(space: SearchSpace, *, trials: int | None = None) -> str:
    """Return the TOML text of a resolved space; reading and resolving it again gives a space with the same digest.

    Args:
        space: the resolved search space.
        trials: number of trials, if the budget is another than the file's.
    """
    file = space.file
    search = file.search.model_dump(exclude_none=True)
    search["trials"] = trials if trials is not None else file.search.trials
    table: dict[str, Any] = {"schema": file.schema_, "name": file.name}
    if file.plugin_files:
        table["plugin_files"] = [path.as_posix() for path in file.plugin_paths]
    beside = file.path.parent.resolve() if file.path else Path()
    table["workload"] = with_paths(
        file.workload, lambda name: (beside / name).as_posix() if (beside / name).exists() else name
    )
    table["search"] = {key: value for key, value in search.items() if value != {}}
    for kind in KINDS:
        table[kind] = _kind(space, kind)
    table["reference_hardware"] = file.reference_hardware.model_dump()
    return toml_text(table)


def _kind(space: SearchSpace, kind: Kind) -> dict[str, Any]:
    table: dict[str, Any] = {"plugins": list(space.plugins[kind])}
    for name in space.plugins[kind]:
        parameters = {item.declared.parameter.name: _parameter(item, space) for item in space.by_plugin[kind, name]}
        table[name] = {"options": space.file.kind(kind).table(name).options, "parameters": parameters}
    return table


def _parameter(item: SearchedParameter, space: SearchSpace) -> Any:
    if item.is_order:
        if all(element.is_fixed for element in item.elements) and item.elements:
            digits = [int(at(element.domain, 0)) for element in item.elements]
            return [space.tasks[index] for index in lehmer_decode(digits)]
        return {}
    entries = [_domain(element) for element in item.elements]
    if all(entry == entries[0] for entry in entries):
        return entries[0]
    names = {"task": space.tasks, "layer": [str(layer) for layer in range(space.layers)]}
    for axis in reversed(item.declared.parameter.scope):  # the last axis is the innermost table
        size = len(names[axis])
        lines = [entries[start : start + size] for start in range(0, len(entries), size)]
        entries = [{f"{axis}s": dict(zip(names[axis], line, strict=True))} for line in lines]
    return entries[0]


def _domain(element: Element) -> Any:
    domain = element.domain
    if element.is_fixed:
        return at(domain, 0)
    if isinstance(domain, Choice):
        return {"choices": list(domain.choices)}
    table: dict[str, Any] = {"low": domain.low, "high": domain.high, "log": domain.log}
    if domain.step is not None and not domain.log:
        table["step"] = domain.step
    return table
