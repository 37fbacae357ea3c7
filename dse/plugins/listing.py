"""Every plugin that a registry knows, as records to print: those that work, and why others do not."""

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
        name: what a space file calls it; the entry point's or file's name where it did not load.
        version: its own.
        distribution: package and version, or the file.
        status: ok, broken or disabled.
        summary: its own line.
        reason: why it is broken.
    """

    kind: str
    name: str
    version: str
    distribution: str
    status: Literal["ok", "broken", "disabled"]
    summary: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Values by attribute."""
        return asdict(self)


def plugin_infos(registry: Registry) -> list[PluginInfo]:
    """Every plugin a registry found: those that work, then those that do not load, then those switched off."""
    found = [
        PluginInfo(kind, name, record.version, registry.provider(kind, name).distribution, "ok", record.summary)
        for kind in KINDS
        for name, record in registry.records(kind).items()
    ]
    found += [
        PluginInfo("", provider.name, "", provider.distribution, "broken", reason=provider.reason)
        for provider in registry.broken
    ]
    found += [PluginInfo("", name, "", "", "disabled") for name in registry.disabled]
    return found
