"""LoRA adapters in the format of PEFT: merged into the base, W + scale B A, as PEFT merges them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import CheckpointError
from dse.files import is_file
from dse.models.checkpoints import empty_model, load_base, load_model
from dse.models.weight_files import read_table, read_tensors
from dse.space.workload import BaseSpec

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
WHOLE = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Files of a whole model."""
HARMLESS = (None, True, False, "gaussian", "eva", "orthogonal")
"""Values of ``init_lora_weights`` that left the base's weights as they were when the adapter was trained."""
OTHER_FORMULAS = (
    *("layer_replication", "alora_invocation_tokens", "trainable_token_indices", "target_parameters"),
    *("arrow_config", "kasa_config", "monteclora_config"),
)
"""Settings, beside those that begin with ``use_``, under which a merged weight is not W + scale B A."""
TRANSPOSED = ("Embedding", "Conv1D")
"""Classes of modules that hold their weight as (inputs, outputs)."""
MERGE = "save a whole model with PEFT's merge_and_unload, if the adapter can be merged, and name its folder"

_CLUTTER = re.compile(
    r"^(?:(?:_orig_mod|module|base_model\.model)\.)+|\.(?:base_layer|modules_to_save|default)(?=\.|$)"
)
"""Parts of a tensor's name that wrappers of a model add to the model's own name."""
_FACTOR = re.compile(r"(.+)\.lora_(?:embedding_)?([AB])(?:\.(weight|bias))?")
"""Module, side and part of a tensor of LoRA."""


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
    path = Path(source) / CONFIG
    if not is_file(path):
        return None
    config = read_table(path)
    _check_kind(config, path)
    files = [name for name in (*WEIGHTS, *WHOLE) if is_file(path.with_name(name))]
    if len(files) != 1 or files[0] not in WEIGHTS:
        raise CheckpointError(
            "a folder with an adapter must hold the adapter's weights and no other weights",
            where=source,
            expected=" or ".join(WEIGHTS),
            found=", ".join(files) or "no weights",
        )
    tensors: dict[str, Tensor] = {}
    factors: dict[str, dict[str, Tensor]] = {}
    for key, value in read_tensors(path.with_name(files[0])).items():
        name = _CLUTTER.sub("", key)
        match = _FACTOR.fullmatch(name)
        if match:
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
        CheckpointError: the checkpoint lacks weights, or an adapter does not fit the base.
        SourceError: no model has this name.
    """
    adapter = read_adapter(source)
    if adapter is None:
        return load_model(source, allow_new_head=False)
    model, drawn = load_base(base, labels=count_outputs(adapter, base))
    _merge(adapter, model)
    lacks = sorted(drawn - set(adapter.tensors))
    if lacks:
        raise CheckpointError(
            "neither the adapter nor the base holds some weights of the head",
            where=source,
            expected=", ".join(lacks),
            found=f"modules_to_save = {adapter.config.get('modules_to_save')}",
            fix="use the base that the adapter was trained with, or save these modules with the adapter",
        )
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
        raise CheckpointError(
            "the adapter has no classifier for this base",
            where=adapter.source,
            expected=f"{last[0]}, which modules_to_save adds to an adapter",
            found=", ".join(sorted(adapter.tensors)[:4]) or "factors of LoRA alone",
            fix="train it as a classifier: task_type SEQ_CLS of PEFT saves the classifier",
        )
    return counts[0]


def compare_bases(adapter: Adapter, base: BaseSpec) -> tuple[str, ...]:
    """Return a sentence if the adapter names another base than the study's; folders count by their last part."""
    named = str(adapter.config.get("base_model_name_or_path") or "")
    own = (base.name, base.source)
    if not named or Path(named).name.casefold() in [Path(name).name.casefold() for name in own if name]:
        return ()
    return (f"the adapter was trained on {named}, and the study's base is {base.name}: check that their weights agree",)


def _check_kind(config: Mapping[str, Any], path: Path) -> None:
    """Refuse an adapter whose merged weights are not W + scale B A."""
    kind = config.get("peft_type")
    if kind != "LORA":
        raise CheckpointError(
            f"the adapter is of the kind {kind}, which dse does not read", where=path, expected="LORA", fix=MERGE
        )
    odd = [key for key, value in config.items() if value and (key.startswith("use_") or key in OTHER_FORMULAS)]
    odd = [key for key in odd if key != "use_rslora"]
    if config.get("init_lora_weights") not in HARMLESS:
        odd.append(f"init_lora_weights = {config['init_lora_weights']}")
    if odd:
        raise CheckpointError(
            f"the adapter is no plain LoRA, and dse does not merge it: {', '.join(odd)}", where=path, fix=MERGE
        )


def _merge(adapter: Adapter, model: PreTrainedModel) -> None:
    """Write an adapter's tensors into the base, and add the products of its factors to the base's weights."""
    state, modules = model.state_dict(), dict(model.named_modules())
    for name, value in adapter.tensors.items():
        _pick(state, name, value, adapter).copy_(value)
    for module, parts in adapter.factors.items():
        if not {"A", "B"} <= set(parts) or parts["A"].ndim != 2:
            raise CheckpointError(
                "the adapter lacks one of the two factors of a matrix",
                where=f"{adapter.source}, {module}",
                expected="lora_A and lora_B, each with two dimensions",
                found=", ".join(f"{side} {list(value.shape)}" for side, value in sorted(parts.items())),
            )
        scale = _scale(adapter, module, len(parts["A"]))
        product = (parts["B"].float() @ parts["A"].float()) * scale
        if type(modules.get(module)).__name__ in TRANSPOSED:
            product = product.T
        _pick(state, f"{module}.weight", product, adapter).add_(product)
        if "bias" in parts:
            _pick(state, f"{module}.bias", parts["bias"], adapter).add_(parts["bias"].float() * scale)


def _pick(state: Mapping[str, Tensor], name: str, value: Tensor, adapter: Adapter) -> Tensor:
    """Return the model's tensor that a value of the same shape belongs to."""
    target = state.get(name)
    if target is None or target.shape != value.shape:
        raise CheckpointError(
            "the adapter does not fit the base",
            where=f"{adapter.source}, {name}",
            expected="a weight of the base" if target is None else f"the shape {list(target.shape)} of the base",
            found="none of that name" if target is None else list(value.shape),
            fix="use the base that the adapter was trained with",
        )
    return target


def _scale(adapter: Adapter, module: str, rank: int) -> float:
    """Return the factor of a module's product: lora_alpha / r, or lora_alpha / sqrt(r) with rank-stabilised LoRA."""
    config = adapter.config
    try:
        expected, alpha = (
            next((value for key, value in (config.get(f"{short}_pattern") or {}).items() if _fits(key, module)), usual)
            for short, usual in (("rank", config["r"]), ("alpha", config["lora_alpha"]))
        )
        if expected != rank:
            raise CheckpointError(
                "the adapter's ranks disagree", where=f"{adapter.source}, {module}", expected=expected, found=rank
            )
        return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise CheckpointError(
            f"{CONFIG} does not give r and lora_alpha of a module", where=f"{adapter.source}, {module}", found=error
        ) from error


def _fits(pattern: str, module: str) -> bool:
    """Return whether a key of rank_pattern or alpha_pattern means a module: it matches the end of the module's name."""
    return re.match(rf"(.*\.)?({pattern})$", module) is not None
