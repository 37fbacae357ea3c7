"""Published costs of a hardware model, computed again, and its unit costs beside those of ISAAC."""

from typing import Any

import numpy as np

from dse.cost.baseline import separate_models, whole_footprint
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.plugin import Anchor
from dse.records.workload import Encoder, Matrix, Task, Workload
from dse.testing import _values as values

STANDARD = Anchor(what="product of 128 inputs and a 128 x 128 matrix, in 8 bits", source="")
"""Product by which unit costs of hardware models are compared."""
ISAAC = {"energy_pj": 44_618.0, "time_ns": 800.0, "latency_ns": 2_220.0, "area_mm2": 0.06205}
"""Costs of the standard product on `isaac` with default options and parameters; 32 nm."""
FAR = 30.0
"""Factor of ISAAC's costs beyond which a unit is probably mistaken."""


def cost_product(plugin: Any, anchor: Anchor) -> dict[str, float]:
    """Return what the product of an anchor costs on a model: energy_pj, time_ns until the next vector, latency_ns and area_mm2.

    Args:
        plugin: hardware model.
        anchor: size and codes of the matrix, bits of the input, parameters and components.
    """
    matrix = Matrix("product", anchor.rows, anchor.columns, "input", bias=False)
    encoder = Encoder(1, (matrix,), 1, anchor.rows, 1, 0, 0)
    workload = Workload("product", encoder, (Task("product", 1.0, 0.0, 0, 1.0),))
    chosen = values.default_point((*plugin.parameters(workload), INPUT_BITS), workload)
    given = {"input_bits": anchor.input_bits, **anchor.parameters}
    own = Params(1, {**chosen, **{name: np.array([value]) for name, value in given.items()}})
    wanted = demand(workload, separate_models(workload, 1), generator="anchor")
    footprint = whole_footprint(wanted, float(anchor.magnitude))
    counts = count(workload, wanted, footprint, plugin.geometry(own))
    made = plugin.components(workload, wanted, counts, footprint, own)
    parts = [index for index, name in enumerate(made.names) if name in (anchor.components or made.names)]
    busy = made.latency_us if made.occupancy is None else made.occupancy.arrays_us
    return {
        "energy_pj": float(made.energy_uj[0, 0, 0, parts].sum() * 1e6),
        "time_ns": float(busy[0, 0, 0] * 1e3),
        "latency_ns": float(made.latency_us[0, 0, 0] * 1e3),
        "area_mm2": float(made.array_area_mm2[0]),
    }


def compare_product(plugin: Any) -> dict[str, float]:
    """Return the costs of the standard product as multiples of ISAAC's, by name."""
    return {name: cost / ISAAC[name] for name, cost in cost_product(plugin, STANDARD).items()}


def find_differences(plugin: Any, anchors: tuple[Anchor, ...]) -> list[str]:
    """Describe each published cost that a model misses by more than its tolerance."""
    faults = []
    for anchor in anchors:
        for name, modelled in cost_product(plugin, anchor).items():
            published = getattr(anchor, name, None)
            if published is not None and abs(modelled / published - 1) > anchor.tolerance:
                text = f"{name} is {modelled:.4g}, {modelled / published:.3g} times the published {published:.4g}"
                faults.append(f"{anchor.what}: {text} ({anchor.source})")
    return faults


def find_far(plugin: Any, anchors: tuple[Anchor, ...]) -> list[str]:
    """Describe each unit cost that is more than `FAR` times, or less than 1 / `FAR` of, ISAAC's and has no anchor."""
    faults = []
    for name, ratio in compare_product(plugin).items():
        if not 1 / FAR <= ratio <= FAR and not any(
            getattr(anchor, name.replace("latency", "time")) for anchor in anchors
        ):
            text = f"{name} of a {STANDARD.what} is {ratio:.3g} times ISAAC's {ISAAC[name]:.3g}"
            faults.append(f"{text}; check the unit, or state a published dse.Anchor in the record")
    return faults
