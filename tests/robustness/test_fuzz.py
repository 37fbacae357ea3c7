"""Whatever the bytes of a file are, reading it succeeds or raises an error for a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.models.data.read import read
from dse.plugins.registry import Registry
from dse.space.file import load
from dse.space.resolve import resolve
from dse.space.workload import TaskSpec
from dse.space.workload import parse as parse_workload
from tests.robustness.conftest import SPACE
from tests.support.fuzzing import FUZZ, readable

MORE = """
[generator.shared-prefix.parameters]
depth = { low = 0, high = 2, tasks = { verdict = 0 } }
[compressor.two-stage.parameters]
cosine = { low = 0.8, high = 0.98, step = 0.02 }
[hardware.isaac.parameters]
cell_bits = { choices = [1, 2] }
adc_bits = 9
[reference_hardware]
plugin = "isaac"
[search.constraints]
latency_us = { max = 5000.0 }
"""
VALUES = (
    *("0", "-1", "1e308", "nan", "inf", "true", '""', '"x"', "[]", "{}", "[[]]", "{ low = 1 }", "1979-05-27", "9" * 30),
    *("[1, 'a']", "{ choices = [] }", "{ value = {} }", "{ tasks = 3 }", "{ layers = { x = 1 } }", "'''\n'''"),
)


@st.composite
def mutated(draw: Any, text: str, pieces: tuple[str, ...]) -> str:
    """Text with up to three lines or pieces changed."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["drop", "double", "swap", "value", "cut", "insert"]))
        if kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "double":
            lines.insert(at, lines[at])
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "value":
            key = lines[at].split("=")[0] if "=" in lines[at] else "stranger "
            lines[at] = f"{key}= {draw(st.sampled_from(pieces))}"
        elif kind == "cut":
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
        else:
            place = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:place] + draw(st.text(max_size=4)) + lines[at][place:]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry().discover()


def checked(path: Path, registry: Registry) -> None:
    """Do what `dse check` does before it needs the base model."""
    from dse.records.design import PluginParameter
    from dse.records.workload import Encoder, Matrix, Task, Workload

    space = load(path)
    spec = parse_workload(space.workload, path=path)
    space.check_plugins(registry)
    tasks = tuple(task.name for task in spec.tasks)
    workload = Workload(
        "model",
        Encoder(2, (Matrix("q", 8, 8, "x"),), 2, 8, 16, 8, 64),
        tuple(Task(name, 10.0, 120.0, 16, 1 / len(tasks)) for name in tasks),
        digests={},
    )
    declared = []
    for kind, name, options in space.plugins:
        plugin = registry.build(kind, name, options, where=space.where(kind, name))
        declared += [PluginParameter(kind, name, item) for item in plugin.parameters(workload)]
    resolve(space, tuple(declared), tasks=tasks, layers=2)


def test_the_space_file_that_is_changed_is_a_good_one(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "space.toml"
    path.write_text(SPACE + MORE, encoding="utf-8")
    checked(path, registry)


@FUZZ
@given(text=mutated(SPACE + MORE, VALUES))
def test_any_space_file_is_read_or_refused(tmp_path: Path, registry: Registry, text: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    readable(lambda: checked(path, registry))


@FUZZ
@given(content=st.binary(max_size=60))
def test_any_bytes_as_a_space_file_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "space.toml"
    path.write_bytes(content)
    assert not readable(lambda: load(path))


ROWS = "text\tlabel\textra\n" + "".join(f"good film {index}\t{index % 2}\tx\n" for index in range(12))
CELLS = ("\t", '"', "nan", "", "1e999", "\x00", "\ufeff", "[]", "\r", "\u2028", "1_0", "None")
TASKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "tsv": ("classification", {}, ROWS),
    "unquoted": ("classification", {"quoting": False, "columns": {"group": "extra"}, "group_pattern": "(x)"}, ROWS),
    "numbers": ("regression", {"columns": {"text_b": "extra"}, "unescape": True}, ROWS),
    "csv": ("regression", {"format": "csv"}, ROWS.replace("\t", ",")),
    "labels": ("classification", {"labels": {"0": 0, "1": 1}, "keep": {"extra": ["x"]}}, ROWS),
    "jsonl": (
        "classification",
        {"format": "jsonl"},
        "".join(json.dumps({"text": f"good {index}", "label": index % 2}) + "\n" for index in range(12)),
    ),
    "jsonl numbers": (
        "regression",
        {"format": "jsonl", "columns": {"group": "group"}, "group_pattern": "(.)"},
        "".join(json.dumps({"text": f"good {index}", "label": index / 2, "group": 3}) + "\n" for index in range(12)),
    ),
    "lines": ("classification", {"format": "lines", "pattern": r"(?P<text>[^\t]*)\t(?P<label>[^\t]*)"}, ROWS),
}


def task_of(name: str, folder: Path) -> tuple[TaskSpec, Path]:
    kind, table, _ = TASKS[name]
    path = folder / "data.tsv"
    metric = "pearson" if kind == "regression" else "accuracy"
    raw = {"name": "t", "kind": kind, "metric": metric, "data": {"path": str(path), **table}}
    return TaskSpec.model_validate(raw), path


@pytest.mark.parametrize("name", TASKS)
def test_any_data_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    task, path = task_of(name, tmp_path)
    path.write_text(TASKS[name][2], encoding="utf-8")
    assert len(read(task, path)) >= 12

    @FUZZ
    @given(text=mutated(TASKS[name][2], CELLS))
    def changed(text: str) -> None:
        path.write_text(text, encoding="utf-8", newline="")
        readable(lambda: read(task, path))

    @FUZZ
    @given(content=st.binary(max_size=40))
    def anything(content: bytes) -> None:
        path.write_bytes(content)
        readable(lambda: read(task, path))

    changed()
    anything()


@FUZZ
@given(
    line=st.sampled_from(
        [
            '{"text": ["a"], "label": 1}',
            '{"text": {"a": 1}, "label": {"b": 1}}',
            '{"text": "a", "label": [1]}',
            '{"text": null, "label": null}',
            '{"text": "a", "label": 1e999}',
            '{"text": "a", "label": true}',
            '{"text": 1, "label": "x", "label": "y"}',
            '{"label": "x"}',
            '{"text": "a", "label": 100000000000000000000000000000000}',
            "[1, 2]",
            "3",
            "null",
            '"text"',
            "[]",
            "{}",
            "[" * 99_999,
        ]
    ),
    numbers=st.booleans(),
    alone=st.booleans(),
)
def test_any_json_line_is_read_or_refused(tmp_path: Path, line: str, numbers: bool, alone: bool) -> None:
    name = "jsonl numbers" if numbers else "jsonl"
    task, path = task_of(name, tmp_path)
    path.write_text(("" if alone else TASKS[name][2]) + line + "\n", encoding="utf-8")
    readable(lambda: read(task, path))
