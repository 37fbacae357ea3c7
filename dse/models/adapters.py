"""LoRA adapters in the format of PEFT: merged into the base, W + scale B A, as PEFT merges them."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from dse.errors import CheckpointError
from dse.files import is_file
from dse.models.checkpoints import check_finite, empty_model, load_base, load_model
from dse.models.patterns import find_each
from dse.models.weight_files import read_table, read_tensors
from dse.space.workload import BaseSpec

CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
# These values of init_lora_weights left the base's weights as they were when the adapter was trained.
HARMLESS = (None, True, False, "gaussian", "eva", "orthogonal")
# Under these settings, and under those that begin with use_, a merged weight is not W + scale B A.
OTHER_FORMULAS = re.compile(
    "use_(?!rslora).*|layer_replication|alora_.*|trainable_token.*|target_parameters|(arrow|kasa|monteclora)_config"
)
TRANSPOSED = ("Embedding", "Conv1D")  # modules of these classes hold their weight as (inputs, outputs)
_CLUTTER = re.compile(
    r"^(?:(?:_orig_mod|module|base_model\.model)\.)+|\.(?:base_layer|modules_to_save|default)(?=\.|$)"
)
_FACTOR = re.compile(r"(.+)\.lora_(?:embedding_)?([AB])(?:\.(weight|bias))?")


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter.

    Attributes:
        source: folder of the adapter.
        config: content of ``adapter_config.json``.
        tensors: whole tensors that replace the base's, by parameter.
        factors: factors by module, then by ``A``, ``B``, or ``bias`` of B. A has the shape (rank, inputs), B (outputs, rank).
    """

    source: str
    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    factors: Mapping[str, Mapping[str, Tensor]]


def read_adapter(source: str) -> Adapter | None:
    """Read the adapter of a folder; None if the folder holds none.

    Raises:
        CheckpointError: the adapter is damaged, or of a kind that cannot be merged exactly.
    """
    files = [path for name in WEIGHTS if is_file(path := Path(source) / name)]
    if not files:
        return None
    _check_kind(config := read_table(Path(source) / CONFIG), source)
    tensors: dict[str, Tensor] = {}
    factors: dict[str, dict[str, Tensor]] = {}
    for key, value in read_tensors(files[0]).items():
        name = _CLUTTER.sub("", key)  # wrappers of a model add to the model's own names
        if match := _FACTOR.fullmatch(name):
            factors.setdefault(match[1], {})["bias" if match[3] == "bias" else match[2]] = value
        elif ".original_module." not in name:
            tensors[name] = value
    return Adapter(source, config, tensors, factors)


def load_checkpoint(source: str, base: str) -> PreTrainedModel:
    """Load a ready checkpoint in float32: a whole model, or an adapter of the base, merged into it.

    Args:
        source: folder or hub name of the checkpoint.
        base: folder or hub name of the base.

    Raises:
        CheckpointError: the checkpoint lacks weights, or has weights that are not finite; an adapter does not fit the base.
        SourceError: no model has this name.
    """
    adapter = read_adapter(source)
    if adapter is None:
        return load_model(source, allow_new_head=False)
    model, drawn = load_base(base, labels=count_outputs(adapter, base))
    _merge(adapter, model)
    check_finite(model, source)
    if lacks := sorted(drawn - set(adapter.tensors)):
        fix = "use the base that the adapter was trained with, or save these weights with the adapter (modules_to_save)"
        raise CheckpointError(f"neither the adapter nor the base holds {', '.join(lacks)}", where=source, fix=fix)
    return model


def count_outputs(adapter: Adapter, base: str) -> int:
    """Return the number of outputs of an adapter's classifier.

    Raises:
        CheckpointError: the adapter has no classifier.
    """
    two, three = (dict(empty_model(base, count).named_parameters()) for count in (2, 3))
    last = [name for name in two if two[name].shape != three[name].shape]
    counts = [len(adapter.tensors[name]) for name in last if name in adapter.tensors]
    if not counts:
        fix = f"save {last[0]} with it: PEFT does so with task_type SEQ_CLS, or with modules_to_save"
        raise CheckpointError("the adapter has no classifier for this base", where=adapter.source, fix=fix)
    return counts[0]


def compare_bases(source: str, base: BaseSpec) -> tuple[str, ...]:
    """Return a sentence if a folder's adapter names a base that is not the study's; folders count by their last part."""
    adapter = read_adapter(source)
    named = str(adapter.config.get("base_model_name_or_path") or "") if adapter else ""
    if Path(named).name.casefold() in ("", *(Path(name).name.casefold() for name in (base.name, base.source))):
        return ()
    return (f"the adapter was trained on {named}, and the study's base is {base.name}: check that their weights agree",)


def _check_kind(config: Mapping[str, Any], source: str) -> None:
    """Refuse an adapter whose merged weights are not W + scale B A."""
    odd = [key for key, value in config.items() if value and OTHER_FORMULAS.fullmatch(key)]
    allowed = {"peft_type": ("LORA",), "init_lora_weights": HARMLESS}
    odd += [f"{key} = {config.get(key)}" for key, values in allowed.items() if config.get(key) not in values]
    if odd:
        fix = "save a whole model with PEFT's merge_and_unload, if the adapter can be merged, and name its folder"
        raise CheckpointError(f"the adapter is not a plain LoRA: it has {', '.join(odd)}", where=source, fix=fix)


def _merge(adapter: Adapter, model: PreTrainedModel) -> None:
    """Write an adapter's tensors into the base, and add the products of its factors to the base's weights."""
    state, modules = model.state_dict(), dict(model.named_modules())
    for name, value in adapter.tensors.items():
        _pick(state, name, value, adapter).copy_(value)
    for module, parts in adapter.factors.items():
        rank, scale = _scale(adapter, module)
        first, second = (parts.get(side, torch.empty(0)).float() for side in "AB")
        if (*first.shape[:1], *second.shape[1:]) != (rank, rank):
            reason = f"{module} lacks lora_A or lora_B, or they have not the rank {rank}"
            raise CheckpointError(reason, where=adapter.source, found=[list(first.shape), list(second.shape)])
        product = (second @ first) * scale
        product = product.T if type(modules.get(module)).__name__ in TRANSPOSED else product
        _pick(state, f"{module}.weight", product, adapter).add_(product)
        if "bias" in parts:
            _pick(state, f"{module}.bias", parts["bias"], adapter).add_(parts["bias"].float() * scale)


def _pick(state: Mapping[str, Tensor], name: str, value: Tensor, adapter: Adapter) -> Tensor:
    """Return the model's tensor that a value of the same shape belongs to."""
    target = state.get(name)
    if target is None or target.shape != value.shape:
        own = "no such weight" if target is None else list(target.shape)
        where = f"{adapter.source}, {name}"
        raise CheckpointError("the adapter belongs to another base", where=where, expected=own, found=list(value.shape))
    return target


def _scale(adapter: Adapter, module: str) -> tuple[int, float]:
    """Return a module's rank r and the factor of its product: alpha / r, or alpha / sqrt(r) with rank-stabilised LoRA."""
    config = adapter.config

    def look_up(table: str, usual: str) -> Any:
        named: dict[str, Any] = config.get(table) or {}
        return next((named[key] for key in named if find_each(rf"(.*\.)?({key})$", [module])[0]), config[usual])

    try:
        rank, alpha = int(look_up("rank_pattern", "r")), float(look_up("alpha_pattern", "lora_alpha"))
        return rank, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        where = f"{adapter.source}, {module}"
        raise CheckpointError(
            f"{CONFIG} does not give r and lora_alpha of a matrix", where=where, found=error
        ) from error
