"""Conformance suites for plugins. Subclass the suite of your plugin's kind and give it a fixture ``record``.

See docs/testing.md.

Importing this package loads neither torch nor pytest.
"""

from types import SimpleNamespace

from dse.plugins.contract import hookimpl
from dse.plugins.hooks import HOOKS
from dse.plugins.registry import Registry
from dse.records.plugin import Kind, PluginRecord
from dse.testing.cell_model import CellModelTests
from dse.testing.common import PluginTests
from dse.testing.compressor import CompressorTests
from dse.testing.generator import GeneratorTests
from dse.testing.hardware import HardwareTests
from dse.testing.scheduler import SchedulerTests
from dse.testing.workloads import TinyContext, tiny_components, tiny_geometry, tiny_workload

SUITES: dict[Kind, type[PluginTests]] = {
    suite.kind: suite for suite in (GeneratorTests, CompressorTests, SchedulerTests, HardwareTests, CellModelTests)
}

__all__ = [
    "SUITES", "CellModelTests", "CompressorTests", "GeneratorTests", "HardwareTests", "PluginTests", "SchedulerTests", "TinyContext",
    "registry", "tiny_components", "tiny_geometry", "tiny_workload",
]  # fmt: skip


def registry(*records: PluginRecord) -> Registry:
    """Return a registry that holds these records and nothing installed: it never discovers.

    Args:
        *records: plugins that the registry holds.

    Raises:
        Exception: the error because of which the records were not registered.
    """
    made = Registry()
    if records:
        hooks = {name: hookimpl(_hook(kind, records)) for name, kind in HOOKS.items()}
        made.add("dse.testing", lambda: SimpleNamespace(**hooks))
    for provider in made.broken:
        if provider.error is not None:
            raise provider.error
    return made


def _hook(kind: Kind, records: tuple[PluginRecord, ...]):  # type: ignore[no-untyped-def]  # noqa: ANN202  # as pluggy's
    def hook() -> list[PluginRecord]:
        return [record for record in records if record.kind == kind]

    return hook
