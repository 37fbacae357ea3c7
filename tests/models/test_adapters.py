"""LoRA adapters in PEFT's format: the merge against one in numpy, and every adapter that cannot be merged exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dse.errors import CheckpointError
from dse.models import loaded_workload as service
from dse.models.adapters import compare_bases, load_checkpoint, read_adapter
from dse.models.checkpoints import load_model
from dse.models.outputs import read_outputs
from dse.space.workload import BaseSpec, parse

Tensors = dict[str, torch.Tensor]
QUERY = "bert.encoder.layer.0.attention.self.query"
VALUE = "bert.encoder.layer.1.attention.self.value"
WORDS = "bert.embeddings.word_embeddings"


def factors(module: str, rank: int, rows: int = 32, columns: int = 32) -> Tensors:
    chance = torch.Generator().manual_seed(rank)
    first, second = torch.randn(rank, columns, generator=chance), torch.randn(rows, rank, generator=chance)
    return {f"{module}.lora_A.weight": first, f"{module}.lora_B.weight": second}


def classifier(outputs: int = 2) -> Tensors:
    chance = torch.Generator().manual_seed(9)
    weight = torch.randn(outputs, 32, generator=chance)
    return {"classifier.weight": weight, "classifier.bias": torch.arange(float(outputs))}


def write(
    folder: Path, tensors: Mapping[str, torch.Tensor] | None = None, *, binary: bool = False, **config: Any
) -> str:
    """Write an adapter as PEFT saves one."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = factors(QUERY, 4) | classifier() if tensors is None else tensors
    prefixed = {f"base_model.model.{name}": value.contiguous() for name, value in tensors.items()}
    if binary:
        torch.save(prefixed, folder / "adapter_model.bin")
    else:
        save_file(prefixed, folder / "adapter_model.safetensors")
    usual = {"peft_type": "LORA", "task_type": "SEQ_CLS", "r": 4, "lora_alpha": 8, "init_lora_weights": True}
    modules = {"modules_to_save": ["classifier"], "base_model_name_or_path": "base"}
    (folder / "adapter_config.json").write_text(json.dumps(usual | modules | config), encoding="utf-8")
    return str(folder)


def merge(weight: torch.Tensor, tensors: Tensors, module: str, scale: float) -> Any:
    """Merge in numpy, with sums in double precision."""
    first, second = (tensors[f"{module}.lora_{side}.weight"].numpy().astype(float) for side in "AB")
    return weight.detach().numpy().astype(float) + scale * np.einsum("or,ri->oi", second, first)


def weights(model: Any) -> Tensors:
    return {name: value.detach() for name, value in model.named_parameters()}


@pytest.mark.parametrize("binary", [False, True])
def test_products_are_added_and_saved_modules_replace_the_bases(base: Path, tmp_path: Path, binary: bool) -> None:
    tensors = factors(QUERY, 4) | classifier(3) | {"bert.pooler.dense.bias": torch.ones(32)}
    merged = weights(load_checkpoint(write(tmp_path / "a", tensors, binary=binary), str(base)))
    plain = weights(load_model(str(base), labels=3))
    expected = merge(plain[f"{QUERY}.weight"], tensors, QUERY, 8 / 4)
    np.testing.assert_allclose(merged[f"{QUERY}.weight"].numpy(), expected, rtol=0, atol=2e-6)
    assert torch.equal(merged["classifier.weight"], tensors["classifier.weight"])
    assert torch.equal(merged["bert.pooler.dense.bias"], torch.ones(32))
    changed = {f"{QUERY}.weight", "classifier.weight", "classifier.bias", "bert.pooler.dense.bias"}
    assert all(torch.equal(value, plain[name]) for name, value in merged.items() if name not in changed)


def test_each_module_has_the_rank_and_alpha_that_its_pattern_gives(base: Path, tmp_path: Path) -> None:
    tensors = factors(QUERY, 2) | factors(VALUE, 4) | classifier()
    patterns: dict[str, Any] = {"rank_pattern": {"layer.0.attention.self.query": 2}, "alpha_pattern": {"val.e": 3}}
    source = write(tmp_path / "a", tensors, use_rslora=True, **patterns)
    merged, plain = weights(load_checkpoint(source, str(base))), weights(load_model(str(base), labels=2))
    for module, scale in ((QUERY, 8 / math.sqrt(2)), (VALUE, 3 / math.sqrt(4))):
        expected = merge(plain[f"{module}.weight"], tensors, module, scale)
        np.testing.assert_allclose(merged[f"{module}.weight"].numpy(), expected, rtol=0, atol=5e-6)


def test_biases_of_every_form_and_embeddings_are_merged(base: Path, tmp_path: Path) -> None:
    model: Any = load_model(str(base), labels=1)
    words = model.get_input_embeddings().weight.shape[0]
    table = factors(WORDS, 4, 32, words)
    tensors = factors(QUERY, 4) | classifier() | {f"{QUERY}.base_layer.bias": torch.ones(32)}
    tensors |= {f"{QUERY}.lora_B.bias": torch.full((32,), 0.5)}
    tensors |= {f"{WORDS}.lora_embedding_{side}": table[f"{WORDS}.lora_{side}.weight"] for side in "AB"}
    source = write(tmp_path / "a", tensors, bias="all", fan_in_fan_out=True)
    merged, plain = weights(load_checkpoint(source, str(base))), weights(load_model(str(base), labels=2))
    assert torch.equal(merged[f"{QUERY}.bias"], torch.full((32,), 1 + 0.5 * 2))
    expected = merge(plain[f"{WORDS}.weight"].T, table, WORDS, 2.0).T
    np.testing.assert_allclose(merged[f"{WORDS}.weight"].numpy(), expected, rtol=0, atol=5e-6)


def test_names_that_wrappers_add_and_originals_do_not_count(base: Path, tmp_path: Path) -> None:
    usual = weights(load_checkpoint(write(tmp_path / "a"), str(base)))
    tensors = {
        f"_orig_mod.{name.replace('.weight', '.default.weight')}": value for name, value in factors(QUERY, 4).items()
    }
    tensors |= {f"classifier.modules_to_save.default.{name[11:]}": value for name, value in classifier().items()}
    tensors |= {"classifier.original_module.weight": torch.zeros(7, 32)}
    other = weights(load_checkpoint(write(tmp_path / "b", tensors), str(base)))
    assert all(torch.equal(value, other[name]) for name, value in usual.items())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"peft_type": "IA3"}, "it has peft_type = IA3"),
        ({"peft_type": "PROMPT_TUNING"}, "it has peft_type = PROMPT_TUNING"),
        ({"use_dora": True}, "the adapter is not a plain LoRA: it has use_dora"),
        ({"init_lora_weights": "pissa_niter_4"}, "init_lora_weights = pissa_niter_4"),
        ({"layer_replication": [[0, 2]]}, "layer_replication"),
    ],
)
def test_an_adapter_that_is_no_plain_lora_is_refused_by_name(
    tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    source = write(tmp_path / "a", **config)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_adapter(source)
    assert "merge_and_unload" in str(caught.value)


@pytest.mark.parametrize(
    ("tensors", "config", "message"),
    [
        (factors(QUERY, 4), {}, "the adapter has no classifier"),
        (factors(QUERY, 2) | classifier(), {}, "have not the rank 4"),
        (factors(QUERY, 4) | classifier(), {"r": None}, "does not give r and lora_alpha"),
        (factors(QUERY, 4) | classifier(), {"rank_pattern": {"(": 4}}, "does not give r and lora_alpha"),
        (factors("bert.query", 4) | classifier(), {}, "the adapter belongs to another base"),
        (factors(QUERY, 4, rows=31) | classifier(), {}, "the adapter belongs to another base"),
        ({f"{QUERY}.lora_A.weight": torch.ones(4, 32)} | classifier(), {}, "lacks lora_A or lora_B"),
        (factors(QUERY, 4) | classifier() | {"classifier.bias": torch.full((2,), torch.nan)}, {}, "not finite"),
        (factors(QUERY, 4) | classifier(), {"lora_alpha": float("inf")}, "not finite"),
    ],
)
def test_an_adapter_that_does_not_fit_says_where(
    base: Path, tmp_path: Path, tensors: Tensors, config: dict[str, Any], message: str
) -> None:
    source = write(tmp_path / "a", tensors, **config)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(source, str(base))
    assert f"where: {source}" in str(caught.value)


def test_a_head_that_neither_adapter_nor_base_holds_is_refused(base: Path, tmp_path: Path) -> None:
    model: Any = load_model(str(base), labels=2)
    state = {name: value for name, value in model.state_dict().items() if "pooler" not in name}
    model.save_pretrained(tmp_path / "base", state_dict=state)
    source = write(tmp_path / "a")
    with pytest.raises(CheckpointError, match="neither the adapter nor the base") as caught:
        load_checkpoint(source, str(tmp_path / "base"))
    assert "holds bert.pooler.dense.bias, bert.pooler.dense.weight" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("adapter_config.json", b"{", "does not hold a table"),
        ("adapter_config.json", b"[]", "does not hold a table"),
        ("adapter_model.safetensors", b"version https://git-lfs", "not a file of tensors, or damaged"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    source = write(tmp_path / "a")
    (tmp_path / "a" / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_adapter(source)
    assert f"where: {tmp_path / 'a' / name}" in str(caught.value)


def test_a_pickle_of_more_than_tensors_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    source = write(tmp_path / "a", binary=True)
    for content in (Evil(), [torch.ones(2)]):
        torch.save(content, tmp_path / "a" / "adapter_model.bin")
        with pytest.raises(CheckpointError, match="not a file of tensors"):
            read_adapter(source)
    assert not (tmp_path / "ran").exists()


def test_names_of_outputs_come_from_the_adapters_own_config(base: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "a")
    assert (read_outputs(source, str(base)).count, read_outputs(source, str(base)).names) == (2, {})
    config = load_model(str(base), labels=2).config
    config.id2label, config.label2id = {0: "no", 1: "yes"}, {"no": 0, "yes": 1}
    config.save_pretrained(tmp_path / "a")
    assert read_outputs(source, str(base)).names == {0: "no", 1: "yes"}


def test_an_adapter_of_another_base_is_said(base: Path, tmp_path: Path) -> None:
    adapter = write(tmp_path / "a", base_model_name_or_path="google/bert")
    (note,) = compare_bases(adapter, BaseSpec(name="mine", source=str(base)))
    assert "trained on google/bert, and the study's base is mine" in note
    assert compare_bases(adapter, BaseSpec(name="mine", source="/models/BERT")) == ()


def test_an_adapter_is_a_task(base: Path, tmp_path: Path, raw: dict[str, Any], load: Callable[..., Any]) -> None:
    source = write(tmp_path / "a", base_model_name_or_path="other")
    spec = parse({"base": str(base), "tasks": [raw | {"name": "t", "checkpoint": source}]})
    loaded = service.LoadedWorkload(spec, cache=tmp_path / "cache", device="cpu")
    assert loaded.shape.digests["task.t"] != load().shape.digests["base"]
    merged = weights(load_checkpoint(source, str(base)))
    assert torch.equal(loaded.task_weights("t")[0, 0], merged[f"{QUERY}.weight"])
    assert any("trained on other" in note for note in loaded.tasks["t"].facts.notes)
