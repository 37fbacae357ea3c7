"""An export holds the tensors that a task computes with, and no other: what an owner replaces is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dse
from dse.exports.design import STATE
from dse.exports.model import TaskModel
from dse.exports.tensors import read_tensors

TEXTS = ["good film very bad", "the plot"]
OLD = Path(__file__).resolve().parents[1] / "fixtures" / "export_1"


def state_names(folder: Path, file: str) -> list[str]:
    return [name for name in read_tensors(folder / f"{file}.safetensors")[0] if name.startswith(f"{STATE}.")]


def test_biases_and_norms_of_layers_from_the_base_are_in_its_file_alone(original: Path) -> None:
    """The first layer of the first task comes from the base."""
    names = state_names(original, "delta-verdict")
    assert not [name for name in names if ".layer.0." in name]
    assert [name for name in names if ".layer.1." in name]
    assert [name for name in state_names(original, "delta-rating") if ".layer.0." in name]
    assert not [name for name in state_names(original, "base") if ".layer." in name]
    vectors = [name for name in read_tensors(original / "base.safetensors")[0] if name.startswith("vectors.")]
    assert {name.split(".")[1] for name in vectors} == {"0"}


def test_every_exported_tensor_of_a_task_changes_its_answers(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = dse.load_export(original, device="cpu")
    chip.manifest["evaluation"]["precision"] = "fp32"
    design, before = chip.design, chip.model("verdict")(TEXTS)
    whole = design.state(0)
    generator = torch.Generator().manual_seed(0)
    for name, value in whole.items():
        if name.endswith("key.bias"):
            continue  # it adds the same number to all scores of a query, which a softmax does not see
        noise = torch.rand(value.shape, generator=generator)
        changed: dict[str, Any] = {**whole, name: value + noise}
        monkeypatch.setattr(design, "state", lambda _task, changed=changed: changed)
        assert not np.allclose(TaskModel(chip, 0)(TEXTS), before, atol=1e-6), name


def test_an_export_of_the_first_format_still_loads() -> None:
    """Its deltas hold biases and norms that the base's replace."""
    assert [name for name in state_names(OLD, "delta-verdict") if ".layer.0." in name]
    chip = dse.load_export(OLD, device="cpu")
    assert chip.manifest["schema_version"] == 1
    assert chip.model("verdict")(TEXTS).shape == (2, 2)
    assert (chip.check()["difference"] < 0.05).all()  # another processor may round otherwise
