"""Every plugin that a registry knows, as records to print: those that work, and those that do not, with the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from dse.errors import DseError
from dse.plugins.registry import Registry, load_sources, unknown_plugin
from dse.records.plugin import ALL_KINDS


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One line of the plugin list.

    Attributes:
        kind: generator, compressor, scheduler or hardware; empty where the plugin did not load.
        name: name in a space file; name of the entry point or file where the plugin did not load.
        version: version of the plugin.
        distribution: package and version, or the file.
        status: one of ok, broken and disabled.
        summary: one line that the plugin gives.
        reason: reason why the plugin is broken.
        provider: name of the entry point, or path of the file.
    """

    kind: str
    name: str
    version: str
    distribution: str
    status: Literal["ok", "broken", "disabled"]
    summary: str = ""
    reason: str = ""
    provider: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the values by attribute."""
        return asdict(self)


def plugin_infos(registry: Registry) -> list[PluginInfo]:
    """List every plugin that a registry found: those that work, then those that do not load, then those switched off."""
    infos = []
    for kind in ALL_KINDS:
        for name, record in registry.records(kind).items():
            of = registry.provider(kind, name)
            version, summary = record.version, record.summary
            infos.append(PluginInfo(kind, name, version, of.distribution, "ok", summary, provider=of.name))
    infos += [
        PluginInfo("", of.name, "", of.distribution, "broken", reason=of.reason, provider=of.name)
        for of in registry.broken
    ]
    infos += [PluginInfo("", name, "", "", "disabled", provider=name) for name in registry.disabled]
    return infos


def list_source(source: Path | str, report: object) -> list[PluginInfo]:
    """List the plugins of one bare file, or of the entry points of a name; called in a worker."""
    del report
    return plugin_infos(load_sources([source]))


def merge_infos(infos: Iterable[PluginInfo], others: Iterable[list[PluginInfo]]) -> list[PluginInfo]:
    """Join a list of plugins with those of other sources; a source with a plugin that exists already is broken."""
    merged = list(infos)
    for source in others:
        taken = {(info.kind, info.name): info for info in merged if info.kind}
        clash = next((info for info in source if (info.kind, info.name) in taken), None)
        if clash is None:
            merged += source
            continue
        other = taken[clash.kind, clash.name]
        reason = f"{clash.kind} {clash.name!r} exists already, also provided by {other.distribution}"
        merged.append(PluginInfo("", clash.provider, "", clash.distribution, "broken", reason=reason))
    order = {"ok": 0, "broken": 1, "disabled": 2}
    return sorted(merged, key=lambda info: (order[info.status], ["", *ALL_KINDS].index(info.kind), info.name))


def unknown_of(infos: Sequence[PluginInfo], kind: str, name: str) -> DseError:
    """Build the error for a plugin that no list has, with the nearest name and everything that did not load."""
    names = {info.name for info in infos if kind in ("plugin", info.kind)}
    broken = {info.name: info.reason for info in infos if info.status == "broken"}
    return unknown_plugin(kind, name, names, broken, [info.name for info in infos if info.status == "disabled"])
