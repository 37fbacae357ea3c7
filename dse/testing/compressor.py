"""Conformance suite of compressors."""

from collections.abc import Collection, Iterator
from dataclasses import fields, replace
from typing import Any, ClassVar

import numpy as np

from dse.cost.baseline import separate_models
from dse.cost.check_footprint import check_blocks, check_footprint
from dse.cost.demand import demand
from dse.records.geometry import Geometry
from dse.records.params import Params
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.plugin import Kind, PluginRecord
from dse.records.stored import Matrices, Stored
from dse.records.workload import Workload
from dse.score.base_changes import held_base
from dse.score.check_stored import check_stored
from dse.score.gate import check_shared_scales, check_term_shapes
from dse.score.matrices import effective, products
from dse.testing import _values as values
from dse.testing.common import PluginTests
from dse.testing.outcomes import Check, NothingToTest, after, once_each
from dse.testing.stored import demand_of, stored_by, usual_terms, usually_stored_by
from dse.testing.workloads import GEOMETRY, TinyContext, tiny_geometry

Shapes = dict[tuple[int, int], tuple[int, int]]
GEOMETRIES: tuple[dict[str, int], ...] = (
    {},
    {"cell_bits": 2},
    {"encoding": 1},
    {"encoding": 2, "cell_bits": 4},
    {"rows": 64, "columns": 64, "adc_bits": 6, "dac_bits": 2, "input_bits": 4},
)
MOST_APART = 1.5
"""Factor between rebuilt matrices and weights, along the weights: rounding and pruning stay below, a factor of 2 does not."""
GROUPS = 3
"""Groups of fields that change together on a drawn design."""


@once_each
class CompressorTests(PluginTests):
    """Checks of a `dse.WeightCompressor`: it stores the terms that it announced."""

    kind: ClassVar[Kind] = "compressor"
    scored: ClassVar[slice | None] = slice(1, 2)

    def plans(self, workload: Workload) -> tuple[Plan, ...]:
        """Return the plans that the compressor must answer: separate models, layers that are shared, skipped or cut, and trained trunks."""
        own = separate_models(workload, 1).owner
        mixed = own.copy()
        mixed[0, 0, 0] = BASE
        mixed[0, -1, -1] = DROPPED
        heads = np.ones((*own.shape, workload.encoder.heads), dtype=bool)
        ffn = np.ones((*own.shape, workload.encoder.ffn), dtype=bool)
        heads[..., 0], ffn[..., ::4] = False, False
        trunks = np.where(np.arange(own.shape[-1]) % 2, own + 1, np.arange(own.shape[1])[:, None] % 2)
        return Plan(own), Plan(mixed), Plan(own, heads=heads, ffn=ffn), Plan(trunks, groups=1, heads=heads, ffn=ffn)

    def evaluate(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return footprint and stored terms of separate models."""
        geometry = tiny_geometry()
        plan = self.plans(workload)[0]
        stored = [terms for _, terms, _ in stored_by(plugin, workload, plan, geometry, params)]
        return self.evaluate_batch(plugin, workload, params), stored

    def evaluate_batch(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return the footprint of separate models."""
        wanted = demand(workload, separate_models(workload, params.points), generator="test")
        return plugin.footprint(workload, wanted, tiny_geometry(params.points), params)

    def test_footprint_is_usable(self, record: PluginRecord) -> None:
        """Footprints have the shape of the demand and hold finite whole numbers that are not negative."""
        after(self.test_is_deterministic, record=record)
        for plugin, workload, params in self.cases(record):
            for plan in self.plans(workload):
                wanted = demand_of(workload, plan)
                footprint = plugin.footprint(workload, wanted, tiny_geometry(), params)
                check_footprint(footprint, wanted, record.name)
                check_blocks(workload.encoder, footprint, record.name)
                for piece in footprint.pieces:
                    for name in ("rows", "columns", "magnitude"):
                        field = getattr(piece, name)
                        assert (field == np.floor(field)).all(), f"Piece.{name} must be whole numbers"
                unused = footprint.digital_bits[~np.broadcast_to(wanted.used, footprint.on_base.shape)]
                assert not unused.any(), "digital bits are charged where no task uses the owner"

    def test_stored_terms_rebuild_the_matrices(self, record: PluginRecord) -> None:
        """The terms of each matrix fit the matrix: kept indices lie inside, and the sum is finite."""
        after(self.test_footprint_is_usable, record=record)
        usual = usual_terms(type(self).__qualname__, record)
        for case, (plugin, workload, params) in enumerate(self.cases(record)):
            for number, plan in enumerate(self.plans(workload)):
                base: dict[tuple[int, int], Any] = {}
                footprint = plugin.footprint(workload, demand_of(workload, plan), tiny_geometry(), params)
                for owner, stored, weights in usually_stored_by(usual, (case, number), plugin, workload, plan, params):
                    for key, shape in _shapes(weights).items():
                        assert key in stored, f"owner {owner}: matrix {key} was not stored"
                        for term in stored[key].terms:
                            check_term_shapes(stored[key], term, shape, f"owner {owner}, matrix {key}")
                        if owner == BASE:
                            base[key] = effective(stored[key], None, shape)
                        below = base.get(key)
                        if below is not None and stored[key].on_base:
                            below = held_base(stored[key], below, weights, key, footprint.reprogrammed)
                        whole = effective(stored[key], below, shape)
                        factors = [factor for pair in products(stored[key], shape) for factor in pair]
                        finite = all(bool(part.isfinite().all()) for part in (whole, *factors))
                        assert finite, f"owner {owner}: matrix {key} is not finite when rebuilt"

    def test_rebuilt_matrices_have_the_size_of_the_weights(self, record: PluginRecord) -> None:
        """What is rebuilt is not far larger than the weights, or the deltas, that it stands for."""
        after(self.test_stored_terms_rebuild_the_matrices, record=record)
        usual = usual_terms(type(self).__qualname__, record)
        for case, (plugin, workload, params) in enumerate(self.cases(record)):
            plan = self.plans(workload)[0]
            images = plugin.footprint(workload, demand_of(workload, plan), tiny_geometry(), params).reprogrammed
            base: dict[tuple[int, int], Any] = {}
            for owner, stored, weights in usually_stored_by(usual, (case, 0), plugin, workload, plan, params):
                sums = np.zeros(2)
                for key, shape in _shapes(weights).items():
                    below = base.get(key) if stored[key].on_base else None
                    held = None if below is None else held_base(stored[key], below, weights, key, images)
                    made, wanted = effective(stored[key], held, shape), weights[key]
                    if owner == BASE:
                        base[key] = made
                    elif below is not None:
                        made, wanted = made - below, wanted - below
                    sums += [float((wanted * made).sum()), float((wanted * wanted).sum())]
                large = sums[0] / sums[1]
                told = f"owner {owner}: the rebuilt matrices are {large:.2g} times what they stand for"
                assert large < MOST_APART, f"{told}; check scales, offsets and factors"

    def test_joint_generators_need_no_measurement(self, record: PluginRecord) -> None:
        """Under a joint generator, whose weights are not the context's, nothing depends on what `prepare` measured."""
        after(self.test_stored_terms_rebuild_the_matrices, record=record)
        options, tried = record.options.model_validate(self.options), False
        for workload in self.workloads():
            plan, told = self.plans(workload)[-1], "what prepare() measured on the context's weights"
            if not plan.groups:
                continue
            one, two = (self.build_for(record, options, TinyContext(workload, seed=seed)) for seed in (0, 1))
            for params in values.some_points(self.received(record, one, workload), workload, 1):
                answers = [
                    (
                        plugin.footprint(workload, demand_of(workload, plan), tiny_geometry(), params),
                        list(stored_by(plugin, workload, plan, tiny_geometry(), params)),
                    )
                    for plugin in (one, two)
                ]
                place, tried = values.first_difference(*answers), True
                assert not place, (
                    f"under a joint generator (demand.measured is False) the answer depends on {told}: {place}"
                )
        if not tried:
            raise NothingToTest("no plan of the suite has groups")

    def test_geometry_fields_are_complete(self, record: PluginRecord) -> None:
        """Only the fields of the geometry that `geometry_fields` names change the stored terms."""
        after(self.test_stored_terms_rebuild_the_matrices, record=record)
        usual = usual_terms(type(self).__qualname__, record)
        for case, (plugin, workload, params) in enumerate(self.cases(record)):
            unknown = set(plugin.geometry_fields) - {item.name for item in fields(Geometry)}
            assert not unknown, f"geometry_fields names no field of dse.Geometry: {sorted(unknown)}"
            plan = self.plans(workload)[0]
            first = list(usually_stored_by(usual, (case, 0), plugin, workload, plan, params))
            for changes in _vary_undeclared(plugin.geometry_fields, together=case > 0):
                other = stored_by(plugin, workload, plan, _geometry(changes), params)
                place = values.first_difference(first, list(other))
                names = ", ".join(f"Geometry.{name}" for name in changes)
                assert not place, f"{names} changes the stored terms but is not in geometry_fields: {place}"

    @property
    def sound(self) -> Check:
        """The check without which footprints and terms cannot be compared."""
        return self.test_stored_terms_are_what_the_footprint_charged

    def test_stored_terms_are_what_the_footprint_charged(self, record: PluginRecord) -> None:
        """Rows, columns, code bounds and digital bits of the terms equal the footprint, matrix by matrix."""
        after(self.test_geometry_fields_are_complete, record=record)
        usual = usual_terms(type(self).__qualname__, record)
        for case, (plugin, workload, params) in enumerate(self.cases(record)):
            for number, plan in enumerate(self.plans(workload)):
                wanted = demand_of(workload, plan)
                for changes in GEOMETRIES:
                    geometry = _geometry(changes)
                    footprint = plugin.footprint(workload, wanted, geometry, params)
                    if changes.keys() & set(plugin.geometry_fields):
                        made = stored_by(plugin, workload, plan, geometry, params)
                    else:  # no declared field changes, so the usual geometry has the same terms, as in a study
                        made = usually_stored_by(usual, (case, number), plugin, workload, plan, params)
                    base: dict[tuple[int, int], Stored] = {}
                    for owner, stored, weights in made:
                        due = _list_charged(_shapes(weights), footprint.on_base, wanted.direct, owner)
                        check_stored(workload.encoder, stored, due, footprint, owner, who=record.name)
                        base = stored if owner == BASE else base
                        check_shared_scales(workload.encoder, stored, base, f"{record.name}, owner {owner}")


def _shapes(weights: Matrices) -> Shapes:
    return {key: (weight.shape[0], weight.shape[1]) for key, weight in weights.items()}


def _geometry(changes: dict[str, int]) -> Geometry:
    arrays: dict[str, Any] = {name: np.array([value]) for name, value in changes.items()}
    return replace(tiny_geometry(), **arrays)


def _vary_undeclared(declared: Collection[str], *, together: bool) -> Iterator[dict[str, int]]:
    """Yield changes of the usual geometry that no declared field is part of.

    Args:
        declared: fields that may change the stored terms.
        together: change each field in one of a few groups, fields of a ratio such as ``rows / columns`` in two of them,
            instead of each field by itself and then some at once.
    """
    others = {name: other for name, (_, other) in GEOMETRY.items() if name not in declared}
    if together:
        yield from (dict(list(others.items())[start::GROUPS]) for start in range(min(GROUPS, len(others))))
        return
    single = [{name: other} for name, other in others.items()]
    yield from single
    for changes in GEOMETRIES:
        several = {name: value for name, value in changes.items() if name in others}
        if several and several not in single:
            yield several


def _list_charged(shapes: Shapes, on_base: Any, direct: Any, owner: int) -> Shapes:
    """List the matrices that must be charged: the base's only where a task uses them or a delta lies on them."""
    if owner != BASE:
        return shapes
    needed = on_base[0].any(axis=0) | direct[0]
    return {key: shape for key, shape in shapes.items() if needed[key[0]]}
