"""One encoder for several tasks: what is trained, what stays, and that a stopped training goes on as if it had not been."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from dse.errors import CheckpointError, DataError
from dse.models import loaded_workload as service
from dse.models.training import finetune, joint
from dse.models.training import losses as teaching
from dse.models.training.trunk import Together
from dse.records.effective import Effective
from dse.records.model import Model
from dse.records.training import Training
from tests.support.text import FAST

Load = Callable[..., service.LoadedWorkload]
BOTH = Training((0, 1))


def same(one: Model, other: Model) -> bool:
    found: list[tuple[Mapping[Any, torch.Tensor], Mapping[Any, torch.Tensor]]] = [
        (one.matrices, other.matrices),
        *((named, other.vectors[layer]) for layer, named in one.vectors.items()),
        *((named, other.heads[task]) for task, named in one.heads.items()),
    ]
    return all(
        first.keys() == second.keys() and all(torch.equal(v, second[k]) for k, v in first.items())
        for first, second in found
    )


def held(model: Model, task: int) -> Effective:
    return Effective(dict(model.matrices), vectors=dict(model.vectors), head=dict(model.heads[task]))


def test_one_encoder_learns_both_tasks(load: Load) -> None:
    work = load(fine_tune=FAST | {"epochs": 20, "learning_rate": 3e-3})
    model = work.trained(BOTH)
    score = work.evaluator("class").score(held(model, 0), split="train", precision="fp32")

    assert score.value > 0.8
    assert set(model.matrices) == set(work.base_weights())
    assert set(model.vectors) == {0, 1}
    assert set(model.heads) == {0, 1}
    assert work.evaluator("value").score(held(model, 1), precision="fp32").rows > 0


def test_a_training_is_done_once_and_found_again(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load().trained(BOTH)
    monkeypatch.setattr(joint, "train", lambda *_: pytest.fail("trained twice"))

    assert same(first, load().trained(BOTH))


def test_the_same_training_gives_the_same_weights(load: Load) -> None:
    assert same(load("one").trained(BOTH), load("two").trained(BOTH))


@pytest.mark.parametrize(
    "other", [Training((0,)), Training((0, 1), layers=(1,)), Training((0, 1), frozen=1), Training((0, 1), distil=0.5)]
)
def test_another_training_is_another(load: Load, other: Training) -> None:
    work = load()

    assert not np.array_equal(_flat(work.trained(BOTH)), _flat(work.trained(other)))


def _flat(model: Model) -> Any:
    return torch.cat([value.flatten() for _, value in sorted(model.matrices.items())]).numpy()


def test_a_branch_begins_where_the_trunk_ended_and_leaves_what_is_frozen(load: Load) -> None:
    work = load()
    trunk = work.trained(BOTH)
    branch = work.trained(Training((1,), frozen=1, start=BOTH))
    moved = {key for key, value in branch.matrices.items() if not torch.equal(value, trunk.matrices[key])}

    assert {layer for layer, _ in moved} == {1}
    assert all(torch.equal(value, trunk.vectors[0][name]) for name, value in branch.vectors[0].items())
    assert list(branch.heads) == [1]


def test_layers_that_are_left_out_are_not_there_and_scores_skip_them(load: Load) -> None:
    work = load()
    model = work.trained(Training((0, 1), layers=(1,)))
    score = work.evaluator("class").score(held(model, 0), keep_layers=[False, True], precision="fp32")

    assert {layer for layer, _ in model.matrices} == {1}
    assert score.rows > 0


@pytest.mark.parametrize("distil", [0.0, 0.5])
def test_a_stopped_training_goes_on_as_if_it_had_not_been(
    load: Load, monkeypatch: pytest.MonkeyPatch, distil: float
) -> None:
    training = Training((0, 1), distil=distil)
    whole = load("whole").trained(training)
    losses = 0
    real = finetune.loss

    def stopping(*arguments: Any) -> Any:
        nonlocal losses
        losses += 1
        if losses == 8:
            raise KeyboardInterrupt
        return real(*arguments)

    work = load("stopped")
    for task in work.tasks.values():
        task.model()
    monkeypatch.setattr(finetune, "loss", stopping)
    with pytest.raises(KeyboardInterrupt):
        work.trained(training)
    before = losses
    resumed = load("stopped").trained(training)

    assert same(resumed, whole)
    assert losses - before < 12  # of 15 steps in all
    assert not list((work.cache / "joint").glob("*.part"))


def test_a_damaged_part_is_begun_anew(load: Load) -> None:
    whole = load("whole").trained(BOTH)
    work = load("torn")
    path = work.cache / "joint" / f"{joint.digest_of(work, BOTH)}.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x00" * 40)

    assert same(work.trained(BOTH), whole)


def test_a_stored_encoder_that_is_damaged_is_named(load: Load) -> None:
    work = load()
    work.trained(BOTH)
    (path,) = (work.cache / "joint").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="stored trained encoder cannot be read") as caught:
        load().trained(BOTH)
    assert str(path) in str(caught.value)


def test_a_loss_that_grows_without_end_is_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    work = load()
    for task in work.tasks.values():
        task.model()
    monkeypatch.setattr(finetune, "loss", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(DataError, match="diverged"):
        work.trained(BOTH)


def test_progress_is_told_in_words(load: Load) -> None:
    told: list[tuple[str, float | None]] = []
    work = load()
    work.progress = lambda what, share: told.append((what, share))
    work.trained(BOTH)
    work.trained(Training((0,), frozen=1, start=BOTH))

    assert ("training 2 tasks together, 2 layers", 1.0) in told
    assert ("training class, 1 of 2 layers", 1.0) in told


def test_training_rows_run_through_a_trained_encoder_without_its_skipped_layers(load: Load) -> None:
    work = load()
    model = work.trained(Training((0, 1), layers=(1,), merged=True, distil=0.3, across=0.3))
    (seen, *_) = work.tasks["class"].observe(40, model)

    assert {layer for layer, _ in seen.inputs} == {1}
    assert seen.logits.shape == (len(seen.mask), 2)
    (own, *_) = work.tasks["class"].observe(40)
    assert {layer for layer, _ in own.inputs} == {0, 1}
    assert torch.equal(own.inputs[0, 0], seen.inputs[1, 0])  # embeddings, which the skipped layer leaves as they are


def test_all_answers_of_the_other_tasks_are_followed(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    follow = teaching.follow_model

    def followed(task: Any, at: int, logits: Any, given: Any, chosen: Any) -> Any:
        asked.append((at, logits.shape[1]))
        return follow(task, at, logits, given, chosen)

    monkeypatch.setattr(teaching, "follow_model", followed)
    load().trained(Training((0, 1), across=0.5))
    # Each on the other's rows, with its own head; their digests say which of the two comes first.
    assert set(asked) in ({(0, 2), (1, 1)}, {(0, 1), (1, 2)})
    asked.clear()
    load("other").trained(Training((0, 1), distil=0.5))
    assert set(asked) in ({(0, 2), (1, 1)}, {(0, 1), (1, 2)})


def test_a_merged_start_is_the_mean_of_the_tasks_models_with_their_heads(load: Load) -> None:
    work = load()
    together = Together(work, Training((0, 1), merged=True))
    merged = together.merge()
    own = [work.task_weights(name) for name in ("class", "value")]
    for key, matrix in merged.matrices.items():
        torch.testing.assert_close(matrix, (own[0][key] + own[1][key]) / 2)
    together.load(merged)
    state = work.tasks["value"].model()[0].state_dict()
    for name, value in merged.heads[1].items():
        assert torch.equal(value, state[name])
        assert torch.equal(together.models[1].state_dict()[name], value)


def test_no_passes_are_no_training(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dse.models.training.joint.train", lambda *_: pytest.fail("trained"))
    work = load()
    mean = work.trained(Training((0, 1), merged=True, passes=0))
    merged = Together(work, Training((0, 1), merged=True)).merge()

    for key, matrix in merged.matrices.items():
        torch.testing.assert_close(mean.matrices[key], matrix)


def test_a_second_answer_to_a_batch_takes_what_the_layers_gave(load: Load) -> None:
    work = load()
    together = Together(work, Training((0, 1)))
    for model in together.models:
        model.eval()
    inputs = {"input_ids": torch.tensor([[2, 5, 6, 3]]), "attention_mask": torch.ones(1, 4, dtype=torch.long)}
    with torch.inference_mode():
        alone = together.logits(1, inputs)
        first = together.logits(0, inputs)
        ran: list[int] = []
        hook = together.layers[0].register_forward_pre_hook(lambda *_: ran.append(1))
        again = together.also(1, inputs)
        hook.remove()
    assert first.shape[1] == 2
    assert torch.allclose(alone, again)
    assert not ran


@pytest.mark.parametrize(
    "training", [BOTH, Training((0, 1), across=0.5), Training((0, 1), merged=True, passes=0.0)], ids=str
)
def test_the_order_of_tasks_in_a_file_moves_no_weight(load: Load, training: Training) -> None:
    work, turned = load("one"), load("two")
    turned.tasks = dict(reversed(turned.tasks.items()))
    one, two = work.trained(training), turned.trained(training)

    assert list(work.tasks) == list(turned.tasks)[::-1]
    assert np.array_equal(_flat(one), _flat(two))
    assert all(torch.equal(value, two.heads[1][name]) for name, value in one.heads[0].items())
    assert all(torch.equal(value, two.heads[0][name]) for name, value in one.heads[1].items())
