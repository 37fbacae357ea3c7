"""A plugin with nothing to choose and nothing to prepare, to build on."""

from typing import Any

from dse.plugins.contract import Context
from dse.records.parameters import Parameter
from dse.records.workload import Workload


class Base:
    """Base class for plugins that declare no parameter, or prepare nothing; a plugin overrides the methods it needs.

    Args:
        options: the plugin's options; a plugin without options needs none.

    Attributes:
        options: the plugin's options.
    """

    def __init__(self, options: Any = None) -> None:
        self.options = options

    def parameters(self, workload: Workload) -> tuple[Parameter, ...]:
        """Return no parameter."""
        del workload
        return ()

    def prepare(self, context: Context) -> None:
        """Prepare nothing."""
