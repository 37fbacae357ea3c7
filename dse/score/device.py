"""The device of a design's arrays: a cell law at one age, called and checked by the core."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse.errors import PluginContractError
from dse.files import file_hash
from dse.plugins.call import call_plugin
from dse.plugins.origin import Origin
from dse.plugins.registry import Registry
from dse.records.cells import CellLaw, Conductances
from dse.records.nonideality import Nonideality
from dse.score.device_file import ENDINGS, read_device

Array: TypeAlias = NDArray[Any]
TRIED = 5
"""Targets, and normal numbers, on which a law is tried before any cell is drawn."""


@dataclass(frozen=True, eq=False)
class Device:
    """A cell law at one age, with the seed and the effects that the core adds.

    Attributes:
        law: the law and its numbers.
        options: the options that name the law.
        identity: everything that the law depends on, for keys.
    """

    law: CellLaw
    options: Nonideality
    identity: str

    def levels_us(self, top: int) -> Conductances:
        """Return the targets of levels 0 to ``top``, evenly spaced, uS."""
        low, high = self.law.g_min_us, self.law.g_max_us
        return (low + (high - low) * np.arange(top + 1) / top).astype(np.float32)

    @property
    def unit_us(self) -> float:
        """Return the conductance of the whole range, uS."""
        return self.law.g_max_us - self.law.g_min_us

    def program(self, target: Conductances, normal: Conductances) -> Conductances:
        """Return what cells are programmed to, uS."""
        return self._call("program", target, target, normal).clip(min=0)

    def age(self, g: Conductances, target: Conductances, normal: Conductances) -> Conductances:
        """Return what programmed cells are at the device's age, uS."""
        if not self.ages:
            return g
        return self._call("age", g, g, target, self.options.age_s, normal).clip(min=0)

    def read_sigma(self, g: Conductances, programmed: Conductances) -> Conductances:
        """Return the standard deviation of one read of cells, uS."""
        return self._call("read_sigma", g, g, programmed, self.options.age_s)

    @property
    def ages(self) -> bool:
        """Whether cells change with time."""
        return bool(self.law.ages_s)

    @property
    def is_noisy(self) -> bool:
        """Whether a read of some cell deviates."""
        levels = self.levels_us(TRIED - 1)
        return bool((self.read_sigma(levels, levels) > 0).any())

    def check(self) -> None:
        """Refuse a law whose numbers or answers are not usable, and an age that it was not measured at.

        Raises:
            PluginContractError: one of these holds; the message names the fault.
        """
        if not isinstance(self.law, CellLaw):
            raise self._refusal("no law", "a dse.plugin.CellLaw", type(self.law).__name__)
        law, ages = self.law, self.law.ages_s
        rising = all(list(values) == sorted(set(values)) for values in (ages, law.levels_us))
        shares = min(law.stuck_on, law.stuck_off) >= 0 and law.stuck_on + law.stuck_off <= 1
        if not (0 <= law.g_min_us < law.g_max_us < np.inf and law.wire_ohm >= 0 and rising and shares):
            expected = (
                "0 <= g_min_us < g_max_us, wire_ohm >= 0, ascending ages and levels, stuck shares of 1 at most together"
            )
            raise self._refusal("numbers that are not usable", expected, law)
        age_s = self.options.age_s
        if ages and not self.options.extrapolate_age and not ages[0] <= age_s <= ages[-1]:
            expected = f"cell_age from {ages[0]:g} s to {ages[-1]:g} s, or extrapolate_age = true to go beyond the data"
            raise self._refusal("no data at this age", expected, f"{self.options.cell_age} = {age_s:g} s")
        if self.options.voltage_drop and not law.wire_ohm:
            raise self._refusal("no resistance of wires", "wire_ohm, or no voltage_drop", law.wire_ohm)
        target = np.repeat(self.levels_us(TRIED - 1), TRIED)
        normal = np.tile(np.linspace(-3, 3, TRIED, dtype=np.float32), TRIED)
        programmed = self.program(target, normal)
        read = self.read_sigma(self.age(programmed, target, normal), programmed)
        if (read < 0).any():
            raise self._refusal("a negative read_sigma", "0 or more for every cell", read.min())

    def _call(self, name: str, first: Conductances, *given: Any) -> Conductances:
        """Call a function of the law, and refuse an answer that is not one number per cell."""

        def call(*arguments: Any) -> Any:
            return getattr(self.law, name)(*arguments)

        call.__name__ = name  # messages say it
        answer: Any = call_plugin("cell_model", self.options.cell_model, call, *given)
        shape = getattr(answer, "shape", None)
        if not isinstance(answer, np.ndarray) or shape != first.shape or answer.dtype.kind != "f":
            kind = type(answer).__name__ if shape is None else f"{answer.dtype} of shape {shape}"
            raise self._refusal(f"another shape or type from {name}()", f"float32 of shape {first.shape}", kind)
        if not np.isfinite(answer.sum()):
            raise self._refusal(f"NaN or infinity from {name}()", "finite conductances in uS", "others")
        return answer.astype(np.float32, copy=False)

    def _refusal(self, fault: str, expected: str, value: object) -> PluginContractError:
        who = f"cell model {self.options.cell_model!r}"
        return PluginContractError(f"{who} has {fault}", where=who, expected=expected, found=value)


def find_device(registry: Registry, options: Nonideality, where: object = "cell_model") -> Device | None:
    """Return the checked device that options name; None for ideal cells.

    Args:
        registry: registry of the cell models.
        options: non-idealities of the arrays.
        where: place of the options, for messages.

    Raises:
        UnknownNameError: there is no such cell model.
        PluginContractError: the options or the law are not usable.
        DataError: the device file cannot be read.
    """
    if not options.cells_differ:
        return None
    path = Path(options.cell_model)
    if path.suffix in ENDINGS:
        device = Device(read_device(path, options.cell_options), options, file_hash(path))
    else:
        origin = Origin(registry, "cell_model", options.cell_model, options.cell_options, where=str(where))
        device = Device(origin.plugin, options, origin.identity)
    device.check()
    return device
