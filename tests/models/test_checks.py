"""Checks that a task fits the base."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from dse.errors import CheckpointError
from dse.models.checks import check_length, longest_input, name_refusals
from dse.space.workload import TaskSpec
from tests.support.tiny import CLASSIFIER, make_config, make_model

POSITIONS = 40


@pytest.mark.parametrize(
    ("family", "padding", "longest"),
    [
        ("Bert", 0, POSITIONS),
        ("Roberta", 1, POSITIONS - 2),
        ("Roberta", 0, POSITIONS - 1),
        ("Camembert", 1, POSITIONS - 2),
        ("Data2VecText", 1, POSITIONS - 2),
        ("RobertaPreLayerNorm", 1, POSITIONS - 2),
        ("XLMRobertaXL", 1, POSITIONS - 2),
        ("MPNet", 1, POSITIONS - 2),
    ],
)
def test_the_longest_input_is_the_longest_that_the_model_runs(family: str, padding: int, longest: int) -> None:
    config = make_config(family, max_position_embeddings=POSITIONS, pad_token_id=padding)
    model = make_model(config, head=CLASSIFIER)
    assert longest_input(model) == longest
    with torch.inference_mode():
        assert model(input_ids=torch.full((1, longest), 5)).logits.isfinite().all()
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, longest + 1), 5))


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (None, "/folder, task 't'"),
        ("BertModel", "BertModel, /folder, task 't'"),
        ("/folder/config.json", "/folder/config.json, task 't'"),
        ("/folder of task 't'", "/folder of task 't'"),
    ],
)
def test_a_refused_model_is_named_by_its_folder_and_its_task_once(place: str | None, told: str) -> None:
    with pytest.raises(CheckpointError) as caught, name_refusals("task 't'", "/folder"):
        raise CheckpointError("no", where=place)
    assert caught.value.where == told


def test_positions_below_zero_are_no_limit(task: Callable[..., TaskSpec]) -> None:
    model = make_model(make_config("EuroBert", pad_token_id=0), head=CLASSIFIER)
    model.config.max_position_embeddings = -1
    assert longest_input(model) is None
    check_length(task(max_length=512), None)


def test_a_task_that_keeps_more_tokens_than_there_are_positions_is_refused(task: Callable[..., Any]) -> None:
    check_length(task(max_length=38), 38)
    with pytest.raises(CheckpointError, match=r"max_length is too large[\s\S]*at most 38[\s\S]*found: 39"):
        check_length(task(max_length=39), 38)
