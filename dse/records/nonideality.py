"""Non-ideal arrays, as options of a hardware model: cells that spread or stick, and real ADCs."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from dse.records.plugin import Options

Spread: TypeAlias = Literal["none", "wan22", "lognormal"]
Age: TypeAlias = Literal["1 s", "1 d", "2 d"]
Adc: TypeAlias = Literal["ideal", "real"]


class Nonideality(Options):
    """Non-idealities of the arrays of a hardware model; all are off by default.

    The options of a hardware model may be a subclass, so that a space file can switch them on; see `dse.NonidealHardware`.

    Attributes:
        spread: law of a programmed cell's conductance, as measured by Wan et al. (Nature 2022) or log-normal.
        sigma: standard deviation of the logarithm of a log-normal conductance.
        spread_scale: factor of the standard deviation of either law.
        read_after: time since programming at which the law ``wan22`` gives the spread.
        on_off_ratio: largest conductance over that of a cell which holds 0. NeuRRAM has 40, other chips 15 to 150.
        stuck_on: share of cells stuck at the largest conductance.
        stuck_off: share of cells stuck at the conductance of 0.
        adc: kind of conversions, exact or real. A real conversion has as many bits as the ADC; a design whose ADC has too few
            bits is then scored instead of refused.
        adc_range: share of the largest possible sum at which a real ADC saturates; by default its step is one unit.
        adc_rows: rows of a split that are scored with real ADCs, which are slow.
        draws: chips of independent cells that each design is scored on.
        noise_seed: seed of the draws.
    """

    spread: Spread = "none"
    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    spread_scale: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    read_after: Age = "1 d"
    on_off_ratio: float = Field(default=40.0, gt=1)
    stuck_on: float = Field(default=0.0, ge=0, le=1)
    stuck_off: float = Field(default=0.0, ge=0, le=1)
    adc: Adc = "ideal"
    adc_range: float | None = Field(default=None, gt=0, le=1)
    adc_rows: int = Field(default=64, ge=10)
    draws: int = Field(default=3, ge=1)
    noise_seed: int = Field(default=0, ge=0)

    @field_validator("stuck_off")
    @classmethod
    def _stuck_once(cls, share: float, info: ValidationInfo) -> float:
        if share + info.data.get("stuck_on", 0.0) > 1:
            raise ValueError("no cell is stuck twice: stuck_on and stuck_off add up to more than 1")
        return share

    @property
    def is_off(self) -> bool:
        """Whether nothing is switched on."""
        return self.spread == "none" and self.stuck_on == self.stuck_off == 0 and self.adc == "ideal"

    @property
    def deviation(self) -> float:
        """Factor of the standard deviation of the law; 0 where cells hold exactly the programmed value."""
        return {"none": 0.0, "wan22": 1.0, "lognormal": self.sigma}[self.spread] * self.spread_scale

    @property
    def cells_differ(self) -> bool:
        """Whether a cell may read as a value that differs from the stored one."""
        return self.deviation > 0 or self.stuck_on > 0 or self.stuck_off > 0

    def recipe(self) -> dict[str, Any]:
        """Return everything that one draw depends on."""
        return {name: getattr(self, name) for name in Nonideality.model_fields if name not in ("draws", "adc_rows")}
