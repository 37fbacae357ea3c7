"""Measure component costs with the hwcomponents family and write them as a table.

`dse components build neurosim` runs this file in an environment of its own, with Python 3.12 or newer; `dse` never
imports it, and it imports nothing of `dse`. `UNITS` explains each number. Every input is below, and the same packages
give the same file byte for byte.
"""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

NODES = (22, 32, 45, 65, 90, 130)
SIZES = (32, 64, 128, 256, 512)
ADC_BITS = tuple(range(4, 11))
CYCLE_S = 100e-9
ADC_RATE = 1.28e9
"""Conversions per second of one ADC, as in ISAAC."""
SHIFTED_BITS = 8
"""Input bits that a shift-and-add merges."""
LARGEST_CACTI_NODE = 90
"""Largest node that CACTI knows, nm; beyond it memories are scaled as logic is."""
MEMORIES = {"register": (2 * 1024, 128), "buffer": (64 * 1024, 256)}
"""Bytes of each memory, and bits of its port."""
SCALED_FROM = {"isaac": 32, "horowitz": 45}
"""Nodes, nm, of the published numbers that are scaled: ISAAC's own components, and digital arithmetic."""
PACKAGES = ("hwcomponents", "hwcomponents-adc", "hwcomponents_cacti", "hwcomponents-neurosim")


@dataclass(frozen=True)
class Device:
    """A 1T1R cell.

    Attributes:
        low_ohm: resistance of the cell when it is on, ohm.
        high_ohm: resistance of the cell when it is off, ohm.
        read_v: voltage across the cell during a read, V.
        read_ns: time of a read, ns.
        area_f2: area of the cell, in squares of the feature size.
        aspect: height of the cell over its width.
        access_f: width of the access transistor, in feature sizes.
    """

    low_ohm: float
    high_ohm: float
    read_v: float
    read_ns: float
    area_f2: float
    aspect: float
    access_f: float

    def text(self) -> str:
        """Return the cell in NVSim's file format; access resistance and gate voltage are those of NeuroSim."""
        lines = {
            "-MemCellType": "memristor",
            "-CellArea (F^2)": self.area_f2,
            "-CellAspectRatio": round(self.aspect, 6),
            "-AccessType": "CMOS",
            "-AccessCMOSWidth (F)": self.access_f,
            "-AccessTransistorResistance (ohm)": self.low_ohm / 4,
            "-AccessVoltage (V)": 1.1,
            "-ResistanceOnAtReadVoltage (ohm)": self.low_ohm,
            "-ResistanceOffAtReadVoltage (ohm)": self.high_ohm,
            "-ReadVoltage (V)": self.read_v,
            "-SetVoltage (V)": 2.0,
            "-SetPulse (ns)": 50,
        }
        return "".join(f"{name}: {value}\n" for name, value in lines.items())


DEVICES = {
    "isaac": Device(1333, 20e3, 0.2, 1, 16, 1, 4),  # CiMLoop's cell for ISAAC
    "neurosim": Device(100e3, 1.7e6, 0.51, 10, 48, 4 / 12, 6),  # default of DNN+NeuroSim 1.4, at 32 nm
    "neurosim-1.3": Device(6e3, 900e3, 0.5, 10, 48, 4 / 12, 6),  # default of DNN+NeuroSim 1.3
    "nvmexplorer": Device(1e6, 10e6, 0.4, 10, 53, 1, 6),  # RRAM cell of NVMExplorer and NVSim
}

UNITS = {
    "array.cell_um2": "um2, area of a cell with its access transistor",
    "array.columns_um2": "um2, drivers of all columns of an array",
    "array.row_um2": "um2, drivers of all rows of an array, inputs of one bit",
    "array.level_um2": "um2, what each further input level adds to the drivers of all rows",
    "array.row_pj": "pJ, one row driven with a one for a cycle",
    "array.row_idle_pj": "pJ, one row driven with a zero for a cycle",
    "array.on_fj": "fJ, one cell that is on read with a one",
    "array.off_fj": "fJ, one cell that is off read with a one",
    "adc.survey_um2": "um2, one converter of the regression over published ones, at 1.28 GS/s",
    "adc.survey_pj": "pJ, one conversion of it",
    "adc.shift_add_um2": "um2, one shift-and-add behind a converter",
    "adc.shift_add_pj": "pJ, one conversion merged",
    "logic.adder_um2": "um2, a 16-bit adder",
    "logic.adder_pj": "pJ, one sum of it",
    "logic.register_mm2": "mm2, 2 KB of SRAM with a 128-bit port",
    "logic.register_pj": "pJ, one byte of it, mean of read and write",
    "logic.buffer_mm2": "mm2, 64 KB of SRAM with a 256-bit port",
    "logic.buffer_pj": "pJ, one byte of it, mean of read and write",
    "logic.area_from_isaac": "area of logic at the node over that at 32 nm",
    "logic.energy_from_isaac": "energy of logic at the node over that at 32 nm",
    "logic.energy_from_horowitz": "energy of logic at the node over that at 45 nm",
}


def main() -> None:
    """Write the table to the file named as the only argument."""
    (out,) = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        rows = {"array": list(arrays(Path(folder))), "adc": list(converters()), "logic": list(logic())}
    Path(out).write_text(table(rows), encoding="utf-8")


def arrays(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield NeuroSim's costs of arrays, for every device, node and size."""
    from hwcomponents_neurosim import main

    for device, cell in DEVICES.items():
        file = folder / f"{device}.cell"
        file.write_text(cell.text(), encoding="ascii")
        main.CACHE.clear()  # its keys lack the device
        for node, size in ((node, size) for node in NODES for size in SIZES):
            say(f"{device}, {node} nm, {size} x {size}")
            yield {"device": device, "node_nm": node, "size": size, **array(file, cell, node, size)}


def array(file: Path, cell: Device, node: int, size: int) -> dict[str, float]:
    """Return the costs of one array whose columns are all read at once, as sample-and-hold allows."""
    from hwcomponents_neurosim import ColDrivers, MemoryCell, RowDrivers

    common: dict[str, Any] = {
        "tech_node": node * 1e-9,
        "cell_config": str(file),
        "rows": size,
        "cols": size,
        "cols_active_at_once": size,
        "cycle_period": CYCLE_S,
        "read_pulse_width": cell.read_ns * 1e-9,
    }
    ones = {"average_input_value": 1, "average_cell_value": 1}
    on, off = (MemoryCell(**common, **ones | {"average_cell_value": value}) for value in (1, 0))
    rows, idle = (RowDrivers(**common, **ones | {"average_input_value": value}) for value in (1, 0))
    more, columns = RowDrivers(**common, **ones, voltage_dac_bits=2), ColDrivers(**common, **ones)
    return {
        "cell_um2": on.area * 1e12,
        "columns_um2": columns.area * 1e12,
        "row_um2": rows.area * 1e12,
        "level_um2": (more.area - rows.area) * 1e12,
        "row_pj": energy_pj(rows),
        "row_idle_pj": energy_pj(idle),
        "on_fj": energy_pj(on) * 1e3,
        "off_fj": energy_pj(off) * 1e3,
    }


def converters() -> Iterator[dict[str, Any]]:
    """Yield the survey's regression, and a shift-and-add as wide as the converter."""
    from hwcomponents_adc import ADC
    from hwcomponents_neurosim import ShiftAdd

    for node, bits in ((node, bits) for node in NODES for bits in ADC_BITS):
        adc = ADC(n_bits=bits, tech_node=node * 1e-9, throughput=ADC_RATE)
        merged = ShiftAdd(tech_node=node * 1e-9, cycle_period=CYCLE_S, n_bits=bits, shift_register_n_bits=SHIFTED_BITS)
        yield {
            "node_nm": node,
            "bits": bits,
            "survey_um2": adc.area * 1e12,
            "survey_pj": adc.get_energy() * 1e12,
            "shift_add_um2": merged.area * 1e12,
            "shift_add_pj": energy_pj(merged),
        }


def logic() -> Iterator[dict[str, Any]]:
    """Yield adders of NeuroSim, memories of CACTI, and the scaling of logic with the node (Stillmaker and Baas, 2017)."""
    from hwcomponents.scaling import tech_node_area, tech_node_energy
    from hwcomponents_neurosim import Adder

    for node in NODES:
        at = node * 1e-9
        adder = Adder(tech_node=at, cycle_period=CYCLE_S, n_bits=16)
        row = {"node_nm": node, "adder_um2": adder.area * 1e12, "adder_pj": energy_pj(adder)}
        for name, (size, port) in MEMORIES.items():
            row |= memory(name, size, port, node)
        isaac, horowitz = (SCALED_FROM[name] * 1e-9 for name in ("isaac", "horowitz"))
        yield row | {
            "area_from_isaac": tech_node_area(at, isaac),
            "energy_from_isaac": tech_node_energy(at, isaac),
            "energy_from_horowitz": tech_node_energy(at, horowitz),
        }


def memory(name: str, size: int, port: int, node: int) -> dict[str, float]:
    """Return the area of an SRAM, and the energy per byte."""
    from hwcomponents.scaling import tech_node_area, tech_node_energy
    from hwcomponents_cacti import SRAM

    at = min(node, LARGEST_CACTI_NODE)
    # In binary, 90e-9 times 1e9 is slightly above 90, and CACTI does not know a node above 90.
    made = SRAM(tech_node=at * (1 - 1e-9) * 1e-9, width=port, size=size * 8)
    byte = (float(made.read().energy) + float(made.write().energy)) / 2 / (port / 8)
    area, energy = (of(node * 1e-9, at * 1e-9) if node > at else 1.0 for of in (tech_node_area, tech_node_energy))
    return {f"{name}_mm2": made.area * 1e6 * area, f"{name}_pj": byte * 1e12 * energy}


def energy_pj(component: Any) -> float:
    """Return the energy of one use of a component, pJ."""
    return float(component.read().energy) * 1e12


def table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return the text of the whole file."""
    lines = [
        "# Component costs, written by `dse components build neurosim`: do not edit, build it again.",
        "# Arrays and logic are computed with NeuroSim (MLP/DNN+NeuroSim V1.3, its authors' copyright, CC BY-NC 4.0), memories with",
        "# CACTI, converters with the regression of Andrulis et al. (arXiv 2404.06553), all through hwcomponents (MIT). None of these",
        "# programs is part of this package. The numbers are what they print for the inputs below; using them in commercial work",
        "# may need the consent of NeuroSim's authors.",
        "",
        "[about]",
        f'python = "{platform.python_version()}"',
        f'system = "{platform.system()} {platform.machine()}"',
        f"adc_gsps = {ADC_RATE / 1e9:g}",
        "",
        "[packages]",
        *(f'{name} = "{version(name)}"' for name in PACKAGES),
        "",
        "[devices]",
        *(f'"{name}" = {inline(vars(device))}' for name, device in sorted(DEVICES.items())),
        "",
        "[units]",
        *(f'"{name}" = "{text}"' for name, text in UNITS.items()),
        "",
        "[rows]",
    ]
    for name, listed in rows.items():
        lines += [f"{name} = [", *(f"  {inline(row)}," for row in listed), "]"]
    return "\n".join(lines) + "\n"


def inline(row: dict[str, Any]) -> str:
    """Return a table on one line."""
    return "{ " + ", ".join(f"{name} = {value(item)}" for name, item in row.items()) + " }"


def value(item: Any) -> str:
    """Return a value in TOML: text, a whole number, or a number with six significant digits."""
    if isinstance(item, str):
        return f'"{item}"'
    return str(item) if isinstance(item, int) else repr(float(f"{item:.6g}"))


def say(text: str) -> None:
    """Write a line of progress."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
