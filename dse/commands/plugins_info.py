"""`dse plugins info`: everything about one plugin, before a study uses the plugin."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dse.errors import PluginContractError, UnknownNameError, unknown_name
from dse.plugins.listing import PluginInfo, plugin_infos
from dse.plugins.options import OptionInfo, option_infos
from dse.plugins.registry import Registry, load_registry
from dse.records.parameters import Parameter
from dse.records.plugin import KINDS, Kind
from dse.study.load import Request, load, request


@dataclass(frozen=True, slots=True)
class PluginDetails(PluginInfo):
    """One plugin in full.

    Attributes:
        source: paper or table that the plugin follows, if any.
        options: values that a space file may set once per study.
        parameters: values that a search may choose, as declared with default options for a small example workload, or as
            declared for the workload of a space file, with its options.
        example: names of the parameters whose range or default follows from the workload, and so from the example; empty for
            the workload of a space file.
        undeclared: reason why the plugin declared no parameters, if so.
    """

    source: str = ""
    options: tuple[OptionInfo, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    example: tuple[str, ...] = ()
    undeclared: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return values by attribute; a parameter also has its ``type`` and ``example``."""
        parameters = [
            {"type": type(item).__name__, **asdict(item), "example": item.name in self.example}
            for item in self.parameters
        ]
        return {**asdict(self), "parameters": parameters}


def plugins_info(
    name: str, kind: str | None = None, plugins: Iterable[Path | str] = (), *, space: Path | str | None = None
) -> PluginDetails:
    """Return everything about one plugin; a plugin that does not work has only a status and a reason.

    Args:
        name: name in space files; the name of the entry point or file for a plugin that does not load.
        kind: generator, compressor, scheduler or hardware; needed if several kinds have a plugin of that name.
        plugins: bare plugin files to load as well.
        space: space file, for whose encoder, tasks, traffic and options the parameters are declared. Its base and data are
            fetched.

    Raises:
        UnknownNameError: there is no such plugin, no such kind, or several plugins of that name.
        PluginLoadError: there is no such plugin, but some plugins did not load.
    """
    if kind is not None and kind not in KINDS:
        raise unknown_name("kind of plugin", kind, KINDS)
    with redirect_stdout(sys.stderr):  # as in a study, text that a plugin prints is not a result
        wanted = request(space, "auto", None, plugins) if space is not None else None
        registry = load_registry([*(wanted.space.plugin_paths if wanted else ()), *plugins])
        info = _find_plugin(registry, name, kind)
        return _describe_plugin(registry, info, wanted) if info.status == "ok" else PluginDetails(**info.as_dict())


def _find_plugin(registry: Registry, name: str, kind: str | None) -> PluginInfo:
    """Return the one plugin of that name; plugins that work go before those that do not."""
    infos = plugin_infos(registry)
    named = [info for info in infos if info.name == name]
    fitting = [info for info in named if kind in (None, info.kind) or not info.kind]
    chosen = [info for info in fitting if info.status == "ok"] or fitting
    if len(chosen) == 1:
        return chosen[0]
    if not named:
        names = {info.name for info in infos if kind in (None, info.kind)}
        raise registry.unknown(kind or "plugin", name, names)
    if not chosen:
        raise UnknownNameError(
            f"there is no {kind} called {name!r}",
            found=", ".join(f"a {info.kind} of that name" for info in named),
            fix=f"give --kind {named[0].kind}",
        )
    raise UnknownNameError(
        f"{len(chosen)} plugins are called {name!r}",
        found="; ".join(
            f"{info.kind or info.status} ({info.distribution}): {info.summary or info.reason}" for info in chosen
        ),
        fix="say which with --kind",
    )


def _describe_plugin(registry: Registry, info: PluginInfo, wanted: Request | None) -> PluginDetails:
    from dse.testing.workloads import tiny_workload

    kind: Kind = next(kind for kind in KINDS if kind == info.kind)
    record = registry.get(kind, info.name)
    declared: list[tuple[Parameter, ...]] = []
    undeclared = ""
    # A parameter that differs between two workloads follows from the workload.
    examples = [tiny_workload(), tiny_workload(2, layers=6, hidden=64, ffn=128, heads=8, batch=8.0)]
    options = wanted.space.kind(kind).table(info.name).options if wanted else None
    for workload in [load(wanted)[0].workload] if wanted else examples:
        try:
            declared.append(_check_declared(registry.build(kind, info.name, options).parameters(workload)))
        except Exception as error:
            undeclared = undeclared or f"{type(error).__name__}: {' '.join(str(error).split())}"
    first = declared[0] if declared else ()
    return PluginDetails(
        **info.as_dict(),
        source=record.source,
        options=option_infos(record.options),
        parameters=first,
        example=tuple(item.name for item in first if item not in declared[-1]),
        undeclared="" if declared else undeclared,
    )


def _check_declared(answer: Iterable[Any]) -> tuple[Parameter, ...]:
    declared = tuple(answer)
    for item in declared:
        if not isinstance(item, Parameter):
            raise PluginContractError(
                "a parameter is not declared as one",
                expected="dse.Float, dse.Int, dse.Choice or dse.Permutation",
                found=repr(item),
            )
    return declared
