"""Write an exported design: every file except ``export.json``, and the content of that file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd
from transformers import PreTrainedModel

from dse.cost.combination import combination, stack
from dse.cost.cost import Built, Costed, cost_points
from dse.exports.arrays import write_arrays
from dse.exports.design import STATE, file_names, own_names, owner_files, owner_parts, plan_parts
from dse.exports.files import ARRAYS, GOLDEN, README, ROWS, SCHEDULE, TOKENIZER, write_manifest
from dse.exports.golden import write_golden
from dse.exports.load import load_export
from dse.exports.manifest import SCHEMA_VERSION
from dse.exports.tensors import Tensors, write_tensors
from dse.models.checkpoints import load_model
from dse.models.data.text import TOKENS_PER_BATCH
from dse.models.loaded_workload import LoadedWorkload
from dse.plugins.call import call_plugin
from dse.plugins.contract import HardwareWithLevels
from dse.records.design import DesignPoint
from dse.records.geometry import ENCODINGS, Geometry
from dse.records.plan import BASE
from dse.records.plugin import KINDS
from dse.score.problem import WorkloadProblem
from dse.score.stored_terms import Assembly


@dataclass(frozen=True, slots=True)
class Wanted:
    """A design to export.

    Attributes:
        problem: prepared problem of the study.
        point: the design.
        about: study, trial, the trial's row, versions and plugins, for ``export.json``.
        scores: recorded scores, by task and split.
    """

    problem: WorkloadProblem
    point: DesignPoint
    about: Mapping[str, Any]
    scores: Mapping[str, Mapping[str, float]]

    @property
    def loaded(self) -> LoadedWorkload:
        """Models, tokenizer and rows."""
        return self.problem.context.loaded


def assemble(problem: WorkloadProblem, point: DesignPoint) -> Assembly:
    """Ask a design's plugins for its plan and its stored terms."""
    built, params = _build_plugins(problem, point), stack([point])
    geometry = call_plugin("hardware", point.hardware, built.hardware.geometry, params["hardware"])
    return Assembly(problem.context, built, params, geometry)


def write_export(folder: Path, wanted: Wanted, *, rows: bool) -> None:
    """Write every file of an export into an empty folder.

    Args:
        folder: folder to write.
        wanted: the design.
        rows: whether to write the rows of the recorded scores.

    Raises:
        OSError: the disk refused a file.
        PluginContractError: a plugin raised.
    """
    manifest = write_design(folder, wanted)
    if rows:
        write_rows(folder / ROWS, wanted)
    write_manifest(folder, manifest)
    write_golden(folder / GOLDEN, load_export(folder, device="cpu", products="integer"))
    write_manifest(folder, manifest)  # the loader needed one before


def write_design(folder: Path, wanted: Wanted) -> dict[str, Any]:
    """Write a design into an empty folder; return the content of ``export.json``.

    Raises:
        OSError: the disk refused a file.
        PluginContractError: a plugin raised.
    """
    problem, point, names = wanted.problem, wanted.point, wanted.problem.tasks
    assembly, built, params = assemble(problem, point), _build_plugins(problem, point), stack([point])
    costed = cost_points(problem.workload, built, params)
    masks, plan = plan_parts(assembly.plan, assembly.reprogrammed)
    tasks = _write_owners(folder, wanted, assembly, masks)
    units: dict[str, int] = {}
    if isinstance(built.hardware, HardwareWithLevels):
        units = call_plugin(
            "hardware", point.hardware, built.hardware.levels, int(costed.counts.arrays.sum()), params["hardware"]
        )
    write_arrays(folder / ARRAYS, problem.workload, assembly, units)
    schedule = json.dumps(_schedule(wanted, costed), indent=1, ensure_ascii=False)
    (folder / SCHEDULE).write_text(schedule + "\n", encoding="utf-8")
    wanted.loaded.tokenizer.save_pretrained(folder / TOKENIZER)
    for name, file_name in zip(names, file_names(names), strict=True):
        if (task := wanted.loaded.tasks[name]).own_tokenizer:
            task.tokenizer.save_pretrained(folder / f"{TOKENIZER}-{file_name}")
    text = Path(__file__).with_name("README.md.template").read_text(encoding="utf-8")
    fields = {"study": wanted.about["study"], "trial": wanted.about["trial"], "task": names[0]}
    (folder / README).write_text(Template(text).substitute(fields), encoding="utf-8")
    return {
        "schema_version": SCHEMA_VERSION,
        **wanted.about,
        "geometry": _geometry_values(assembly.geometry),
        "units": units,
        "evaluation": _evaluation(wanted, assembly.geometry),
        "workload": asdict(replace(problem.workload, digests=dict(problem.workload.digests))),
        "owners": owner_files(assembly.plan.groups, names),
        "plan": plan,
        "tasks": tasks,
    }


def write_rows(folder: Path, wanted: Wanted) -> None:
    """Write search and report rows, one file per task, into a new folder.

    Raises:
        OSError: the disk refused a file.
    """
    folder.mkdir()
    for task, name in zip(wanted.problem.tasks, file_names(wanted.problem.tasks), strict=True):
        splits = wanted.loaded.tasks[task].splits
        parts = [getattr(splits, split).assign(split=split) for split in ("search", "report")]
        whole = pd.concat(parts, ignore_index=True)[["split", "text", "text_b", "label", "group", "row"]]
        whole.to_parquet(folder / f"{name}.parquet", index=False)


def _build_plugins(problem: WorkloadProblem, point: DesignPoint) -> Built:
    return Built(combination(point), *(problem.plugin(kind, point.plugin(kind)) for kind in KINDS))


def _write_owners(folder: Path, wanted: Wanted, assembly: Assembly, masks: Tensors) -> dict[str, Any]:
    """Write one file per owner; return the tasks' entries of ``export.json``."""
    names, files = wanted.problem.tasks, owner_files(assembly.plan.groups, wanted.problem.tasks)
    base = load_model(wanted.loaded.source, labels=1).state_dict()
    tasks: dict[str, Any] = {}
    used: set[str] = set()
    more: dict[int, Tensors] = {}
    for at, (name, file_name) in enumerate(zip(names, file_names(names), strict=True)):
        model, scaling = wanted.loaded.tasks[name].model()
        state, own = model.state_dict(), own_names(model, assembly, at)
        alike = {key for key in own if key in base and np.array_equal(base[key], state[key])}
        used |= alike
        more[1 + assembly.plan.groups + at] = {f"{STATE}.{key}": state[key].numpy() for key in sorted(own - alike)}
        tasks[name] = _about_task(wanted, name, model) | {"scaling": scaling, "file_name": file_name}
    more[BASE] = masks | {f"{STATE}.{key}": base[key].numpy() for key in sorted(used)}
    for owner, tensors, plain in owner_parts(assembly, wanted.loaded.base_vectors()):
        write_tensors(folder / files[owner], tensors | more.pop(owner, {}), plain)
    for owner, tensors in more.items():  # no task uses a matrix of these owners
        write_tensors(folder / files[owner], tensors, {"matrices": {}, "exits": {}})
    return tasks


def _about_task(wanted: Wanted, name: str, model: PreTrainedModel) -> dict[str, Any]:
    task = wanted.loaded.tasks[name]
    config: dict[str, Any] = json.loads(model.config.to_json_string(use_diff=False))
    return {
        "kind": task.spec.kind,
        "metric": task.spec.metric,
        "max_length": task.spec.max_length,
        "classes": list(task.classes),
        "scores": dict(wanted.scores[name]),
        "config": {key: value for key, value in config.items() if not key.startswith("_")},
    }


def _schedule(wanted: Wanted, costed: Costed) -> dict[str, Any]:
    """Return the order in which tasks are served, and the number of requests per visit."""
    names = wanted.problem.tasks
    steps = zip(costed.schedule.task[0].tolist(), costed.schedule.batch[0].tolist(), strict=True)
    return {
        "traffic": asdict(wanted.problem.workload.traffic),
        "cycle_us": float(costed.costs.cycle_us[0]),
        "steps": [{"task": names[task], "requests": requests} for task, requests in steps],
    }


def _geometry_values(geometry: Geometry) -> dict[str, Any]:
    """Return every field of a design's geometry, with the name of the encoding instead of its number."""
    values = {name: value if name == "packing" else int(value[0]) for name, value in asdict(geometry).items()}
    return {**values, "encoding": ENCODINGS[values["encoding"]]}


def _evaluation(wanted: Wanted, geometry: Geometry) -> dict[str, Any]:
    """Return the settings that scores are measured with."""
    context = wanted.problem.context
    return {
        "precision": context.precision,
        "input_bits": int(geometry.input_bits[0]),
        "device": wanted.loaded.device,
        "tokens_per_batch": TOKENS_PER_BATCH,
        "evaluator_version": context.evaluator_version,
    }
