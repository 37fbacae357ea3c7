"""A macro put together from hwcomponents: NeuroSim's array and shift-and-add, and the survey's ADC at 1.28 GS/s.

One ADC converts all bitlines of the array in turn, as in ISAAC. The family knows nothing of cell bits within an array.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hwcomponents_adc import ADC
from hwcomponents_neurosim import ColDrivers, MemoryCell, RowDrivers, ShiftAdd

INPUT_BITS = 8
ADC_RATE = 1.28e9
CYCLE_S = 100e-9
DENSITY = 0.5
"""Mean input and mean cell, between 0 and 1."""


def main() -> None:
    """Cost every point of the first file and write the second."""
    source, out = map(Path, sys.argv[1:])
    asked = json.loads(source.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        cell = Path(folder) / "device.cell"
        cell.write_text(asked["cell"], encoding="ascii")
        macros = Macros(asked["node_nm"], cell, asked["read_ns"])
        out.write_text(json.dumps([macros.cost(**point) for point in asked["points"]]), encoding="utf-8")


class Macros:
    """Macros of one node and one device."""

    def __init__(self, node_nm: float, cell: Path, read_ns: float) -> None:
        self.node_m = node_nm * 1e-9
        self.cell = {"cell_config": str(cell), "read_pulse_width": read_ns * 1e-9, "cycle_period": CYCLE_S}
        self.known: dict[int, dict[str, tuple[float, float]]] = {}

    def cost(self, size: int, adc_bits: int, cell_bits: int) -> dict[str, Any]:
        """Area (mm2) of a macro, and energy (pJ) of one product of an 8-bit vector with it, by part."""
        del cell_bits
        adc = ADC(n_bits=adc_bits, tech_node=self.node_m, throughput=ADC_RATE)
        merged = ShiftAdd(
            tech_node=self.node_m, cycle_period=CYCLE_S, n_bits=adc_bits, shift_register_n_bits=INPUT_BITS
        )
        events = {
            "array": list(self._array(size).values()),
            "converters": [(adc.area, size * adc.get_energy())],
            "digital": [(merged.area, size * merged.read().energy)],
        }
        return {
            "area_mm2": {part: 1e6 * sum(area for area, _ in found) for part, found in events.items()},
            "energy_pj": {part: 1e12 * INPUT_BITS * sum(joule for _, joule in found) for part, found in events.items()},
        }

    def _array(self, size: int) -> dict[str, tuple[float, float]]:
        """Area and energy a cycle of cells and drivers."""
        if size not in self.known:
            shape = {"rows": size, "cols": size, "cols_active_at_once": size, "tech_node": self.node_m}
            average = {"average_input_value": DENSITY, "average_cell_value": DENSITY}
            made = {
                kind.__name__: (kind(**shape, **self.cell, **average), count)
                for kind, count in ((MemoryCell, size * size), (RowDrivers, size), (ColDrivers, size))
            }
            self.known[size] = {
                name: (item.area * (count if name == "MemoryCell" else 1), count * item.read().energy)
                for name, (item, count) in made.items()
            }
        return self.known[size]


if __name__ == "__main__":
    main()
