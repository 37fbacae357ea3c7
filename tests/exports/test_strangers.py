"""A folder from a stranger, whose digests agree with its content: one clear error for each fault, and no code of it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dse
from dse.exports.files import write_manifest
from dse.exports.manifest import MANIFEST
from dse.exports.tensors import read_tensors, write_tensors
from tests.exports.conftest import reseal

DELTA = "delta-rating.safetensors"
CODES = "1.attention.self.key.terms.0.codes"
SCALE = "1.attention.self.key.terms.0.scale"
CONTENTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "files are text": (lambda m: m.update(files="all"), r"files[\s\S]*a table[\s\S]*'all'"),
    "a file is a number": (lambda m: m["files"].update({"README.md": 1}), r"files\.README\.md[\s\S]*a table"),
    "a file above": (
        lambda m: m["files"].update({"../x": m["files"]["README.md"]}),
        r"'\.\./x', which is not a path inside",
    ),
    "a file at the root": (
        lambda m: m["files"].update({"/x": m["files"]["README.md"]}),
        r"'/x', which is not a path inside",
    ),
    "a geometry of text": (
        lambda m: m["geometry"].update(rows="many"),
        r"geometry\.rows[\s\S]*a whole number[\s\S]*'many'",
    ),
    "no cells": (lambda m: m["geometry"].update(cell_bits=0), r"geometry\.cell_bits[\s\S]*greater than 0"),
    "an encoding": (lambda m: m["geometry"].update(encoding="grey"), r"geometry\.encoding[\s\S]*'offset-flip'"),
    "no owner": (lambda m: m["plan"].pop("owner"), r"the key 'owner' is missing[\s\S]*plan\.owner"),
    "a short plan": (lambda m: m["plan"]["owner"].pop(), r"plan\.owner does not have 2 layers for each of 2 tasks"),
    "another task's layer": (lambda m: m["plan"]["owner"][0].__setitem__(1, 2), r"neither -1, the base, a group nor"),
    "owners without a file": (lambda m: m["owners"].pop(), r"owners does not name a file"),
    "tasks in a list": (lambda m: m.update(tasks=[1, 2]), r"tasks[\s\S]*a table"),
    "no task": (lambda m: m.update(tasks={}), r"there is no task"),
    "a task without classes": (lambda m: m["tasks"]["verdict"].update(classes=[]), r"a classification has no classes"),
    "no encoder": (lambda m: m["workload"].pop("encoder"), r"the key 'encoder' is missing"),
    "no layers": (lambda m: m["workload"]["encoder"].update(layers=0), r"is below 1"),
    "a precision": (lambda m: m["evaluation"].update(precision="fp8"), r"evaluation\.precision[\s\S]*'bf16'"),
    "a score that is no number": (lambda m: m["tasks"]["verdict"]["scores"].update(search=float("nan")), r"scores"),
    "a version of text": (lambda m: m.update(schema_version="two"), r"not what was written[\s\S]*invalid literal"),
}
"""What is changed in the content of ``export.json``, and the message."""
TENSORS: dict[str, tuple[Callable[[Any, Any], object], str]] = {
    "codes are missing": (lambda t, _: t.pop(CODES), r"codes"),
    "a matrix is missing": (lambda _, p: p["matrices"].pop("1.attention.self.key"), r"1\.attention\.self\.key"),
    "codes of another shape": (lambda t, _: t.update({CODES: t[CODES][:, :-1]}), r"do not fit a matrix of \(32, 32\)"),
    "one row of codes": (lambda t, _: t.update({CODES: t[CODES][:1]}), r"do not fit a matrix"),
    "a code beyond its bound": (lambda t, _: t[CODES].__setitem__((0, 0), 99), r"do not fit a matrix"),
    "real codes": (lambda t, _: t.update({CODES: t[CODES] + 0.5}), r"not whole numbers"),
    "a scale that is no number": (lambda t, _: t.update({SCALE: t[SCALE] * np.nan}), r"not finite"),
    "scales of another number": (lambda t, _: t.update({SCALE: np.ones(7, np.float32)}), r"do not fit a matrix"),
    "a magnitude of text": (
        lambda _, p: p["matrices"]["1.attention.self.key"]["terms"][0].update(magnitude="7"),
        r"TypeError",
    ),
    "a term that another feeds": (
        lambda _, p: p["matrices"]["1.attention.self.key"]["terms"][0].update(fed_by=9),
        r"IndexError",
    ),
    "a norm is missing": (
        lambda t, _: t.pop("state.bert.encoder.layer.1.output.LayerNorm.weight"),
        r"differs in architecture[\s\S]*output\.LayerNorm\.weight of task 'rating'",
    ),
    "a norm of another size": (
        lambda t, _: t.update({"state.bert.encoder.layer.1.output.LayerNorm.weight": np.ones(1, np.float32)}),
        r"differs in architecture[\s\S]*output\.LayerNorm\.weight of task 'rating'",
    ),
}  # fmt: skip
"""What is changed in the tensors and other values of a file, and the message."""


@pytest.mark.parametrize("case", CONTENTS)
def test_a_design_file_that_is_wrong_is_refused_when_it_is_opened(copy: Path, case: str) -> None:
    change, message = CONTENTS[case]
    content = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    change(content)
    reseal(copy, content)
    with pytest.raises(dse.ExportError, match=message):
        dse.load_export(copy)


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_are_wrong_are_refused_before_they_answer(copy: Path, case: str) -> None:
    change, message = TENSORS[case]
    tensors, plain = read_tensors(copy / DELTA)
    change(tensors, plain)
    write_tensors(copy / DELTA, tensors, plain)
    seal_again(copy)
    chip = dse.load_export(copy, device="cpu").model("rating")
    with pytest.raises(dse.ExportError, match=message):
        chip(["good film"])


@pytest.mark.parametrize(
    "sizes", [{"hidden_size": 10**7}, {"num_hidden_layers": 3}, {"hidden_act": "none"}, {"model_type": []}]
)
def test_a_configuration_that_does_not_fit_is_refused_before_it_takes_memory(copy: Path, sizes: dict[str, Any]) -> None:
    content = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    content["tasks"]["verdict"]["config"].update(sizes)
    reseal(copy, content)
    with pytest.raises(dse.ExportError, match=r"differs in architecture|not what was written"):
        dse.load_export(copy, device="cpu").model("verdict")(["good"])


def test_a_mask_of_another_size_is_refused(copy: Path) -> None:
    tensors, plain = read_tensors(copy / "base.safetensors")
    write_tensors(copy / "base.safetensors", tensors | {"plan.heads": np.ones((2, 2, 3), bool)}, plain)
    seal_again(copy)
    with pytest.raises(dse.ExportError, match=r"not what was written[\s\S]*base\.safetensors[\s\S]*reshape"):
        _ = dse.load_export(copy).design


def test_tables_that_are_no_tables_are_refused(copy: Path) -> None:
    (copy / "arrays.parquet").write_bytes(b"PAR1")
    pd.DataFrame({"text": ["good"]}).to_parquet(copy / "rows" / "verdict.parquet")
    seal_again(copy)
    chip = dse.load_export(copy)
    with pytest.raises(dse.ExportError, match=r"not what was written[\s\S]*arrays\.parquet"):
        chip.arrays()
    with pytest.raises(dse.ExportError, match=r"not what was written[\s\S]*verdict\.parquet[\s\S]*split"):
        chip.rows("verdict")


def test_links_are_refused(copy: Path) -> None:
    (copy / "schedule.json").rename(copy.parent / "elsewhere.json")
    (copy / "schedule.json").symlink_to(copy.parent / "elsewhere.json")
    with pytest.raises(
        dse.ExportError, match=r"missing, or is a link[\s\S]*schedule\.json[\s\S]*a link to .*elsewhere"
    ):
        dse.load_export(copy)
    (copy / MANIFEST).rename(copy.parent / MANIFEST)
    (copy / MANIFEST).symlink_to(copy.parent / MANIFEST)
    with pytest.raises(dse.ExportError, match="no exported design here"):
        dse.load_export(copy)


@pytest.mark.parametrize("texts", [None, "good dog", 7, ["good", None], [b"good"]])
def test_what_is_no_list_of_texts_is_refused(original: Path, texts: Any) -> None:
    model: Any = dse.load_export(original, device="cpu").model("verdict")
    with pytest.raises(
        dse.DataError, match=r"not texts that the model can answer[\s\S]*task 'verdict'[\s\S]*a list of texts"
    ):
        model(texts)
    with pytest.raises(dse.DataError, match="not texts that the model can answer"):
        model(["good film"], pairs=7 if texts is None else texts)


@pytest.mark.parametrize("task", [None, 0, ["verdict"]])
def test_what_is_no_name_of_a_task_is_refused(original: Path, task: Any) -> None:
    with pytest.raises(dse.UnknownNameError, match=r"no task called[\s\S]*rating, verdict"):
        dse.load_export(original).model(task)


def test_an_unknown_kind_of_products_is_refused_when_the_export_is_opened(original: Path) -> None:
    with pytest.raises(dse.UnknownNameError, match=r"'integers'[\s\S]*did you mean 'integer'"):
        dse.load_export(original, products="integers")


def test_an_unknown_device_is_refused_when_the_export_is_opened(original: Path) -> None:
    with pytest.raises(dse.SetupError, match=r"no such device[\s\S]*'tpu'"):
        dse.load_export(original, device="tpu")


def test_loading_and_running_imports_no_plugin(original: Path) -> None:
    code = (
        "import sys, dse; from dse.plugins import registry\n"
        "registry.Registry.discover = None\n"
        f"dse.load_export({str(original)!r}, device='cpu').model('verdict')(['good'])\n"
        "print([name for name in sys.modules if name.startswith('dse_plugins')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def seal_again(folder: Path) -> None:
    """Write the digests that belong to files which were changed."""
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    del content["digest"], content["files"]
    (folder / MANIFEST).unlink()
    write_manifest(folder, content)
