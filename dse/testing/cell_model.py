"""Conformance suite of cell models."""

from typing import Any, ClassVar

import numpy as np

from dse.records.cells import CellLaw
from dse.records.nonideality import Nonideality
from dse.records.params import Params
from dse.records.plugin import Kind, Options, PluginRecord
from dse.records.workload import Workload
from dse.score.device import Device
from dse.testing.common import PluginTests
from dse.testing.outcomes import Check, after, once_each
from dse.testing.workloads import TinyContext

SHAPE = (16, 9)
"""Normal numbers by levels, on which a law is evaluated."""


@once_each
class CellModelTests(PluginTests):
    """Checks of a `dse.plugin.CellLaw`: its functions give one finite number per cell, and cells do not know each other."""

    kind: ClassVar[Kind] = "cell_model"

    def build_for(self, record: PluginRecord, options: Options, context: TinyContext) -> Any:
        """Build the law; it needs no workload."""
        del context
        return record.build(options)

    def received(self, record: PluginRecord, plugin: Any, workload: Workload) -> tuple[()]:
        """Return no parameter: a cell model has none."""
        del record, plugin, workload
        return ()

    def device(self, plugin: Any) -> Device:
        """Return the device at the middle of its ages."""
        ages = plugin.ages_s or (1.0,)
        options = Nonideality(cell_model="own", cell_age=f"{(ages[0] * ages[-1]) ** 0.5!r} s")
        return Device(plugin, options, "")

    def evaluate_batch(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return conductances and read noise of some cells at some levels, and the numbers that the law states."""
        del workload
        device, generator = self.device(plugin), np.random.default_rng(params.points)
        target = np.repeat(device.levels_us(SHAPE[0] - 1), SHAPE[1]).reshape(SHAPE)
        programmed, later = (generator.standard_normal(SHAPE, dtype=np.float32) for _ in range(2))
        g = device.program(target, programmed)
        aged = device.age(g, target, later)
        return g, aged, device.read_sigma(aged, g), (plugin.stuck_on, plugin.stuck_off, plugin.wire_ohm, plugin.ages_s)

    def test_law_is_usable(self, record: PluginRecord) -> None:
        """The plugin builds a `CellLaw` whose numbers are in order and whose functions return finite float32 arrays."""
        after(self.test_record_is_valid, record=record)
        plugin = self.built(record, self.workloads()[0])
        assert isinstance(plugin, CellLaw), f"build must return a dse.plugin.CellLaw, found {type(plugin).__name__}"
        self.device(plugin).check()

    def test_parameters_are_well_declared(self, record: PluginRecord) -> None:
        """A law declares no parameter: it is the same for all designs of a study."""
        after(self.test_law_is_usable, record=record)
        assert not hasattr(self.built(record, self.workloads()[0]), "parameters"), "a law has options, not parameters"

    def test_batch_equals_single(self, record: PluginRecord) -> None:
        """A cell's conductance follows from its own target and normal numbers, whatever cells stand beside it."""
        after(self.test_is_deterministic, record=record)
        device = self.device(self.built(record, self.workloads()[0]))
        target, normal = device.levels_us(SHAPE[0] - 1), np.linspace(-2, 2, SHAPE[0], dtype=np.float32)
        alone = [device.program(target[at : at + 1], normal[at : at + 1])[0] for at in range(SHAPE[0])]
        np.testing.assert_allclose(device.program(target, normal), alone, rtol=1e-5, atol=1e-6)

    @property
    def sound(self) -> Check:
        """The check without which laws cannot be compared."""
        return self.test_law_is_usable
