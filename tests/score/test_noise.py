"""More of what is not ideal never helps: answers of a small model are compared with those it gives on ideal arrays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

import dse
from dse.models.encoder import Decomposed
from dse.models.inference.crossbar import CrossbarLayers
from dse.records.effective import Effective
from dse.records.stored import Matrices
from dse.score.adc_pieces import OnConverters, converter
from dse.score.grid import store_whole
from dse.score.matrices import effective
from tests.support.devices import cells_of, lognormal, stuck, wan22
from tests.support.tiny import make_classifier
from tests.support.workloads import geometry

ROWS, DRAWS, CLASSES = 100, 4, 6
TOLERANCE = 1.0
"""Points by which a score, a mean over draws on these rows, may rise by chance where there is more noise."""
Logits = Callable[[Effective], np.ndarray]


@pytest.fixture(scope="module")
def model() -> tuple[Logits, dict[tuple[int, int], dse.Stored]]:
    """Runs a random two-layer classifier whose answers differ; and its matrices as they are stored."""
    made = make_classifier(vocab_size=40, max_position_embeddings=16, num_labels=CLASSES)
    decomposed = Decomposed(made)
    weights, layers = decomposed.weights(), CrossbarLayers(made, decomposed.vectors())
    tokens = torch.randint(0, 40, (ROWS, 8), generator=torch.Generator().manual_seed(0))

    def logits(held: Effective) -> np.ndarray:
        with torch.inference_mode(), layers.holding(held, None, None, 8):
            return layers.logits({"input_ids": tokens}).numpy()

    return logits, {key: store_whole(weight) for key, weight in weights.items()}


def held(stored: dict[tuple[int, int], dse.Stored], what: dse.Nonideality, draw: int, **arrays: int) -> Effective:
    chip = geometry(rows=16, columns=16, **arrays)
    cells = cells_of(what, chip, draw)
    adc = converter(what, chip)
    shapes: dict[Any, Any] = {key: tuple(item.terms[0].codes.shape) for key, item in stored.items()}
    if adc is None:
        return Effective(
            {key: effective(cells.program(item, "t", key)[0], None, shapes[key]) for key, item in stored.items()}
        )
    on, nothing = OnConverters(cells, adc, "c"), Matrices({})
    return Effective(
        {key: torch.zeros(shapes[key]) for key in stored},
        arrays={key: on.arrays(item, "t", key, nothing, shapes[key]) for key, item in stored.items()},
    )


def compared(model: Any, levels: list[dse.Nonideality], draws: int = DRAWS, **arrays: int) -> tuple[list[float], ...]:
    """Points of agreement with ideal arrays at each level, and how far logits move, both means over draws."""
    logits, stored = model
    ideal = logits(Effective({key: effective(item, None, item.terms[0].codes.shape) for key, item in stored.items()}))
    points, moved = [], []
    for what in levels:
        found = [logits(held(stored, what, draw, **arrays)) for draw in range(draws)]
        points.append(100 * float(np.mean([one.argmax(axis=1) == ideal.argmax(axis=1) for one in found])))
        moved.append(float(np.mean([np.abs(one - ideal).mean() for one in found])))
    return points, moved


@pytest.mark.parametrize(
    "levels",
    [
        [wan22(scale=scale) for scale in (0.0, 0.01, 0.1, 1.0, 3.0)],
        [lognormal(sigma=sigma) for sigma in (0.0, 0.01, 0.03, 0.1, 0.3)],
        [stuck(stuck_off=rate) for rate in (0.0, 1e-4, 1e-3, 1e-2, 1e-1)],
        [stuck(stuck_on=rate) for rate in (0.0, 1e-4, 1e-3, 1e-2, 1e-1)],
        [wan22(on_off_ratio=ratio) for ratio in (150.0, 10.0, 2.0)],
    ],
    ids=["wan22", "lognormal", "stuck_off", "stuck_on", "on_off_ratio"],
)
@pytest.mark.parametrize("encoding", [0, 1])
def test_more_noise_never_helps_on_average(model: Any, levels: list[dse.Nonideality], encoding: int) -> None:
    points, moved = compared(model, levels, encoding=encoding)
    assert moved == sorted(moved)
    assert all(later <= earlier + TOLERANCE for earlier, later in pairwise(points)), points
    assert points[-1] < points[0] - 3 * TOLERANCE


def test_fewer_adc_bits_never_help(model: Any) -> None:
    found = [compared(model, [dse.Nonideality(adc="real")], draws=1, adc_bits=bits) for bits in (8, 4, 3, 2, 1)]
    moved = [moves[0] for _, moves in found]
    points = [agrees[0] for agrees, _ in found]
    assert moved[0] == 0
    assert moved == sorted(moved)
    assert points[0] == 100
    assert points[-1] < 60


def test_what_is_simulated_without_loss_answers_as_ideal_arrays_do(model: Any) -> None:
    """Sum by sum through every layer of a model: the same answers, up to the order of additions."""
    exact = stuck(stuck_off=1e-12).model_copy(update={"adc": "real"})
    for encoding, cell_bits, adc_bits in ((0, 1, 5), (1, 2, 6), (2, 2, 5)):
        chip = {"encoding": encoding, "cell_bits": cell_bits, "adc_bits": adc_bits}
        (points,), (moved,) = compared(model, [exact], draws=1, **chip)
        assert points >= 99
        assert moved < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("compensation", [False, True])
@pytest.mark.parametrize("what", [wan22(scale=0.2, stuck_on=1e-4, stuck_off=1e-4), lognormal(sigma=0.05)])
def test_weights_drawn_at_once_score_as_cells_drawn_one_by_one(
    model: Any, what: dse.Nonideality, compensation: bool
) -> None:
    """Means of 20 chips agree within 0.1 point and 2 standard errors."""
    logits, stored = model
    ideal = logits(Effective({key: effective(item, None, item.terms[0].codes.shape) for key, item in stored.items()}))
    agree: list[list[float]] = []
    for way in ("codes", "cells"):
        options = what.model_copy(update={"cell_draws": way, "compensation": compensation})
        chips = [logits(held(stored, options, draw)) for draw in range(20)]
        agree.append([100 * float(np.mean(one.argmax(axis=1) == ideal.argmax(axis=1))) for one in chips])
    error = np.sqrt(sum(np.var(points, ddof=1) / 20 for points in agree))
    assert abs(np.mean(agree[0]) - np.mean(agree[1])) <= 0.1 + 2 * error
    assert np.mean(agree[1]) < 100
