"""Compressors with one fault each."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
from dse_plugins.compressors.none import Uncompressed
from dse_plugins.compressors.two_stage import TwoStage, TwoStageOptions

import dse

CALLS = count()
Terms = dict[tuple[int, int], dse.Stored]


class ChargesHalf(Uncompressed):
    def footprint(self, *arguments: Any) -> dse.Footprint:
        whole = super().footprint(*arguments)
        (piece,) = whole.pieces
        return replace(whole, pieces=(replace(piece, columns=np.floor(piece.columns / 2)),))


class ForgetsScales(Uncompressed):
    def footprint(self, *arguments: Any) -> dse.Footprint:
        whole = super().footprint(*arguments)
        return replace(whole, digital_bits=np.zeros_like(whole.digital_bits))


class Negative(Uncompressed):
    def footprint(self, *arguments: Any) -> dse.Footprint:
        whole = super().footprint(*arguments)
        return replace(whole, digital_bits=-whole.digital_bits)


class Noisy(Uncompressed):
    def store(self, weights: dse.Matrices, *others: Any) -> Terms:
        return super().store(dse.Matrices({key: weight + next(CALLS) for key, weight in weights.items()}), *others)


class KeepsAnIndexOutside(Uncompressed):
    def store(self, weights: dse.Matrices, *others: Any) -> Terms:
        import torch

        stored = super().store(weights, *others)
        for key, matrix in stored.items():
            (term,) = matrix.terms
            stored[key] = dse.Stored((replace(term, rows=torch.arange(1, term.codes.shape[1] + 1)),))
        return stored


class HidesAField(TwoStage):
    geometry_fields = ("encoding",)


class FirstPointForAll(TwoStage):
    def footprint(
        self, workload: dse.Workload, demand: dse.Demand, geometry: dse.Geometry, params: dse.Params
    ) -> dse.Footprint:
        first = {name: np.repeat(values[:1], params.points, axis=0) for name, values in params.items()}
        return super().footprint(workload, demand, geometry, dse.Params(params.points, first))


class DeadParameter(TwoStage):
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        return (*super().parameters(workload), dse.Float(name="strength", low=0.0, high=1.0, default=0.5))


class ChoosesInputBits(TwoStage):
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        return (*super().parameters(workload), dse.Int(name="input_bits", low=4, high=8, default=8))


class StoresGroupsWhole(TwoStage):
    def store(
        self, weights: dse.Matrices, base: dse.Matrices, geometry: dse.Geometry, params: dse.Params, owner: int
    ) -> Terms:
        if weights.demand is not None and dse.BASE < owner <= weights.demand.groups:
            return {key: dse.store_whole(weight) for key, weight in weights.items()}
        return super().store(weights, base, geometry, params, owner)


class HidesWeightsInScales(Uncompressed):
    """Arrays of ones, and a scale for each weight that is said to be shared."""

    def footprint(self, *arguments: Any) -> dse.Footprint:
        whole = super().footprint(*arguments)
        (piece,) = whole.pieces
        ones = replace(piece, magnitude=np.minimum(piece.magnitude, 1))
        return replace(whole, pieces=(ones,), digital_bits=np.zeros_like(whole.digital_bits))

    def store(self, weights: dse.Matrices, *_: Any) -> Terms:
        import torch

        return {
            key: dse.Stored((dse.Term(torch.ones(weight.shape, dtype=torch.int16), weight, 1, shared_scale=True),))
            for key, weight in weights.items()
        }


class SharesWhatNobodyStores(HidesWeightsInScales):
    """A scale of its own for each output, which is said to be the base's."""

    def store(self, weights: dse.Matrices, *others: Any) -> Terms:
        stored = super().store(weights, *others)
        for key, matrix in stored.items():
            (term,) = matrix.terms
            stored[key] = dse.Stored((replace(term, scale=term.scale.mean(dim=1)),))
        return stored


def record(build: type, options: type[dse.Options] = dse.Options) -> dse.Compressor:
    return dse.Compressor(name="wrong", summary="wrong on purpose", build=build, options=options)


CASES = (
    (record(ChargesHalf), "test_stored_terms_are_what_the_footprint_charged"),
    (record(ForgetsScales), "test_stored_terms_are_what_the_footprint_charged"),
    (record(Negative), "test_footprint_is_usable"),
    (record(Noisy), "test_is_deterministic"),
    (record(KeepsAnIndexOutside), "test_stored_terms_rebuild_the_matrices"),
    (record(StoresGroupsWhole, TwoStageOptions), "test_stored_terms_are_what_the_footprint_charged"),
    (record(HidesWeightsInScales), "test_stored_terms_rebuild_the_matrices"),
    (record(SharesWhatNobodyStores), "test_stored_terms_are_what_the_footprint_charged"),
    (record(HidesAField, TwoStageOptions), "test_geometry_fields_are_complete"),
    (record(FirstPointForAll, TwoStageOptions), "test_batch_equals_single"),
    (record(ChoosesInputBits, TwoStageOptions), "test_parameters_are_well_declared"),
    (record(DeadParameter, TwoStageOptions), "test_every_parameter_changes_something"),
)
