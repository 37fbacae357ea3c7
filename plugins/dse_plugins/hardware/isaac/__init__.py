"""Hardware model ``isaac``: the ISCA 2016 component table, generalised in array size, cells, converters and encoding."""

from collections.abc import Iterable

from dse import plugin
from dse_plugins.hardware.isaac.options import IsaacOptions


def build(options: IsaacOptions) -> plugin.Hardware:
    """Build the model; its modules load only now."""
    from dse_plugins.hardware.isaac.model import Isaac

    return Isaac(options)


@plugin.hookimpl
def dse_hardware_models() -> Iterable[plugin.HardwareModel]:
    """Yield the one hardware model."""
    yield plugin.HardwareModel(
        api=2,
        name="isaac",
        summary="ISAAC tiles of 32 nm ReRAM crossbars; defaults are the ICCAD'21 configuration",
        build=build,
        options=IsaacOptions,
        source="Shafiee et al., ISAAC, ISCA 2016 (corrected), table I; Kang et al., ICCAD 2021",
    )
