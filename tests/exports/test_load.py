"""What a person does with an exported design: call its models, score rows, look up arrays; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoTokenizer

import dse
from dse.exports.manifest import MANIFEST
from dse.exports.write import Wanted, write_export
from tests.exports.conftest import prefixed, reseal
from tests.support.tiny import WORDS, write_tokenizer

TEXTS = ["good film", "bad plot very bad", "the music"]


@pytest.fixture(scope="module")
def chip(original: Path) -> Any:
    return dse.load_export(original, device="cpu")


def test_a_model_answers_texts_and_tokens(chip: Any) -> None:
    model = chip.model("verdict")
    logits = model(TEXTS)
    tokens = chip.tokenizer(TEXTS[:1], return_tensors="pt")

    assert (logits.shape, logits.dtype) == ((3, 2), np.float32)
    assert model.predict(TEXTS) == [model.classes[at] for at in logits.argmax(axis=1)]
    assert set(model.classes) == {"0", "1"}
    np.testing.assert_array_equal(model.tokens(dict(tokens)).numpy(), model(TEXTS[:1]))
    assert chip.model("verdict") is model


def test_a_regression_predicts_values_in_the_units_of_its_labels(chip: Any) -> None:
    model, scaling = chip.model("rating"), chip.manifest["tasks"]["rating"]["scaling"]
    expected = model(TEXTS)[:, 0] * scaling["spread"] + scaling["mean"]

    assert model.predict(TEXTS) == pytest.approx(expected.tolist())


def test_pairs_are_read_as_pairs(chip: Any) -> None:
    assert not np.array_equal(chip.model("rating")(TEXTS, pairs=TEXTS[::-1]), chip.model("rating")(TEXTS))


def test_scores_of_exported_rows_are_those_recorded(chip: Any) -> None:
    for task, recorded in chip.scores.items():
        for split, value in recorded.items():
            assert chip.score(task, split=split) == value
            assert chip.score(task, chip.rows(task, split)) == value
    assert (chip.check()["difference"] == 0).all()


def test_rows_of_ones_own_can_be_scored(chip: Any) -> None:
    rows = pd.DataFrame({"text": TEXTS, "label": [0, 1, 1]})
    answers = np.array([int(name) for name in chip.model("verdict").predict(TEXTS)])

    assert chip.score("verdict", rows) == pytest.approx(np.mean(answers == rows["label"]))
    by_name = rows.assign(label=[f" {chip.model('verdict').classes[label]}" for label in rows["label"]])
    assert chip.score("verdict", by_name) == chip.score("verdict", rows)
    values = rows.assign(label=[0.5, 1, 2])
    assert chip.score("rating", values.assign(label=values["label"].map(str))) == chip.score("rating", values)


@pytest.mark.parametrize("label", ["yes", 7, None, -1])
def test_a_label_of_no_class_is_refused(chip: Any, label: object) -> None:
    rows = pd.DataFrame({"text": TEXTS, "label": pd.Series([0, 1, label], dtype=object)})
    with pytest.raises(dse.DataError, match=r"a label belongs to no class[\s\S]*task 'verdict'[\s\S]*0, 1, or 0 to 1"):
        chip.score("verdict", rows)


def test_a_label_of_a_regression_that_is_no_number_is_refused(chip: Any) -> None:
    with pytest.raises(dse.DataError, match=r"not a number[\s\S]*found: 'many'"):
        chip.score("rating", pd.DataFrame({"text": TEXTS, "label": ["1", "2", "many"]}))


def test_a_split_that_is_not_exported_is_named(chip: Any) -> None:
    with pytest.raises(dse.UnknownNameError, match=r"'serch'[\s\S]*did you mean 'search'"):
        chip.rows("verdict", "serch")


def test_the_arrays_of_one_matrix_of_a_task_are_its_own_and_those_beneath(chip: Any) -> None:
    both = chip.arrays("verdict", layer=1, matrix="query")
    assert set(both["owner"]) == {"base", "verdict"}
    assert set(both["matrix"]) == {"attention.self.query"}
    assert set(chip.arrays("verdict", layer=0)["owner"]) == {"base"}  # the first layer is the base's
    assert set(chip.arrays("rating", layer=0)["owner"]) == {"base", "rating"}
    assert (both["array"] == both["tile"] * 96 + both["ima"] * 8 + both["crossbar"]).all()
    assert len(chip.arrays()) > len(chip.arrays("verdict")) > len(both)


def test_the_folder_tells_how_to_load_it(
    original: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (original / "README.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(original)
    exec(compile(code, "README.md", "exec"), {})

    assert "('verdict', 'rating')" in capsys.readouterr().out


def test_what_was_exported_twice_is_the_same(original: Path, tmp_path: Path, problem_of: Any) -> None:
    from tests.exports.conftest import prefixed, write

    again = write(tmp_path / "again", *prefixed(problem_of))
    assert (again / MANIFEST).read_bytes() == (original / MANIFEST).read_bytes()


def test_an_unknown_task_is_named(chip: Any) -> None:
    with pytest.raises(dse.UnknownNameError, match=r"no task called 'ratin'[\s\S]*did you mean 'rating'"):
        chip.model("ratin")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (pd.DataFrame({"text": ["good"]}), "no column label"),
        (pd.DataFrame({"label": [1]}), "no column text"),
        (pd.DataFrame({"text": [], "label": []}), "no row"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(chip: Any, rows: pd.DataFrame, found: str) -> None:
    with pytest.raises(dse.DataError, match=rf"cannot be scored[\s\S]*text_b for pairs[\s\S]*{found}"):
        chip.score("verdict", rows)


def test_no_texts_are_refused(chip: Any) -> None:
    with pytest.raises(dse.DataError, match="no text to answer"):
        chip.model("verdict")([])
    with pytest.raises(dse.DataError, match=r"differ in number[\s\S]*good film[\s\S]*one"):
        chip.model("verdict")(TEXTS, pairs=["one"])


@pytest.mark.parametrize("what", ["nothing", "empty", "file"])
def test_what_is_no_export_is_said(tmp_path: Path, what: str) -> None:
    place = tmp_path / what
    if what == "empty":
        place.mkdir()
    elif what == "file":
        place.write_text("text", encoding="utf-8")
    with pytest.raises(dse.ExportError, match=r"no exported design here[\s\S]*export.json"):
        dse.load_export(place)


@pytest.mark.parametrize(
    "name", ["base.safetensors", "delta-rating.safetensors", "arrays.parquet", "tokenizer/tokenizer.json"]
)
def test_a_file_that_was_cut_off_or_is_missing_is_named(copy: Path, name: str) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        dse.ExportError, match=rf"incomplete[\s\S]*{name}[\s\S]*{len(whole)} bytes[\s\S]*export the design again"
    ):
        dse.load_export(copy)
    (copy / name).unlink()
    with pytest.raises(dse.ExportError, match=rf"missing[\s\S]*{name}"):
        dse.load_export(copy)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("base.safetensors", lambda chip: chip.model("verdict").held),
        ("delta-verdict.safetensors", lambda chip: chip.model("verdict").held),
        ("arrays.parquet", lambda chip: chip.arrays()),
        ("tokenizer/tokenizer.json", lambda chip: chip.tokenizer),
        ("rows/verdict.parquet", lambda chip: chip.rows("verdict")),
    ],
)
def test_a_file_that_was_changed_is_named_when_it_is_needed(copy: Path, name: str, use: Any) -> None:
    content = bytearray((copy / name).read_bytes())
    content[-9] ^= 1
    (copy / name).write_bytes(content)
    chip = dse.load_export(copy)
    with pytest.raises(dse.ExportError, match=rf"not what was written[\s\S]*{name}[\s\S]*sha256"):
        use(chip)


def test_a_task_with_a_tokenizer_of_its_own_is_exported_with_it(
    problem_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, point = prefixed(problem_of)
    write_tokenizer(tmp_path / "own", WORDS[::-1])
    task = problem.context.loaded.tasks["verdict"]
    monkeypatch.setitem(task.__dict__, "tokenizer", AutoTokenizer.from_pretrained(tmp_path / "own"))
    monkeypatch.setitem(task.__dict__, "own_tokenizer", "another")
    about = {"study": "tiny", "trial": 0, "record": {}, "plugins": {}, "versions": {"transformers": ""}}
    (tmp_path / "chip").mkdir()
    write_export(tmp_path / "chip", Wanted(problem, point, about, {name: {} for name in problem.tasks}), rows=False)
    chip = dse.load_export(tmp_path / "chip", device="cpu")
    model = chip.model("verdict")
    assert model.tokenizer.get_vocab() == task.tokenizer.get_vocab() != chip.tokenizer.get_vocab()
    assert chip.model("rating").tokenizer is chip.tokenizer
    tokens = task.tokenizer(TEXTS[:1], return_tensors="pt")
    np.testing.assert_array_equal(model.tokens(dict(tokens)).numpy(), model(TEXTS[:1]))
    assert dse.verify_export(tmp_path / "chip") == {}


def test_a_changed_or_torn_manifest_is_refused(copy: Path) -> None:
    path = copy / MANIFEST
    whole = path.read_text(encoding="utf-8")
    for text in (whole.replace('"input_bits": 8', '"input_bits": 4'), whole[:-200], "[]", "[" * 100_000):
        assert text != whole
        path.write_text(text, encoding="utf-8")
        with pytest.raises(dse.ExportError, match=r"not what was written[\s\S]*export.json"):
            dse.load_export(copy)


def test_an_export_of_a_newer_version_is_refused(copy: Path) -> None:
    content = json.loads((copy / MANIFEST).read_text(encoding="utf-8")) | {"schema_version": 3}
    reseal(copy, content)
    with pytest.raises(dse.ExportError, match=r"newer dse[\s\S]*schema_version 2[\s\S]*schema_version 3"):
        dse.load_export(copy)


def test_rows_that_were_not_exported_are_said(copy: Path) -> None:
    content = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    content["files"] = {name: known for name, known in content["files"].items() if not name.startswith("rows/")}
    reseal(copy, content)
    with pytest.raises(dse.ExportError, match=r"without its rows[\s\S]*--rows"):
        dse.load_export(copy).score("verdict")


def test_another_architecture_than_was_exported_is_said(copy: Path) -> None:
    content = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    content["tasks"]["verdict"]["config"]["model_type"] = "roberta"
    reseal(copy, content)
    with pytest.raises(dse.ExportError, match=r"differs in architecture[\s\S]*of task 'verdict'"):
        dse.load_export(copy).model("verdict")(TEXTS)


def test_a_gpu_that_is_not_there_is_said(original: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(dse.SetupError, match="torch sees no GPU"):
        dse.load_export(original, device="cuda").model("verdict")(TEXTS)
