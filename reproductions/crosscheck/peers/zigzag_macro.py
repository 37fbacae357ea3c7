"""zigzag-dse's analog in-memory-computing macro (28 nm): one array with an ADC at each bitline.

A cell of c bits is 1-bit cells of which 8 / c make a weight, the only place where zigzag knows cell bits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from zigzag.datatypes import OADimension
from zigzag.hardware.architecture.imc_array import ImcArray

INPUT_BITS, WEIGHT_BITS = 8, 8
PARTS = {
    "array": ("cells", "mults", "dacs", "local_bl_precharging", "analog_bl_addition"),
    "converters": ("adcs",),
    "digital": ("adders_regular", "adders_pv", "accumulators"),
}


def main() -> None:
    """Cost every point of the first file and write the second."""
    source, out = map(Path, sys.argv[1:])
    points = json.loads(source.read_text(encoding="utf-8"))
    Path(out).write_text(json.dumps([macro(**point) for point in points["points"]]), encoding="utf-8")


def macro(size: int, adc_bits: int, cell_bits: int) -> dict[str, Any]:
    """Area (mm2) of a macro, and energy (pJ) of one product of an 8-bit vector with it, by part."""
    slices = WEIGHT_BITS // cell_bits
    made = ImcArray(
        is_analog_imc=True,
        bit_serial_precision=1,
        input_precision=[INPUT_BITS, slices],
        adc_resolution=adc_bits,
        cells_size=slices,
        cells_area=0,  # as zigzag ships it: its 1-bit multiplier stands for the cell
        dimension_sizes={OADimension("D1"): size // slices, OADimension("D2"): size},
    )
    area, energy = made.area_breakdown, made.get_peak_energy_single_cycle()
    return {
        "area_mm2": {part: sum(area.get(name, 0.0) for name in names) for part, names in PARTS.items()},
        "energy_pj": {part: INPUT_BITS * sum(energy.get(name, 0.0) for name in names) for part, names in PARTS.items()},
    }


if __name__ == "__main__":
    main()
