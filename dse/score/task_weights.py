"""Effective weights of one design's tasks, rebuilt from stored terms of any source."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from dse.records.arrays import Ints
from dse.records.effective import Effective
from dse.records.footprint import Reprogrammed
from dse.records.model import Model
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.stored import Key, Stored
from dse.records.workload import Encoder
from dse.score.base_changes import held_base
from dse.score.cut import Cut, keep_only
from dse.score.gate import check_shared_scales
from dse.score.matrices import effective, products


class Source(Protocol):
    """Source of one design's terms: plugins while it is scored, files after it is exported."""

    @property
    def encoder(self) -> Encoder:
        """Shapes and roles."""

    @property
    def plan(self) -> Plan:
        """Owner of the weights that each task uses (P = 1)."""

    @property
    def reprogrammed(self) -> Reprogrammed | None:
        """Size of the base's blocks that are written, or None if no block is written."""

    def model(self, owner: int) -> Model:
        """Return biases, norms, shifts, heads and exits of an owner, and its matrices if the source has them."""

    def get_terms(self, owner: int, layers: Sequence[int]) -> Mapping[Key, Stored]:
        """Return the terms of an owner's matrices in some layers."""


def layers_of(plan: Plan, task: int) -> dict[int, list[int]]:
    """Return the layers that a task takes from each owner, ascending, without the layers it skips."""
    owners: Ints = plan.owner[0, task]
    return {int(owner): np.flatnonzero(owners == owner).tolist() for owner in np.unique(owners) if owner != DROPPED}


def last_owner(plan: Plan, task: int) -> int | None:
    """Return the owner of the last layer that a task runs, and so of its head and exits; None if it runs no layer."""
    owners = plan.owner[0, task][plan.owner[0, task] != DROPPED]
    return int(owners[-1]) if owners.size else None


def held_by(source: Source, task: int) -> Effective:
    """Rebuild the weights that a task computes with."""
    used = layers_of(source.plan, task)
    of_base = used.pop(BASE, [])
    stored = {owner: source.get_terms(owner, layers) for owner, layers in used.items()}
    beneath = {layer for terms in stored.values() for (layer, _), one in terms.items() if one.on_base}
    total, base = Effective(), Effective()
    of_the_base: Mapping[Key, Stored] = {}
    if beneath or of_base:
        layers = sorted({*beneath, *of_base})
        of_the_base = source.get_terms(BASE, layers)
        base = _rebuilt(source, BASE, layers, of_the_base, Effective())
        total.weights.update({key: weight for key, weight in base.weights.items() if key[0] in of_base})
        total.vectors.update({layer: named for layer, named in base.vectors.items() if layer in of_base})
    for owner, layers in used.items():
        check_shared_scales(source.encoder, stored[owner], of_the_base, f"owner {owner}")
        own = _rebuilt(source, owner, layers, stored[owner], base)
        total.weights.update(own.weights)
        total.biases.update(own.biases)
        total.products.update(own.products)
        total.vectors.update(own.vectors)
    last = last_owner(source.plan, task)
    if last is not None:
        model = source.model(last)
        total.head.update(model.heads.get(task, {}))
        total.exits.update(model.exits.get(task, {}))
    keep_only(source.encoder, source.plan, task, total)
    return total


def _rebuilt(source: Source, owner: int, layers: list[int], stored: Mapping[Key, Stored], base: Effective) -> Effective:
    """Rebuild the weights of one owner's layers."""
    model = source.model(owner)
    cuts = {key: Cut(source.encoder, source.plan, owner, *key) for key in stored}
    beneath = Cut.matrices({key: cuts[key] for key, one in stored.items() if one.on_base}, base.weights)
    rebuilt = Effective(vectors={layer: model.vectors[layer] for layer in layers if layer in model.vectors})
    for key, cut in cuts.items():
        below = None
        if key in beneath:
            below = held_base(stored[key], beneath[key], beneath, key, source.reprogrammed)
        rebuilt.weights[key] = cut.back(effective(stored[key], below, cut.shape))
        bias, shift = stored[key].bias, model.shifts.get(key)
        if bias is not None:
            bias = cut.bias_back(bias)
            rebuilt.biases[key] = bias if shift is None else bias + shift
        elif shift is not None:
            rebuilt.biases[key] = shift
        pairs = products(stored[key], cut.shape)
        if pairs:
            rebuilt.products[key] = tuple((cut.inputs_back(one), cut.bias_back(two)) for one, two in pairs)
    return rebuilt
