"""Measurements on a trained trunk: the effect of its heads and feed-forward columns, and its early exits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.generators.mgen import exits
from dse_plugins.generators.mgen.importance import block_of, measure_units, order_unmeasured, ranks, sides, within
from dse_plugins.generators.mgen.options import MGenOptions
from dse_plugins.generators.mgen.recovery import Made, Moments, moments, recover
from dse_plugins.shared import Array


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk of n layers for all tasks.

    Attributes:
        layers: the n layers.
        block: number of array columns that units left out together fill.
        places: places of heads and of columns in the order of keeping, shape (n, units); absent before measurement.
        exits: heads of early exits by task; empty without early exits.
        moments: function that reads the moments of the outputs of heads and columns.
    """

    layers: tuple[int, ...]
    block: int
    places: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    exits: tuple[exits.Fitted, ...] = ()
    moments: Moments | None = None

    def select_kept(self, encoder: plugin.Encoder, name: str, share: Array) -> NDArray[np.bool_]:
        """Whether each unit is within a share (P,), shape (P, n, units)."""
        block = block_of(encoder, name, self.block)
        units = encoder.heads if name == "heads" else encoder.ffn
        return within(self.places.get(name, order_unmeasured(len(self.layers), units, block))[None], share, block)

    def recover(self, context: plugin.Context, weights: plugin.Weights, params: plugin.Params) -> Made:
        """Return the matrices and shifts of one design that make up for the units that are left out."""
        encoder = context.workload.encoder
        masks = {name: self.select_kept(encoder, name, params[name])[0] for name in sides(encoder)}
        return recover(encoder, weights, self.layers, self.moments, masks)


def look_at(context: plugin.Context, training: plugin.Training, options: MGenOptions) -> Trunk:
    """Train a trunk, unless that is done, and measure it on training rows of each task."""
    workload, model = context.workload, context.trained(training)
    tables = []
    for task, name in enumerate(workload.task_names):
        key = exits.trunk_key(workload, task, training) | {"rows": options.rows}
        title = f"effects of heads of {name}, {len(training.layers)} layers"
        tables.append(context.cached(title, key, partial(measure_units, context, task, options.rows, model)))
    encoder, places = workload.encoder, {}
    for name in sides(encoder):
        # Each task has the same weight, whatever the scale of its logits.
        effects = np.sum([table[name] / max(float(table[name].sum()), 1e-30) for table in tables], axis=0)
        places[name] = ranks(effects, block_of(encoder, name, options.block))
    tasks, key = range(len(workload.tasks)), exits.trunk_key(workload, 0, training) | {"rows": options.recovery_rows}
    title = f"moments of {len(training.layers)} layers"
    read = partial(context.cached, title, key, partial(moments, context, tasks, options.recovery_rows, model))
    read()
    early: Sequence[exits.Fitted] = ()
    if options.exits:
        early = [exits.fit_once(context, task, options.exit_rows, training) for task in tasks]
    return Trunk(training.layers, options.block, places, tuple(early), read)
