"""Hardware model ``puma``: the tiles of PUMA (ASPLOS 2019), with a choice of how many wordlines are driven at once."""

from collections.abc import Iterable

from dse import plugin
from dse_plugins.hardware.puma.options import ANCHORS, PumaOptions


def build(options: PumaOptions) -> plugin.Hardware:
    """Build the model; its modules load only now."""
    from dse_plugins.hardware.puma.model import Puma

    return Puma(options)


@plugin.hookimpl
def dse_hardware_models() -> Iterable[plugin.HardwareModel]:
    """Yield the one hardware model."""
    yield plugin.HardwareModel(
        api=2,
        name="puma",
        summary="PUMA tiles of 32 nm ReRAM crossbars; any number of wordlines is driven at once",
        build=build,
        options=PumaOptions,
        source="Ankit et al., PUMA, ASPLOS 2019; constants of its public simulator",
        anchors=ANCHORS,
    )
