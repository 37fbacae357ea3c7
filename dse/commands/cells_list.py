"""`dse cells list`: every cell model."""

from collections.abc import Iterable
from pathlib import Path

from dse.commands.plugins_list import plugins_list
from dse.plugins.listing import PluginInfo


def cells_list(*, plugins: Iterable[Path | str] = ()) -> list[PluginInfo]:
    """Return every cell model that an option ``cell_model`` may name.

    Args:
        plugins: bare plugin files to load as well.
    """
    return [info for info in plugins_list(plugins=plugins) if info.kind == "cell_model"]
