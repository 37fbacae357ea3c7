"""Learning a task from the base through an adapter: what is trained, what is found again, and what stops and goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dse.errors import CheckpointError
from dse.models import loaded_workload as service
from dse.models.training import finetune, joint
from dse.models.training.adapter import adapt
from dse.records.effective import Effective
from dse.records.stored import Key
from dse.records.training import Adapted, Adaption
from tests.support.text import FAST

Load = Callable[..., service.LoadedWorkload]


class Deltas(nn.Module):
    """A difference for every matrix, learnt half as fast as the rest."""

    def __init__(self, base: Mapping[Key, Tensor]) -> None:
        super().__init__()
        self.rates = {"delta": 1.0, "": 2.0}
        self.delta = nn.ParameterDict({f"{layer}-{at}": torch.zeros_like(base[layer, at]) for layer, at in base})
        self.shares: list[float] = []

    def forward(self, key: Key, weight: Tensor) -> Tensor:
        changed: Tensor = self.delta[f"{key[0]}-{key[1]}"] + weight
        return changed

    def begin(self, share: float) -> None:
        self.shares.append(share)


def asked(task: int = 0, **changes: Any) -> Adaption:
    settings: dict[str, Any] = {"key": {"deltas": 1}, "build": Deltas}
    return Adaption(task, **(settings | changes))


def same(one: Adapted, other: Adapted) -> bool:
    return all(torch.equal(value, other.state[name]) for name, value in one.state.items()) and all(
        torch.equal(value, other.model.vectors[layer][name])
        for layer, named in one.model.vectors.items()
        for name, value in named.items()
    )


def test_the_adapter_is_learnt_with_biases_norms_and_head_and_the_base_stays(load: Load) -> None:
    work = load(fine_tune=FAST | {"epochs": 20, "learning_rate": 3e-3})
    base = work.base_weights()
    before = {key: weight.clone() for key, weight in base.items()}
    found = adapt(work, asked())

    assert all(torch.equal(base[key], weight) for key, weight in before.items())
    assert set(found.state) == {f"delta.{layer}-{index}" for layer, index in base}
    weights = {(layer, index): found.state[f"delta.{layer}-{index}"] + base[layer, index] for layer, index in base}
    held = Effective(weights, vectors=dict(found.model.vectors), head=dict(found.model.heads[0]))
    assert work.evaluator("class").score(held, split="train", precision="fp32").value > 0.8


def test_rates_and_shares_reach_training(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Deltas] = []
    groups: list[Any] = []

    def build(base: Mapping[Key, Tensor]) -> Deltas:
        made.append(Deltas(base))
        return made[0]

    updater = finetune.Updater

    def watched(given: Any, *others: Any) -> finetune.Updater:
        groups.extend(given)
        return updater(given, *others)

    work = load()
    work.tasks["class"].model()
    monkeypatch.setattr(finetune, "Updater", watched)
    adapt(work, asked(build=build))

    assert [rate for _, rate in groups] == [1.0, 2.0]
    assert len(groups[0][0]) == len(list(made[0].delta))
    assert made[0].shares[0] == 0
    assert made[0].shares == sorted(set(made[0].shares))


def test_what_was_learnt_is_found_again_by_its_key(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    first = adapt(load(), asked())
    train = joint.train
    monkeypatch.setattr(joint, "train", lambda *_: pytest.fail("learnt twice"))
    assert same(first, adapt(load(), asked()))

    monkeypatch.setattr(joint, "train", train)
    for other in (asked(key={"deltas": 2}), asked(seed=1), asked(passes=2.0), asked(task=1)):
        adapt(load(), other)
    assert len(list((load().cache / "adapted").glob("*.safetensors"))) == 5


def test_a_stopped_adaption_goes_on_as_if_it_had_not_been(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = adapt(load("whole"), asked())
    work, losses = load("stopped"), 0
    loss = finetune.loss

    def stops(*given: Any) -> Tensor:
        nonlocal losses
        losses += 1
        if losses == 4:
            raise KeyboardInterrupt
        return loss(*given)

    work.tasks["class"].model()
    monkeypatch.setattr(finetune, "loss", stops)
    with pytest.raises(KeyboardInterrupt):
        adapt(work, asked())

    assert same(whole, adapt(work, asked()))
    assert not list((work.cache / "adapted").glob("*.part"))


def test_what_was_stored_and_is_damaged_is_named(load: Load) -> None:
    adapt(load(), asked())
    (path,) = (load().cache / "adapted").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="stored trained encoder cannot be read"):
        adapt(load(), asked())


def test_progress_names_the_task(load: Load) -> None:
    told: list[str] = []
    work = load()
    work.progress = lambda what, _share: told.append(what)
    adapt(work, asked())

    assert "adapting the base to class" in told
