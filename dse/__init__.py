"""Explore the design space of several BERT models served together on a ReRAM accelerator.

The names of this package are the commands, as functions that return data instead of printing it. Plugins import from
`dse.plugin`. Errors are in `dse.errors`. Until the next release every name of these two modules is a name of `dse` as well.
Importing this package loads nothing heavy.
"""

from typing import TYPE_CHECKING, Any

from dse.errors import DseError
from dse.threads import share_cores

share_cores()

if TYPE_CHECKING:
    from dse.commands.breakdown import breakdown
    from dse.commands.cells_info import cells_info
    from dse.commands.cells_list import cells_list
    from dse.commands.check import check
    from dse.commands.cluster_check import cluster_check
    from dse.commands.components_build import components_build
    from dse.commands.dashboard import dashboard
    from dse.commands.deltas import deltas
    from dse.commands.export import export
    from dse.commands.pareto import hypervolume, pareto
    from dse.commands.plot import plot
    from dse.commands.plugins_check import plugins_check
    from dse.commands.plugins_info import plugins_info
    from dse.commands.plugins_list import plugins_list
    from dse.commands.plugins_new import plugins_new
    from dse.commands.profile import profile
    from dse.commands.query import query
    from dse.commands.redundancy import redundancy
    from dse.commands.report import report
    from dse.commands.run import run
    from dse.commands.show import sections, show
    from dse.commands.sweep import sweep
    from dse.commands.validate import validate
    from dse.errors import *  # noqa: F403  # old names of errors
    from dse.exports.load import load_export
    from dse.exports.verify import verify_export
    from dse.plugin import *  # noqa: F403  # old names of the plugin contract

__version__ = "0.1.0"

_ELSEWHERE = {
    "hypervolume": "dse.commands.pareto",
    "sections": "dse.commands.show",
    "load_export": "dse.exports.load",
    "verify_export": "dse.exports.verify",
}
"""Modules of the commands that do not stand in a module of their own name."""

__all__ = [
    "DseError", "__version__", "breakdown", "cells_info", "cells_list", "check", "cluster_check", "components_build", "dashboard", "deltas", "export", "hypervolume", "load_export",
    "pareto", "plot", "plugins_check", "plugins_info", "plugins_list", "plugins_new", "profile", "query", "redundancy",
    "report", "run", "sections", "show", "sweep", "validate", "verify_export",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a command when it is first used, since commands import pandas and more; then look for an old name."""
    from importlib import import_module

    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, f"dse.commands.{name}")), name)
    if name in ("plugin", "testing"):
        return import_module(f"dse.{name}")
    for path in ("dse.plugin", "dse.errors"):
        module = import_module(path)
        if name in module.__all__:
            globals()[name] = value = getattr(module, name)  # plugins ask for old names a hundred thousand times
            return value
    raise AttributeError(f"module 'dse' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the commands."""
    return list(__all__)
