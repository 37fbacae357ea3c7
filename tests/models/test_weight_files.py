"""Folders and files of strangers' models: sharded, prefixed, quantised, damaged, or of a run of a trainer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dse.errors import CheckpointError, SourceError
from dse.models.checkpoints import load_config, load_model, load_tokenizer
from dse.models.encoder import Decomposed
from dse.models.weight_files import find_tensors, read_tensor
from tests.support.tiny import CLASSIFIER, make_model

INDEX = "model.safetensors.index.json"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


@pytest.fixture
def folder(tmp_path: Path, config: Callable[..., Any]) -> Path:
    """Folder of a classifier with three classes, in several shards."""
    model = make_model(config(num_labels=3), head=CLASSIFIER)
    model.save_pretrained(tmp_path / "run" / "checkpoint-500", max_shard_size="40KB")
    return tmp_path / "run" / "checkpoint-500"


def pack(folder: Path, *, prefix: str = "", binary: bool = False) -> dict[str, torch.Tensor]:
    """Write the shards of a folder again as one file."""
    tensors: dict[str, torch.Tensor] = {}
    for path in folder.glob("model*"):
        tensors |= load_file(path) if path.suffix == ".safetensors" else {}
        path.unlink()
    renamed = {prefix + name: value for name, value in tensors.items()}
    if binary:
        torch.save(renamed, folder / "pytorch_model.bin")
    else:
        save_file(renamed, folder / "model.safetensors", {"format": "pt"})
    return tensors


def set_keys(folder: Path, **keys: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | keys), encoding="utf-8")


def load(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_model(str(folder), allow_new_head=False).named_parameters())


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("binary", [False, True])
def test_shards_and_names_of_wrappers_are_read_as_one_model(folder: Path, prefix: str, binary: bool) -> None:
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    whole = load(folder)
    tensors = pack(folder, prefix=prefix, binary=binary)
    again = load(folder)
    assert all(torch.equal(value, again[name]) and torch.equal(value, tensors[name]) for name, value in whole.items())


def test_other_files_of_a_trainer_are_not_opened(folder: Path) -> None:
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "trainer_state.json"):
        (folder / name).write_bytes(b"nothing that could be read")
    assert load(folder)


def test_a_runs_folder_lists_its_checkpoints(folder: Path) -> None:
    for number in (1000, 20):
        (folder.parent / f"checkpoint-{number}").mkdir()
    (folder.parent / "checkpoint-best").mkdir()
    with pytest.raises(SourceError, match="name one of them: checkpoint-20, checkpoint-500, checkpoint-1000") as caught:
        load_config(str(folder.parent))
    assert f"where: {folder.parent}" in str(caught.value)


def test_an_adapter_is_no_base(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="an adapter and no whole model"):
        load_model(str(tmp_path), labels=1)


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes"])
def test_quantised_weights_are_refused_by_name(folder: Path, method: str) -> None:
    set_keys(folder, quantization_config={"quant_method": method, "bits": 8})
    with pytest.raises(CheckpointError, match=f"the model is quantised .{method}., and dse reads float weights"):
        load(folder)


def test_an_index_without_a_map_and_a_missing_shard_are_named(folder: Path) -> None:
    shard = sorted(folder.glob("model-*"))[1]
    shard.unlink()
    with pytest.raises(CheckpointError, match="incomplete") as caught:
        load(folder)
    assert INDEX in str(caught.value)
    assert shard.name in str(caught.value)
    (folder / INDEX).write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="weight_map"):
        load(folder)


@pytest.mark.parametrize(("binary", "content"), [(False, POINTER), (True, POINTER), (False, None), (True, None)])
def test_a_file_that_is_cut_short_or_a_pointer_is_named(folder: Path, binary: bool, content: bytes | None) -> None:
    pack(folder, binary=binary)
    (path,) = (*folder.glob("model.safetensors"), *folder.glob("pytorch_model.bin"))
    path.write_bytes(path.read_bytes()[:3000] if content is None else content)
    with pytest.raises(CheckpointError, match="damaged, cut short, incomplete or a pointer of Git LFS") as caught:
        load(folder)
    assert f"found: {path.name}" in str(caught.value)


@pytest.mark.parametrize("load_part", [load_config, load_tokenizer, lambda source: load_model(source, labels=2)])
def test_code_beside_a_model_is_never_run_and_never_offered(
    folder: Path, load_part: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_words: pytest.fail("the user was asked whether to run code"))
    set_keys(folder, model_type="own", auto_map={"AutoConfig": "own.OwnConfig"})
    words = {"tokenizer_class": "OwnTokenizer", "auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(words), encoding="utf-8")
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"trust_remote_code.*dse never runs such code"):
        load_part(str(folder))
    assert not (folder / "ran").exists()


def test_the_loss_of_a_trained_head_does_not_bind_a_new_one(folder: Path) -> None:
    set_keys(folder, problem_type="single_label_classification")
    model: Any = load_model(str(folder), labels=1)
    assert model.classifier.weight.shape == (1, 32)


def test_a_configuration_that_its_family_refuses_is_an_error_for_the_reader(folder: Path) -> None:
    set_keys(folder, num_hidden_layers="two")
    with pytest.raises(CheckpointError, match="num_hidden_layers"):
        load_config(str(folder))


@pytest.mark.parametrize(("dtype", "prefix"), [(torch.float32, ""), (torch.bfloat16, "_orig_mod.")])
def test_matrices_are_found_by_name_and_value_in_shards_and_under_the_names_of_wrappers(
    folder: Path, dtype: torch.dtype, prefix: str
) -> None:
    if prefix:
        pack(folder, prefix=prefix)
        path = folder / "model.safetensors"
        save_file({name: value.to(dtype) for name, value in load_file(path).items()}, path, {"format": "pt"})
    decomposed = Decomposed(load_model(str(folder)))
    names, matrices = decomposed.matrix_names(), decomposed.weights()
    places = find_tensors(names, matrices, folder.glob("*.safetensors"))
    assert {key: name.removeprefix(prefix) for key, (_, name) in places.items()} == names
    assert all(torch.equal(read_tensor(*places[key]), matrix) for key, matrix in matrices.items())


def test_a_matrix_with_another_value_is_in_no_file(folder: Path) -> None:
    decomposed = Decomposed(load_model(str(folder)))
    changed = {key: matrix + (key == (1, 3)) for key, matrix in decomposed.weights().items()}
    assert find_tensors(decomposed.matrix_names(), changed, folder.glob("*.safetensors")) == {}
