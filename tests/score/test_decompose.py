"""Base, fine-tuned matrix and difference are one sum of integers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.analysis.deltas import statistics
from dse.score.problem import WorkloadProblem


def pair(seed: int, moved: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    base = torch.randn(12, 20, generator=generator) * 0.1
    return base, base + moved * torch.randn(12, 20, generator=generator)


@given(st.integers(0, 10_000), st.floats(0, 1), st.booleans())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_base_and_delta_are_the_fine_tuned_matrix_in_integers(seed: int, moved: float, per_channel: bool) -> None:
    base, tuned = pair(seed, moved)
    parts = dse.decompose(base, tuned, per_channel=per_channel)

    assert torch.equal(parts.base + parts.delta, parts.tuned)
    assert parts.tuned.min() >= -128
    assert parts.tuned.max() <= 127
    inside = (parts.tuned > -128) & (parts.tuned < 127)
    error = (parts.tuned * parts.scale - tuned).abs()
    assert (error <= 0.5001 * parts.scale)[inside].all()
    by_hand = int(((tuned / parts.scale).round() > 127).sum() + ((tuned / parts.scale).round() < -128).sum())
    assert parts.saturated == by_hand


def test_a_matrix_that_did_not_move_has_no_delta() -> None:
    base, _ = pair(0, 0.0)
    assert not dse.decompose(base, base).delta.any()


def test_statistics_are_those_of_every_matrix_together(problem: WorkloadProblem) -> None:
    loaded = problem.context._loaded
    rows = list(statistics(loaded))
    assert [row["layer"] for row in rows] == ["0", "1", "all"] * 2
    base, tuned = loaded.base_weights(), loaded.task_weights("verdict")
    parts = {key: dse.decompose(base[key], tuned[key]) for key in base}
    for row in rows[:3]:
        keys = [key for key in base if row["layer"] in ("all", str(key[0]))]
        flat = torch.cat([parts[key].delta.flatten() for key in keys]).float()
        one, other = (torch.cat([side[key].flatten() for key in keys]) for side in (base, tuned))
        assert row["nonzero"] == pytest.approx(float((flat != 0).float().mean()))
        assert row["magnitude"] == pytest.approx(float(flat[flat != 0].abs().mean()))
        assert row["largest"] == int(flat.abs().max())
        assert row["cosine"] == pytest.approx(float(torch.nn.functional.cosine_similarity(one, other, dim=0)), abs=1e-5)
        assert row["task"] == "verdict"
