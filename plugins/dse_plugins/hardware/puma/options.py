"""Options of the hardware model `puma`, and the published costs that it must reproduce."""

from pydantic import Field

from dse import plugin


class PumaOptions(plugin.TiledOptions):
    """Options of ``puma``: those that models of tiles share; 138 tiles are a node of PUMA.

    Attributes:
        tiles_per_digital_unit: tiles that share a digital unit.
    """

    tiles_per_digital_unit: int = Field(default=138, ge=1)


_OWN = {"cell_bits": 2, "adc_bits": 8, "encoding": "offset"}
ANCHORS = (
    plugin.Anchor(
        what="product of 128 inputs and a 128 x 128 matrix, all of 16 bits, on one MVMU",
        source="Ankit et al., ASPLOS 2019: 43.97 nJ in 2,304 ns",
        magnitude=2**15 - 1, input_bits=16, parameters=_OWN,
        components=("arrays", "adc", "dac", "sample_hold", "shift_add", "registers"),
        energy_pj=43_970, time_ns=2304, tolerance=0.05,
    ),
    plugin.Anchor(
        what="a sixteenth of a tile of 16 MVMUs, with its share of a router",
        source="Ankit et al., ASPLOS 2019, table 3: 0.479 mm2, and 1.622 mm2 of routers for 138 tiles",
        magnitude=2**15 - 1, input_bits=16, parameters=_OWN, area_mm2=(0.479 + 1.622 / 138) / 16, tolerance=0.05,
    ),
)  # fmt: skip
