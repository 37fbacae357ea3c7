"""What the configuration of a checkpoint says about its outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dse.errors import CheckpointError
from dse.models.outputs import outputs_of, read_outputs
from tests.support.tiny import CLASSIFIER, make_config, make_model

NAMES = {"0": "no", "1": "yes"}


@pytest.mark.parametrize(
    ("by_number", "by_name"),
    [(NAMES, {"no": 0, "yes": 1}), (NAMES, {}), ({}, {"no": 0, "yes": 1}), (NAMES, {"LABEL_0": 0, "LABEL_1": 1})],
)
def test_either_table_names_the_outputs(by_number: dict[str, Any], by_name: dict[str, Any]) -> None:
    assert outputs_of("tuned", 2, by_number, by_name).names == {0: "no", 1: "yes"}


def test_the_default_names_of_transformers_say_nothing() -> None:
    assert outputs_of("tuned", 2, {"0": "LABEL_0", "1": "LABEL_1"}, {"LABEL_0": 0, "LABEL_1": 1}).names == {}


def test_default_names_at_other_numbers_are_names() -> None:
    names = {0: "LABEL_1", 1: "LABEL_0"}
    assert outputs_of("tuned", 2, {"0": "LABEL_1", "1": "LABEL_0"}, {}).names == names
    assert outputs_of("tuned", 2, {}, {"LABEL_1": 0, "LABEL_0": 1}).names == names


@pytest.mark.parametrize(
    ("by_number", "by_name", "message"),
    [
        (NAMES, {"no": 1, "yes": 0}, "disagree"),
        ({"0": "no", "5": "yes"}, {}, "does not name exactly the outputs that it has"),
        ({"zero": "no"}, {}, "is not a table"),
        (["no", "yes"], {}, "is not a table"),
        ({"0": "no", "1": "no"}, {}, "two outputs of a checkpoint have the same name"),
    ],
)
def test_tables_that_cannot_be_right_are_refused(by_number: Any, by_name: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        outputs_of("tuned", 2, by_number, by_name)
    assert "where: tuned" in str(caught.value)


def test_a_folder_is_read_without_its_weights(tmp_path: Path) -> None:
    config = make_config(num_labels=3, id2label={0: "a", 1: "b", 2: "c"}, label2id={"a": 0, "b": 1, "c": 2})
    make_model(config, head=CLASSIFIER).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    outputs = read_outputs(str(tmp_path))
    assert (outputs.count, outputs.names) == (3, {0: "a", 1: "b", 2: "c"})
    about = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    about["label2id"] = {"a": 2, "b": 1, "c": 0}
    (tmp_path / "config.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(CheckpointError, match="disagree"):
        read_outputs(str(tmp_path))
