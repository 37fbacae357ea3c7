"""Hardware model ``neurosim``: ISAAC's tiles with component costs of NeuroSim, CACTI and a survey of converters."""

from collections.abc import Iterable
from pathlib import Path

from dse import plugin
from dse_plugins.hardware.neurosim.options import NeuroSimOptions


def build(options: NeuroSimOptions) -> plugin.Hardware:
    """Build the model; its modules and its table load only now."""
    from dse_plugins.hardware.neurosim.model import NeuroSim

    return NeuroSim(options)


@plugin.hookimpl
def dse_hardware_models() -> Iterable[plugin.HardwareModel]:
    """Yield the one hardware model."""
    here = Path(__file__).parent
    yield plugin.HardwareModel(
        api=2,
        name="neurosim",
        summary="ISAAC's tiles at 22 to 130 nm, with component costs of NeuroSim, CACTI and an ADC survey",
        build=build,
        options=NeuroSimOptions,
        source="DNN+NeuroSim 1.3, CACTI and Andrulis et al. (arXiv 2404.06553), through hwcomponents",
        components=plugin.ComponentTable(
            file=here / "costs.toml",
            script=here / "measure.py",
            python=(3, 12),
            requirements=(
                "hwcomponents==1.0.114",
                "hwcomponents-adc==1.0.21",
                "hwcomponents-cacti==1.0.40",
                "hwcomponents-neurosim==1.0.43",
            ),
            compiled=("hwcomponents-cacti", "hwcomponents-neurosim"),
            programs=("make", "g++"),
        ),
    )
