"""Loading base models and checkpoints from the hub, local folders and pinned archives: only files that hold tensors.

Tasks that `dse` has fine-tuned itself are read in ``dse/models/training/finetune.py``.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from dse.errors import CheckpointError, SourceError
from dse.files import digest, file_digest, hash_parts, is_file
from dse.models.encoder import Decomposed
from dse.models.hub import find_folder, quiet
from dse.models.sources import unpack
from dse.models.weight_files import check_folder, find_damage, read_table
from dse.records.callbacks import ProgressCallback
from dse.space.workload import BaseSpec

_OPTIONS: dict[str, Any] = {"trust_remote_code": False}
"""Options of everything that is loaded: without this one transformers asks the user whether to run a model's own code."""
_PREFIXES = {r"^(?:(?:_orig_mod|module)\.)+": ""}
"""Beginnings of names that torch.compile and data parallelism add to a model's own names."""


def locate(base: BaseSpec, cache: Path, progress: ProgressCallback | None = None) -> str:
    """Return the local folder of a base model.

    Raises:
        SourceError: a pinned archive or a model of the hub cannot be fetched, or its weights have another checksum.
    """
    if base.archive is None:
        return find_folder(base.source, base.revision)
    folder = unpack(base.archive, cache, progress)
    weights = folder / "model.safetensors"
    actual = file_digest(weights) if base.weights_sha256 else ""
    if actual != base.weights_sha256:
        fix = f"delete {folder} to fetch them again"
        sums = {"expected": f"sha256 {base.weights_sha256}", "found": f"sha256 {actual}"}
        raise SourceError(f"the weights of {base.name!r} are not the pinned weights", where=weights, fix=fix, **sums)
    return str(folder)


def load_model(
    source: str, *, labels: int | None = None, allow_new_head: bool = True, seed: int = 0
) -> PreTrainedModel:
    """Load an encoder with a classification head in float32.

    Args:
        source: hub name or folder.
        labels: number of the head's outputs; None keeps the checkpoint's number.
        allow_new_head: whether head weights may be missing or have another shape; they are drawn at random, to be trained later.
        seed: seed of the drawn weights.

    Raises:
        CheckpointError: weights are missing, misshapen or not finite.
        SourceError: no model has this name.
    """
    return load_base(source, labels, allow_new_head=allow_new_head, seed=seed)[0]


def load_base(
    source: str, labels: int | None, *, allow_new_head: bool = True, seed: int = 0
) -> tuple[PreTrainedModel, set[str]]:
    """Load an encoder with a head, and name the weights of the head that were drawn at random; see `load_model`."""
    torch.manual_seed(seed)
    with _reading(source):
        model, info = AutoModelForSequenceClassification.from_pretrained(
            source,
            config=_configure(source, labels),
            output_loading_info=True,
            weights_only=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            key_mapping=_PREFIXES,
            **_OPTIONS,
        )
    head = Decomposed(model, trace=False).head_names() if allow_new_head else set()
    shapes = {name: (list(stored), list(own)) for name, stored, own in info["mismatched_keys"]}
    for name in sorted(set(shapes) - head):
        stored, own = shapes[name]
        reason = "the shape of a weight of the checkpoint differs from that in its config.json"
        raise CheckpointError(reason, where=f"{source}, {name}", expected=own, found=stored)
    absent = set(info["missing_keys"]) & dict(model.named_parameters()).keys()
    if missing := sorted(absent - head):
        more = f"{len(missing)} more, {missing[0]} among them"
        raise CheckpointError("the checkpoint lacks weights of this head or family", where=source, expected=more)
    check_finite(model, source)
    return model, absent | set(shapes)


def check_finite(model: PreTrainedModel, source: str) -> None:
    """Refuse a model with weights that are not finite.

    Raises:
        CheckpointError: a weight is NaN, infinite, or too large for float32.
    """
    for name, value in model.named_parameters():
        # a sum is finite only if each value is, and takes a tenth of the time
        if not torch.isfinite(value.sum()) and not torch.isfinite(value).all():
            raise CheckpointError("the checkpoint has weights that are not finite", where=f"{source}, {name}")


def _configure(source: str, labels: int | None) -> Any:
    """Load a configuration for this many outputs; the loss of a model's own head does not bind a new one.

    A model returns its outputs by name, even if its configuration asks for a tuple.
    """
    config = AutoConfig.from_pretrained(source, **_OPTIONS)
    config.return_dict = True
    if labels is not None:
        config.problem_type, config.num_labels = None, labels
    return config


@contextmanager
def _reading(source: str, *, folder: bool = True) -> Iterator[None]:
    """Check a model's folder, silence transformers, and turn whatever transformers raises into an error for the reader."""
    if folder:
        check_folder(source)
    with quiet():
        try:
            yield
        except Exception as error:  # a configuration may raise anything in the code of its family
            raise _loading_error(error, source) from error


def _loading_error(error: Exception, source: str) -> SourceError | CheckpointError:
    """Build the error for a model that does not exist, or does not fit."""
    damage = find_damage(Path(source))
    reason = damage or _name_entry(error, Path(source)) or (str(error).splitlines() or [type(error).__name__])[0]
    fix = "fetch or save the model's files again"
    if "allocate" in str(error):
        reason = "config.json describes a model that does not fit into memory"
    elif "trust_remote_code" in str(error):
        reason = "it needs Python code that lies beside its weights (trust_remote_code), and dse never runs such code"
    elif not damage and (isinstance(error, OSError) or not is_file(f"{source}/config.json")):
        fix = "name a local folder with config.json and model.safetensors, or a hub model when the hub is reachable"
        return SourceError("the model cannot be loaded", where=source, found=reason, fix=fix)
    return CheckpointError("the checkpoint cannot be loaded", where=source, found=reason, fix=fix)


def _name_entry(error: Exception, folder: Path) -> str:
    """Return the entry of a model's ``config.json`` that an error of transformers is about; empty if it names none."""
    with suppress(CheckpointError):
        for key, value in read_table(folder / "config.json").items():
            if f"field '{key}'" in str(error) or (isinstance(error, KeyError) and error.args == (value,)):
                return f"config.json has {key} = {json.dumps(value)}, which no model of its family can have"
    return ""


def load_config(source: str, *, weights: bool = True) -> Any:
    """Load a model's configuration; without ``weights``, from a folder that may hold nothing else."""
    with _reading(source, folder=weights):
        return _configure(source, None)


def empty_model(source: str, labels: int) -> PreTrainedModel:
    """Build a model's modules without weights, to count its parameters."""
    with _reading(source), torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(_configure(source, labels))  # type: ignore[no-any-return]  # untyped factory


def model_from(config: Mapping[str, Any]) -> PreTrainedModel:
    """Build a model with a classification head and random weights from its whole configuration."""
    with quiet():
        made = AutoConfig.for_model(**config)
        return AutoModelForSequenceClassification.from_config(made)  # type: ignore[no-any-return]  # untyped factory


def load_tokenizer(source: str) -> Any:
    """Load the tokenizer that belongs to a model."""
    with _reading(source, folder=False):
        return AutoTokenizer.from_pretrained(source, **_OPTIONS)


def model_digest(model: PreTrainedModel) -> str:
    """Return the content hash of a model's parameters."""
    return tensors_digest(model.state_dict())


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the content hash of named tensors."""
    named = sorted(tensors.items())
    parts = (part for name, value in named for part in (name.encode(), value.detach().contiguous().cpu().numpy().data))
    return digest(hash_parts(parts).hex())
