"""Options of the hardware model `isaac`; every design of a study has the same options."""

from typing import Literal, TypeAlias

from pydantic import Field

from dse import plugin

Law: TypeAlias = Literal["isaac", "linear", "survey"]
"""Law of the cost of converters: see `dse_plugins.hardware.adc_laws`."""


class IsaacOptions(plugin.Nonideality):
    """Options of ``isaac``, with the nonidealities of its arrays.

    Attributes:
        packing: whether matrices of one owner and layer that share an input vector share arrays.
        imas_per_tile: number of in-situ multiply-accumulate units (IMAs) of a tile.
        links: whether to add ISAAC's chip-to-chip HyperTransport, one set for each 168 tiles.
        leakage_share: static power as a share of peak power; ISAAC publishes none, so it is off by default.
        adc_law: cost of converters: ISAAC's scaled by its table, or linearly in bits, or a regression over published
            ones.
        digital_macs: number of 8-bit multipliers of the digital unit, for products of activations.
        digital_lanes: number of 16-bit vector lanes of the digital unit, for softmax, norms and GELU.
        write_energy_pj: energy of one write pulse on one cell, pJ. Survey range 0.6 to 681 pJ.
        write_pulse_us: time of one SET and one RESET pulse, us.
        write_pulses: number of pulses of one write-verify, 8.5 as measured on NeuRRAM (Wan et al., Nature 2022).
        endurance: number of write pulses that a cell survives. Survey range 1e4 to 1e9.
    """

    packing: Literal["none", "same-input"] = "same-input"
    imas_per_tile: int = Field(default=12, ge=1)
    links: bool = False
    leakage_share: float = Field(default=0.0, ge=0.0, le=1.0)
    adc_law: Law = "isaac"
    digital_macs: int = Field(default=1024, ge=1)
    digital_lanes: int = Field(default=128, ge=1)
    write_energy_pj: float = Field(default=10.0, gt=0)
    write_pulse_us: float = Field(default=1.1, gt=0)
    write_pulses: float = Field(default=8.5, ge=1)
    endurance: float = Field(default=1e6, gt=0)
