"""No weights hide in what is not charged: scales, offsets, factors, images, norms, heads and exits have their size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

import dse
from dse.models.encoder import Decomposed
from dse.records.exits import ExitHead
from dse.score.gate import check_change_shapes, check_model_shapes, check_shared_scales, check_term_shapes
from tests.support.tiny import CLASSIFIER, make_config, make_model
from tests.support.workloads import workload

LOAD = workload(2, layers=1)
OUTPUTS, INPUTS = 4, 6
CODES = torch.ones((OUTPUTS, INPUTS), dtype=torch.int16)
TERM = dse.Term(CODES, torch.tensor(0.5), 1)
MATRIX = torch.zeros(32, 32)


def check(term: dse.Term) -> None:
    check_term_shapes(dse.Stored((term,)), term, (OUTPUTS, INPUTS), "here")


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (OUTPUTS,), (OUTPUTS, 1)])
def test_a_scale_is_one_number_or_one_per_output(shape: tuple[int, ...]) -> None:
    check(replace(TERM, scale=torch.ones(shape), offset=torch.ones(shape)))


@pytest.mark.parametrize("shape", [(OUTPUTS, INPUTS), (INPUTS,), (1, INPUTS), (OUTPUTS, 2), (1, 1, 1)])
@pytest.mark.parametrize("name", ["scale", "offset"])
def test_anything_larger_is_no_scale_and_no_offset(name: str, shape: tuple[int, ...]) -> None:
    wrong: Any = {name: torch.ones(shape)}
    with pytest.raises(dse.PluginContractError, match=rf"the shape of the {name} of a stored term differs[\s\S]*here"):
        check(replace(TERM, **wrong))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"codes": CODES[:2]}, r"columns of a stored term do not fit[\s\S]*expected: 4[\s\S]*found: 2"),
        ({"codes": CODES[:, :5]}, "rows of a stored term do not fit"),
        ({"codes": CODES[:2], "columns": torch.tensor([1, 1])}, "2 different places from 0 to 3"),
        ({"codes": CODES[:2], "columns": torch.tensor([1, 4])}, "found: 2 places from 1 to 4"),
        ({"codes": CODES[:, :1], "rows": torch.tensor([-1])}, "rows of a stored term do not fit"),
        ({"rows": torch.arange(5)}, "rows of a stored term do not fit"),
    ],
)
def test_codes_have_one_place_each(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(dse.PluginContractError, match=words):
        check(replace(TERM, **changes))


def test_a_shared_scale_is_one_that_is_charged() -> None:
    base = {(0, 0): dse.Stored((replace(TERM, scale=torch.tensor([1.0, 2.0, 3.0, 4.0])),))}
    free = replace(TERM, scale=torch.tensor(3.0), shared_scale=True)
    check_shared_scales(LOAD.encoder, {(0, 0): dse.Stored((free,))}, base, "owner 1")
    own = dse.Stored((replace(TERM, scale=torch.tensor(3.0)), free))
    check_shared_scales(LOAD.encoder, {(0, 1): own}, {}, "owner 1")
    nothing = replace(free, codes=CODES[:0], scale=torch.tensor(9.0))
    check_shared_scales(LOAD.encoder, {(0, 0): dse.Stored((nothing,))}, {}, "owner 1")


@pytest.mark.parametrize("scale", [torch.tensor(3.5), torch.tensor([1.0, 2.0, 3.0, 5.0])])
@pytest.mark.parametrize("stored", [True, False])
def test_any_other_shared_scale_is_refused(scale: torch.Tensor, stored: bool) -> None:
    base = {(0, 0): dse.Stored((replace(TERM, scale=torch.tensor([1.0, 2.0, 3.0, 4.0])),))} if stored else {}
    term = replace(TERM, scale=scale, shared_scale=True)
    words = r"a scale that is not charged is not a stored scale[\s\S]*owner 1, layer 0, q[\s\S]*shared_scale = False"
    with pytest.raises(dse.PluginContractError, match=words):
        check_shared_scales(LOAD.encoder, {(0, 0): dse.Stored((term,))}, base, "owner 1")


def test_an_image_lies_on_the_grid_of_the_base() -> None:
    base = {(0, 0): dse.Stored((TERM,))}
    image = dse.Image(CODES, TERM.scale, torch.ones((1, 1), dtype=torch.bool))
    check_shared_scales(LOAD.encoder, {(0, 0): dse.Stored((), on_base=True, image=image)}, base, "owner 1")
    other = replace(image, scale=torch.tensor(0.25))
    with pytest.raises(dse.PluginContractError, match="the scale of codes written over the base is not a stored scale"):
        check_shared_scales(LOAD.encoder, {(0, 0): dse.Stored((), on_base=True, image=other)}, base, "owner 1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"image": {"scale": torch.ones(OUTPUTS, INPUTS)}},
            "the shape of the scale of codes written over the base differs",
        ),
        ({"image": {"codes": CODES[:, :3]}}, "the shape of codes written over the base differs"),
        ({"image": {"blocks": torch.ones(3, 2)}}, "the shape of places of codes written over the base differs"),
        ({"scaling": {"factors": torch.ones(2, INPUTS)}}, "the shape of factors of the base's sums differs"),
        ({"scaling": {"live": torch.ones(1, OUTPUTS)}}, "the shape of places of factors differs"),
        (
            {"scaling": {"bits": 2}},
            r"more values than their bits can hold[\s\S]*at most 4 values in 2 bits[\s\S]*found: 8",
        ),
    ],
)
def test_changes_of_the_base_have_their_size(changes: dict[str, dict[str, Any]], words: str) -> None:
    image = dse.Image(CODES, torch.ones(OUTPUTS), torch.ones((2, 2), dtype=torch.bool))
    live = torch.ones((2, OUTPUTS), dtype=torch.bool)
    scaling = dse.Scaling(torch.arange(8.0).reshape(2, OUTPUTS), 3, live, bits=3)
    stored = dse.Stored((), on_base=True, image=image, scaling=scaling)
    check_change_shapes(stored, (OUTPUTS, INPUTS), (2, 2), "here")
    wrong = {name: replace(getattr(stored, name), **values) for name, values in changes.items()}
    with pytest.raises(dse.PluginContractError, match=words):
        check_change_shapes(replace(stored, **wrong), (OUTPUTS, INPUTS), (2, 2), "here")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (dse.Model({(0, 0): torch.zeros(32, 64)}), "the shape of weights differs"),
        (dse.Model({}, shifts={(0, 0): MATRIX}), "the shape of a shift of a bias differs"),
        (dse.Model({}, vectors={0: {"q.weight": torch.zeros(9)}}), "a matrix is given among biases and norms"),
        (
            dse.Model({}, vectors={0: {"norm": torch.zeros(101)}}),
            r"the set of biases and norms holds more[\s\S]*at most 100",
        ),
        (dse.Model({}, heads={1: {"a": torch.zeros(500), "b": torch.zeros(1)}}), r"a head holds more[\s\S]*found: 501"),
        (dse.Model({}, exits={0: {0: ExitHead(torch.zeros(2, 65), torch.zeros(2), 0.5)}}), "the weight of an exit"),
        (dse.Model({}, exits={0: {0: ExitHead(torch.zeros(2, 64), MATRIX, 0.5)}}), "the bias of an exit"),
    ],
)
def test_a_model_holds_what_is_charged_and_no_more(model: dse.Model, words: str) -> None:
    check_model_shapes(LOAD, dse.Model({(0, 0): MATRIX}, {0: {"norm": torch.zeros(100)}}), "here")
    with pytest.raises(dse.PluginContractError, match=words):
        check_model_shapes(LOAD, model, "here")


def test_biases_and_norms_are_charged_over_all_layers_together() -> None:
    """ModernBERT lacks a norm in its first layer, so other layers have more than the mean."""
    config = make_config("ModernBert", num_hidden_layers=2, pad_token_id=0)
    own = Decomposed(make_model(config, head=CLASSIFIER))
    load = replace(LOAD, encoder=own.shape())
    vectors = dict(enumerate(own.vectors()))
    sizes = [sum(value.numel() for value in named.values()) for named in vectors.values()]
    assert max(sizes) > load.encoder.vector_parameters
    check_model_shapes(load, dse.Model(own.weights(), vectors), "here")
    with pytest.raises(dse.PluginContractError, match="the set of biases and norms holds more"):
        check_model_shapes(load, dse.Model({}, {**vectors, 2: {"more": torch.zeros(2)}}), "here")
