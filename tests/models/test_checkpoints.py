from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dse.errors import CheckpointError, SourceError
from dse.files import file_digest
from dse.models import checkpoints as models
from dse.models.encoder import Decomposed
from dse.space.workload import BaseSpec
from tests.support.tiny import CLASSIFIER, make_model


@pytest.fixture
def checkpoint(tmp_path: Path, config: Callable[..., Any]) -> Path:
    """Folder of a classifier with three classes."""
    make_model(config(num_labels=3), head=CLASSIFIER).save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def edit(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_base_loads_with_a_new_head_in_float32(base: Path) -> None:
    model: Any = models.load_model(str(base), labels=5)
    assert model.classifier.weight.shape == (5, 32)
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    stored = load_file(base / "model.safetensors")
    assert torch.equal(model.bert.encoder.layer[1].output.dense.weight, stored["encoder.layer.1.output.dense.weight"])


def test_a_checkpoint_loads_with_its_own_head(checkpoint: Path) -> None:
    model: Any = models.load_model(str(checkpoint), allow_new_head=False)
    assert torch.equal(model.classifier.weight, load_file(checkpoint / "model.safetensors")["classifier.weight"])


def test_a_base_is_no_checkpoint(base: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        models.load_model(str(base), allow_new_head=False)
    assert "the checkpoint lacks weights" in str(caught.value)
    assert "classifier" in str(caught.value)


def test_a_checkpoint_that_lacks_a_layers_weight_is_refused_even_for_training(checkpoint: Path) -> None:
    edit(checkpoint, lambda tensors: tensors.pop("bert.encoder.layer.1.output.dense.weight"))
    with pytest.raises(CheckpointError, match="lacks weights") as caught:
        models.load_model(str(checkpoint), labels=3)
    assert "expected: 1 more, bert.encoder.layer.1.output.dense.weight among them" in str(caught.value)


def test_a_base_that_lacks_its_embeddings_is_refused(checkpoint: Path) -> None:
    edit(checkpoint, lambda tensors: tensors.pop("bert.embeddings.word_embeddings.weight"))
    with pytest.raises(CheckpointError, match="lacks weights"):
        models.load_model(str(checkpoint), labels=3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(checkpoint: Path, value: float) -> None:
    edit(checkpoint, lambda tensors: tensors["classifier.weight"].fill_(value))
    with pytest.raises(CheckpointError, match="not finite") as caught:
        models.load_model(str(checkpoint))
    assert f"where: {checkpoint}, classifier.weight" in str(caught.value)


def test_weights_of_another_shape_are_refused(checkpoint: Path) -> None:
    edit(checkpoint, lambda tensors: tensors.update({"bert.encoder.layer.0.output.dense.bias": torch.zeros(7)}))
    with pytest.raises(CheckpointError, match="the shape of a weight of the checkpoint differs") as caught:
        models.load_model(str(checkpoint))
    assert "bert.encoder.layer.0.output.dense.bias\n  expected: [32]\n  found: [7]" in str(caught.value)


def test_a_base_with_a_head_of_another_size_is_a_base_and_no_checkpoint(checkpoint: Path) -> None:
    model: Any = models.load_model(str(checkpoint), labels=2)
    assert model.classifier.weight.shape == (2, 32)
    with pytest.raises(CheckpointError, match="the shape of a weight of the checkpoint differs") as caught:
        models.load_model(str(checkpoint), labels=2, allow_new_head=False)
    assert f"where: {checkpoint}, classifier.bias" in str(caught.value)


def test_a_folder_without_weights_says_what_to_name(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(SourceError) as caught:
        models.load_model(str(checkpoint))
    assert "the model cannot be loaded" in str(caught.value)
    assert f"where: {checkpoint}" in str(caught.value)
    assert "config.json and model.safetensors" in str(caught.value)


def test_pickled_weights_that_run_code_are_not_run(checkpoint: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    (checkpoint / "model.safetensors").unlink()
    torch.save({"classifier.weight": Evil()}, checkpoint / "pytorch_model.bin")
    with pytest.raises(Exception, match=r"(?i)weights.only|unpickl|cannot be loaded"):
        models.load_model(str(checkpoint))
    assert not (tmp_path / "ran").exists()


def test_an_empty_model_counts_like_a_full_one(base: Path) -> None:
    empty, full = models.empty_model(str(base), 5), models.load_model(str(base), labels=5)
    assert {value.device.type for value in empty.parameters()} == {"meta"}
    shapes = {name: value.shape for name, value in full.named_parameters()}
    assert {name: value.shape for name, value in empty.named_parameters()} == shapes
    assert Decomposed(empty, trace=False).head_names() == Decomposed(full).head_names()


def test_a_digest_follows_every_weight(checkpoint: Path) -> None:
    model: Any = models.load_model(str(checkpoint))
    first = models.model_digest(model)
    assert models.model_digest(models.load_model(str(checkpoint))) == first
    model.classifier.bias.data[0] += 1
    assert models.model_digest(model) != first


def test_pinned_weights_are_verified(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    shutil.copytree(base, folder)
    monkeypatch.setattr(models, "unpack", lambda *_: folder)
    raw = {"name": "b", "archive": {"wheels": ["w==1"], "sha256": ["0" * 64], "member": "model"}}
    actual = file_digest(folder / "model.safetensors")
    assert models.locate(BaseSpec.model_validate(raw | {"weights_sha256": actual}), tmp_path) == str(folder)
    with pytest.raises(SourceError) as caught:
        models.locate(BaseSpec.model_validate(raw | {"weights_sha256": "1" * 64}), tmp_path)
    assert "the weights of 'b' are not the pinned weights" in str(caught.value)
    assert f"expected: sha256 {'1' * 64}" in str(caught.value)
    assert f"found: sha256 {actual}" in str(caught.value)


def test_a_new_head_follows_its_seed(checkpoint: Path) -> None:
    edit(checkpoint, lambda tensors: [tensors.pop(f"classifier.{name}") for name in ("weight", "bias")])
    loaded: list[Any] = [models.load_model(str(checkpoint), labels=3, seed=seed) for seed in (0, 0, 1)]
    heads = [model.classifier.weight for model in loaded]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("hidden_act", "nope", 'hidden_act = "nope"'),
        ("num_hidden_layers", "2", 'num_hidden_layers = "2"'),
        ("hidden_size", 10**7, "does not fit into memory"),
    ],
)
def test_an_entry_of_a_configuration_that_cannot_be_is_named(
    checkpoint: Path, key: str, value: object, words: str
) -> None:
    path = checkpoint / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {key: value}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json") as caught:
        models.load_model(str(checkpoint))
    assert words in str(caught.value)
