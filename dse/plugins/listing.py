"""Every plugin that a registry knows, as records to print: those that work, and those that do not, with the reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from dse.plugins.registry import Registry
from dse.records.plugin import KINDS


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
    """

    kind: str
    name: str
    version: str
    distribution: str
    status: Literal["ok", "broken", "disabled"]
    summary: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the values by attribute."""
        return asdict(self)


def plugin_infos(registry: Registry) -> list[PluginInfo]:
    """List every plugin that a registry found: those that work, then those that do not load, then those switched off."""
    infos = [
        PluginInfo(kind, name, record.version, registry.provider(kind, name).distribution, "ok", record.summary)
        for kind in KINDS
        for name, record in registry.records(kind).items()
    ]
    infos += [
        PluginInfo("", provider.name, "", provider.distribution, "broken", reason=provider.reason)
        for provider in registry.broken
    ]
    infos += [PluginInfo("", name, "", "", "disabled") for name in registry.disabled]
    return infos
