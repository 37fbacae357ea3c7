"""A design's terms in files, one file per owner; a task's weights are rebuilt from them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from dse.exports.check_terms import check_terms
from dse.exports.files import BASE_FILE, Files
from dse.exports.manifest import refuse_damage
from dse.exports.tensors import Tensors, gather, read_tensors, spread
from dse.models.encoder import Decomposed
from dse.records.exits import ExitHead
from dse.records.footprint import Reprogrammed
from dse.records.model import Model
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.stored import Image, Key, Stored
from dse.records.workload import Encoder, Matrix
from dse.score.cut import Cut, cut_empty
from dse.score.stored_terms import Assembly
from dse.score.task_weights import Source, last_owner, layers_of

STATE = "state"
"""Prefix of a model's tensors that are not matrices: embeddings, its own biases, norms and head."""


def used_by_any(plan: Plan) -> dict[int, list[int]]:
    """Return the layers of each owner that any task takes from it."""
    used: dict[int, set[int]] = {}
    for task in range(plan.owner.shape[1]):
        for owner, layers in layers_of(plan, task).items():
            used.setdefault(owner, set()).update(layers)
    return {owner: sorted(layers) for owner, layers in used.items()}


def own_names(model: PreTrainedModel, source: Source, task: int) -> set[str]:
    """Return the names of the tensors that a task takes from its own model: no matrix, and nothing that an owner replaces.

    Args:
        model: model of the task, with all layers.
        source: plan, and biases, norms and heads of the owners. Layers of the base use the base's biases and norms.
        task: index of the task.
    """
    decomposed = Decomposed(model, trace=False)
    names = set(model.state_dict())
    paths = {module: path for path, module in model.named_modules()}
    for module in decomposed.layers:
        names -= {f"{paths[module]}.{matrix.name}.weight" for matrix in source.encoder.matrices}
    for layer, owner in enumerate(source.plan.owner[0, task].tolist()):
        module = decomposed.layers[layer]
        replaced = module.state_dict() if owner in (BASE, DROPPED) else source.model(owner).vectors.get(layer, {})
        names -= {f"{paths[module]}.{name}" for name in replaced}
    last = last_owner(source.plan, task)
    return names if last is None else names - set(source.model(last).heads.get(task, {}))


def owner_parts(
    assembly: Assembly, base_vectors: Sequence[Mapping[str, Tensor]]
) -> Iterator[tuple[int, Tensors, dict[str, Any]]]:
    """Yield each owner with the content of its file: arrays by name, and other values. The base comes last.

    Args:
        assembly: plan and terms of one design.
        base_vectors: biases and norms of the base's layers.
    """
    used = used_by_any(assembly.plan)
    direct, beneath = used.pop(BASE, []), set()
    for owner, layers in used.items():
        stored = assembly.get_terms(owner, layers)
        beneath |= {layer for (layer, _), one in stored.items() if one.on_base}
        yield owner, *_spread_owner(assembly, owner, layers, stored, assembly.model(owner))
    layers = sorted({*direct, *beneath})
    if layers:
        model = assembly.model(BASE)
        model = replace(model, vectors={layer: model.vectors.get(layer, base_vectors[layer]) for layer in direct})
        yield BASE, *_spread_owner(assembly, BASE, direct, assembly.get_terms(BASE, layers), model)


def _spread_owner(
    assembly: Assembly, owner: int, layers: Iterable[int], stored: Mapping[Key, Stored], model: Model
) -> tuple[Tensors, dict[str, Any]]:
    tensors: Tensors = {}
    plain: dict[str, Any] = {"matrices": {}, "exits": {}}
    for key, held in stored.items():
        image = held.image
        if image is not None and assembly.reprogrammed is not None:  # only written codes are kept
            mask = _mask_written(assembly.encoder, assembly.plan, owner, key, image, assembly.reprogrammed)
            image = replace(image, codes=image.codes[mask])
        name = _name(assembly.encoder, key)
        plain["matrices"][name] = spread(replace(held, image=image), name, tensors)
        if key in model.shifts:
            tensors[f"shifts.{name}"] = model.shifts[key].numpy()
    for layer in layers:
        for name, value in model.vectors.get(layer, {}).items():
            tensors[f"vectors.{layer}.{name}"] = value.numpy()
    for task in range(assembly.plan.owner.shape[1]):
        if last_owner(assembly.plan, task) != owner:
            continue
        for name, value in model.heads.get(task, {}).items():
            tensors[f"heads.{task}.{name}"] = value.numpy()
        for layer, head in model.exits.get(task, {}).items():
            plain["exits"][f"{task}.{layer}"] = spread(head, f"exits.{task}.{layer}", tensors)
    return tensors, plain


def _mask_written(
    encoder: Encoder, plan: Plan, owner: int, key: Key, image: Image, reprogrammed: Reprogrammed
) -> Tensor:
    """Return whether an image writes each weight of a cut matrix, shape (outputs, inputs)."""
    cut = cut_empty(encoder, plan, owner, key)
    of_columns = cut.block_of(key, reprogrammed.columns, inputs=False)
    return image.blocks[of_columns][:, cut.block_of(key, reprogrammed.rows, inputs=True)]


def plan_parts(plan: Plan, reprogrammed: Reprogrammed | None) -> tuple[Tensors, dict[str, Any]]:
    """Return the parts that a plan is rebuilt from: masks, and other values."""
    masks = {"plan.heads": plan.heads, "plan.ffn": plan.ffn}
    sizes = reprogrammed and {"rows": int(reprogrammed.rows), "columns": int(reprogrammed.columns)}
    values = {"owner": plan.owner[0].tolist(), "groups": plan.groups, "reprogrammed": sizes}
    return {name: np.asarray(mask[0]) for name, mask in masks.items() if mask is not None}, values


class FiledDesign:
    """An exported design's terms; a `dse.score.task_weights.Source`.

    Args:
        files: files of the export.

    Attributes:
        encoder: shapes and roles.
        plan: owner of the weights that each task uses.
        reprogrammed: size of the base's blocks that are written.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        manifest = files.manifest
        raw = manifest["workload"]["encoder"]
        self.encoder = Encoder(**{**raw, "matrices": tuple(Matrix(**matrix) for matrix in raw["matrices"])})
        self._owner_files: list[str] = manifest["owners"]
        self._kept: dict[int, tuple[Tensors, dict[str, Any]]] = {}
        plan, masks = manifest["plan"], self._read(BASE)[0]
        shape = (1, len(manifest["tasks"]), self.encoder.layers)
        with refuse_damage(files.folder / BASE_FILE):
            heads, ffn = (
                masks[f"plan.{name}"].reshape(*shape, raw[name]) if f"plan.{name}" in masks else None
                for name in ("heads", "ffn")
            )
        self.plan = Plan(np.array(plan["owner"])[None], plan["groups"], heads, ffn)
        sizes = plan["reprogrammed"]
        self.reprogrammed = sizes and Reprogrammed(**sizes, blocks=np.zeros((1, 0, 0), dtype=bool))

    def state(self, task: int) -> dict[str, Tensor]:
        """Return embeddings, biases, norms and head of a task's own model, by name."""
        both = (self._read(owner)[0] for owner in (BASE, 1 + self.plan.groups + task))
        prefix = f"{STATE}."
        return {
            name.removeprefix(prefix): torch.from_numpy(value)
            for tensors in both
            for name, value in tensors.items()
            if name.startswith(prefix)
        }

    def model(self, owner: int) -> Model:
        """Return biases, norms, shifts, heads and exits of an owner."""
        tensors, plain = self._read(owner)
        named: dict[str, dict[int, dict[str, Tensor]]] = {"vectors": {}, "heads": {}}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            number, _, inside = rest.partition(".")
            if kind in named:
                named[kind].setdefault(int(number), {})[inside] = torch.from_numpy(value)
        exits: dict[int, dict[int, ExitHead]] = {}
        for name, values in plain["exits"].items():
            task, layer = map(int, name.split("."))
            exits.setdefault(task, {})[layer] = gather(ExitHead, f"exits.{name}", values, tensors)
        shifts = {
            key: torch.from_numpy(tensors[f"shifts.{name}"])
            for key, name in self._names()
            if f"shifts.{name}" in tensors
        }
        return Model({}, **named, shifts=shifts, exits=exits)

    def get_terms(self, owner: int, layers: Sequence[int]) -> dict[Key, Stored]:
        """Return the terms of an owner's matrices in some layers, checked against the encoder."""
        tensors, plain = self._read(owner)
        terms = {}
        with refuse_damage(self._files.folder / self._owner_files[owner]):
            for key, name in self._names():
                if key[0] in layers:
                    stored = gather(Stored, name, plain["matrices"][name], tensors)
                    check_terms(stored, Cut(self.encoder, self.plan, owner, *key).shape, name)
                    terms[key] = self._whole_image(stored, owner, key)
        return terms

    def _whole_image(self, stored: Stored, owner: int, key: Key) -> Stored:
        """Put the codes of an image back into a whole matrix, where they are written."""
        image = stored.image
        if image is None or self.reprogrammed is None:
            return stored
        mask = _mask_written(self.encoder, self.plan, owner, key, image, self.reprogrammed)
        codes = image.codes.new_zeros(mask.shape)
        codes[mask] = image.codes.reshape(int(mask.sum()))  # one code alone would be written everywhere
        return replace(stored, image=replace(image, codes=codes))

    def _names(self) -> list[tuple[Key, str]]:
        keys = np.ndindex(self.encoder.layers, len(self.encoder.matrices))
        return [(key, _name(self.encoder, key)) for key in keys]

    def _read(self, owner: int) -> tuple[Tensors, dict[str, Any]]:
        """Read an owner's file; the files that tasks share, and the last one, stay in memory."""
        if owner in self._kept:
            return self._kept[owner]
        path = self._files.path(self._owner_files[owner])
        with refuse_damage(path):
            content = read_tensors(path)
        shared = range(len(self._owner_files) - len(self._files.manifest["tasks"]))
        self._kept = {owner: content} | {at: other for at, other in self._kept.items() if at in shared}
        return content


def owner_files(groups: int, tasks: Sequence[str]) -> list[str]:
    """Return the name of each owner's file."""
    shared = [BASE_FILE, *(f"group-{group}.safetensors" for group in range(1, groups + 1))]
    return [*shared, *(f"delta-{name}.safetensors" for name in file_names(tasks))]


def file_names(tasks: Sequence[str]) -> list[str]:
    """Return a name for each task that a file can have: the task's own, or one with its index if two would be equal."""
    plain = [re.sub(r"[^\w.-]+", "_", task) for task in tasks]
    apart = len(set(plain)) == len(plain)
    return [name if apart else f"{at}-{name}" for at, name in enumerate(plain)]


def _name(encoder: Encoder, key: Key) -> str:
    return f"{key[0]}.{encoder.matrices[key[1]].name}"
