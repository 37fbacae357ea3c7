"""Options that hardware models of tiles have in common."""

from typing import Literal

from pydantic import Field

from dse.charging.overrides import Override
from dse.records.nonideality import Nonideality
from dse.records.occupancy import Gating


class TiledOptions(Nonideality):
    """Options of a chip of tiles, with the non-idealities of its arrays.

    Attributes:
        packing: whether matrices of one owner and layer that share an input vector share arrays.
        static_adc_share: static power of converters that are on, as a share of their peak power; ISAAC publishes none, and
            20 % and 2 % are ours.
        static_share: the same share of every other component.
        gating: when idle components are off: at once (``perfect``, as the papers assume), once a layer's last vector has left
            its tiles (``tile``), or never (``none``).
        die_mm2: largest area of a die; a larger chip is several dies, with ISAAC's links on each.
        digital_macs: number of 8-bit multipliers of a digital unit, for products of activations.
        digital_lanes: number of 16-bit vector lanes of a digital unit, for softmax, norms and GELU.
        tiles_per_digital_unit: tiles that share a digital unit; 168 are a chip of ISAAC.
        write_energy_pj: energy of one write pulse on one cell, pJ. Survey range 0.6 to 681 pJ.
        write_pulse_us: time of one SET and one RESET pulse, us.
        write_pulses: number of pulses of one write-verify, 8.5 as measured on NeuRRAM (Wan et al., Nature 2022).
        endurance: number of write pulses that a cell survives. Survey range 1e4 to 1e9.
        pinned: names of tasks whose arrays are never overwritten, on a chip that is smaller than its weights.
        costs: entries that replace those of the model's table, such as ``"adc.event_pj"``: a value in the entry's unit, or
            ``{ scale = 0.5 }``, whose factor is a parameter as well.
    """

    packing: Literal["none", "same-input"] = "same-input"
    static_adc_share: float = Field(default=0.2, ge=0.0, le=1.0)
    static_share: float = Field(default=0.02, ge=0.0, le=1.0)
    gating: Gating = "perfect"
    die_mm2: float = Field(default=800.0, gt=0)
    digital_macs: int = Field(default=1024, ge=1)
    digital_lanes: int = Field(default=128, ge=1)
    tiles_per_digital_unit: int = Field(default=168, ge=1)
    write_energy_pj: float = Field(default=10.0, gt=0)
    write_pulse_us: float = Field(default=1.1, gt=0)
    write_pulses: float = Field(default=8.5, ge=1)
    endurance: float = Field(default=1e6, gt=0)
    pinned: list[str] = Field(default_factory=list, examples=[["task0"]])
    costs: dict[str, Override] = Field(default_factory=dict, examples=[{"adc.event_pj": {"scale": 0.5}}])
