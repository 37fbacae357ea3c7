"""Base models and checkpoints that are damaged, misfit or hostile."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.robustness.conftest import Home, told

WEIGHTS = "model.safetensors"
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="session")
def tuned(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the tiny model with a head of two classes."""
    from transformers import AutoModelForSequenceClassification

    folder = tmp_path_factory.mktemp("tuned") / "tuned"
    AutoModelForSequenceClassification.from_pretrained(originals / "model", num_labels=2).save_pretrained(folder)
    return folder


def tensors(change: Callable[[Tensors], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        held = load_file(folder / WEIGHTS)
        change(held)
        save_file({name: value.contiguous() for name, value in held.items()}, folder / WEIGHTS, {"format": "pt"})

    return spoil


def config(**changes: object) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def key(held: Tensors, end: str) -> str:
    return next(name for name in held if name.endswith(end))


QUERY = "layer.1.attention.self.query.weight"
DAMAGE: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "another shape": (
        tensors(lambda held: held.update({key(held, QUERY): torch.zeros(16, 32)})),
        ("shape of a weight", QUERY, "[16, 32]"),
    ),
    "a weight missing": (tensors(lambda held: held.pop(key(held, QUERY))), ("lacks weights", QUERY)),
    "every weight missing": (tensors(lambda held: held.clear()), ("lacks weights", "expected")),
    "a weight that is nan": (tensors(lambda held: held[key(held, QUERY)].fill_(torch.nan)), ("not finite", QUERY)),
    "an endless weight": (tensors(lambda held: held[key(held, QUERY)].fill_(torch.inf)), ("not finite", QUERY)),
    "cut short": (lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:900]), ()),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), ("model.safetensors",)),
    "an empty file": (lambda folder: (folder / WEIGHTS).write_bytes(b""), ()),
    "no configuration": (lambda folder: (folder / "config.json").unlink(), ("config.json",)),
    "configuration no JSON": (lambda folder: (folder / "config.json").write_text("{"), ("config",)),
    "unknown family": (config(model_type="strange"), ("strange",)),
    "another family": (config(model_type="gpt2"), ()),
    "more layers than weights": (config(num_hidden_layers=5), ()),
    "another width": (config(hidden_size=64), ()),
    "heads that do not divide": (config(num_attention_heads=5), ()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_base_is_named(home: Home, dse: Any, damage: str) -> None:
    spoil, words = DAMAGE[damage]
    spoil(home.folder / "model")
    told(dse("run", home.space), "where: ", "model", *words)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_named(home: Home, dse: Any, tuned: Path, damage: str) -> None:
    spoil, words = DAMAGE[damage]
    shutil.copytree(tuned, home.folder / "tuned")
    spoil(home.folder / "tuned")
    told(dse("run", home.change("max_length", 'checkpoint = "tuned"\nmax_length')), "where: ", "tuned", *words)


def test_a_sound_checkpoint_is_taken(home: Home, dse: Any, tuned: Path) -> None:
    shutil.copytree(tuned, home.folder / "tuned")
    result = dse("check", home.change("max_length", 'checkpoint = "tuned"\nmax_length'))
    assert result.exit_code == 0, result.output


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("open('ran', 'w').close()",)


@pytest.mark.parametrize("place", ["base", "checkpoint"])
@pytest.mark.parametrize("container", ["torch", "pickle"])
def test_pickled_code_is_not_run(home: Home, dse: Any, tuned: Path, place: str, container: str) -> None:
    shutil.copytree(tuned, home.folder / "tuned")
    folder = home.folder / ("model" if place == "base" else "tuned")
    (folder / WEIGHTS).unlink()
    path = folder / "pytorch_model.bin"
    if container == "torch":
        torch.save({"bomb": Bomb()}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb()))
    if place == "checkpoint":
        home.change("max_length", 'checkpoint = "tuned"\nmax_length')
    told(dse("run", home.space), "where: ", folder.name)
    assert not (home.folder / "ran").exists()


def test_an_archive_needs_its_checksum(home: Home, dse: Any) -> None:
    archive = '{ wheels = ["dse-reram==0"], sha256 = [], member = "x" }'
    told(dse("check", home.change('base = "model"', f'base = {{ name = "b", archive = {archive} }}')), "one checksum")


def test_pinned_weights_with_another_checksum_are_refused(
    home: Home, dse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dse.models.checkpoints.unpack", lambda *_args: home.folder / "model")
    archive = '{ wheels = ["dse-reram==0"], sha256 = ["00"], member = "x" }'
    home.change('base = "model"', f'base = {{ name = "b", weights_sha256 = "00", archive = {archive} }}')
    told(dse("check", home.space), "where: ", "expected: sha256 00", "found: sha256", "do: ")
