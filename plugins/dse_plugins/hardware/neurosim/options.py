"""Options of the hardware model `neurosim`; every design of a study has the same options."""

from pydantic import Field

from dse_plugins.hardware.isaac.options import IsaacOptions, Law


class NeuroSimOptions(IsaacOptions):
    """Options of ``neurosim``, in addition to the options of ``isaac``.

    Attributes:
        adc_law: cost of converters: the survey's regression, or ISAAC's converter scaled by its table or linearly in
            bits.
        device: cell of the arrays: neurosim, isaac or nvmexplorer, or another device of the table.
        input_density: share of wordlines that are driven with a one.
        cell_density: mean state of the cells, from 0 (off) to 1 (on).
        table: file of component costs to use instead of the package's, named as seen from the space file.
    """

    adc_law: Law = "survey"
    device: str = "neurosim"
    input_density: float = Field(default=0.5, ge=0.0, le=1.0)
    cell_density: float = Field(default=0.5, ge=0.0, le=1.0)
    table: str | None = None
