"""Options of the hardware model `isaac`; every design of a study has the same options."""

import warnings
from typing import Any, Literal, TypeAlias

from pydantic import Field, model_validator

from dse import plugin

Law: TypeAlias = Literal["isaac", "linear", "survey"]
"""Law of the cost of converters: see `dse_plugins.hardware.adc_laws`."""


class IsaacOptions(plugin.TiledOptions):
    """Options of ``isaac``, in addition to those that models of tiles share.

    Attributes:
        imas_per_tile: number of in-situ multiply-accumulate units (IMAs) of a tile.
        adc_law: cost of converters: ISAAC's scaled by its table, or linearly in bits, or a regression over published
            ones.
    """

    imas_per_tile: int = Field(default=12, ge=1)
    adc_law: Law = "isaac"

    @model_validator(mode="before")
    @classmethod
    def _replace_old(cls, values: Any) -> Any:
        """Give the new options the values of those that they replace."""
        if not isinstance(values, dict) or not {"leakage_share", "links"} & set(values):
            return values
        new = {name: value for name, value in values.items() if name not in ("leakage_share", "links")}
        share = values.get("leakage_share", 0)
        if share:
            new |= {"static_adc_share": share, "static_share": share, "gating": "tile"}
        told = "leakage_share is now static_adc_share and static_share under gating = 'tile'; links follow from die_mm2"
        warnings.warn(f"old options of the hardware model: {told}", FutureWarning, stacklevel=2)
        return new
