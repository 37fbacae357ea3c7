"""`dse plugins list`: every plugin, and why some do not load."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dse.plugins.listing import PluginInfo, plugin_infos
from dse.plugins.registry import load_registry


def plugins_list(*, plugins: Iterable[Path | str] = ()) -> list[PluginInfo]:
    """Return every plugin: those that work, then those that do not load, then those that are switched off.

    Args:
        plugins: bare plugin files to load as well.
    """
    return plugin_infos(load_registry(plugins))
