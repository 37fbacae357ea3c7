"""Everything the documentation shows is run, and every list in it is compared with the code."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import shlex
import shutil
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import dse
from dse.cli.app import app
from dse.plugins import contract
from dse.plugins.registry import Registry
from dse.records.design import PluginParameter
from dse.records.workload import Encoder, Matrix, Task, Workload
from dse.results.columns import COST_METRICS, IDENTITY, PER_TASK, RECORD, SCORE_METRICS
from dse.space.resolve import resolve
from dse.space.searchspace import SearchedParameter

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
NEEDS_MODELS = ("run", "sweep", "check", "deltas", "profile", "redundancy", "validate", "export")
"""Commands that fetch models: the end-to-end tests run them on a small one."""


def blocks(path: Path, language: str) -> list[tuple[str, str]]:
    """Info string and text of every fenced block of a language."""
    found = re.findall(r"^```(\w+)([^\n]*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [(info.strip(), text) for name, info, text in found if name == language]


def cases(language: str) -> list[object]:
    return [
        pytest.param(path, info, text, id=f"{path.name}-{number}")
        for path in PAGES
        for number, (info, text) in enumerate(blocks(path, language))
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with every file the documentation shows."""
    for page in PAGES:
        for info, text in (*blocks(page, "python"), *blocks(page, "toml")):
            if info.startswith("file="):
                (tmp_path / info.removeprefix("file=")).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def example(folder: Path) -> Path:
    """The same with the committed example study."""
    shutil.copytree(ROOT / "results" / "example", folder / "results" / "example")
    return folder


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(("path", "info", "text"), cases("python"))
def test_python_shown_runs(
    path: Path, info: str, text: str, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    if info == "signatures":
        ast.parse(text)
        return
    if path.name == "export.md":
        shutil.copytree(request.getfixturevalue("chip"), "chip")
    exec(compile(text, str(path), "exec"), {"__name__": "documentation"})
    assert info.startswith("file=") or capsys.readouterr().out.strip()


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(("path", "info", "text"), cases("console"))
def test_commands_shown_run(path: Path, info: str, text: str) -> None:
    assert not info, path
    for line in text.splitlines():
        program, *words = shlex.split(line)
        assert program == "dse"
        if words[0] in NEEDS_MODELS:
            assert (ROOT / words[1]).is_file() or (ROOT / "spaces" / f"{words[1]}.toml").is_file()
            continue
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        assert result.stdout.strip() or "--out" in words


@pytest.mark.parametrize(("path", "info", "text"), cases("toml"))
def test_toml_shown_is_toml(path: Path, info: str, text: str) -> None:
    assert tomllib.loads(text), (path, info)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_make_targets_named_exist(path: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make (?:-s )?([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)) <= known


def test_readme_begins_with_the_two_commands() -> None:
    (_, first), *_ = blocks(ROOT / "README.md", "sh")
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make run", "make test"]


def signatures(source: str) -> dict[str, dict[str, str]]:
    """Signature of each method (or type of each attribute) of each class in some Python text."""
    found = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        members = {}
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                decorators = [ast.unparse(decorator) for decorator in item.decorator_list]
                members[item.name] = f"{decorators} ({ast.unparse(item.args)}) -> {ast.unparse(item.returns or item)}"
            elif isinstance(item, ast.AnnAssign):
                members[ast.unparse(item.target)] = ast.unparse(item.annotation)
        found[node.name] = members
    return found


def test_every_method_of_the_contract_is_documented_with_its_exact_signature() -> None:
    shown = signatures(
        "\n".join(text for info, text in blocks(ROOT / "docs/plugins.md", "python") if info == "signatures")
    )
    real = signatures(inspect.getsource(contract))
    hooks = real.pop("Hooks")
    assert shown == real
    table = re.findall(
        r"^\| `(dse_\w+)` \| `dse\.(?:plugin\.)?(\w+)` \|",
        (ROOT / "docs/plugins.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert {name: f"[{'hookspec'!r}] (self) -> Iterable[{record}]" for name, record in table} == hooks


def test_every_column_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8").split("## Columns")[1]
    shown = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    plain = [column.name for column in (*IDENTITY, *COST_METRICS, *SCORE_METRICS, *RECORD)]
    open_ended = [
        *(f"{column.name}.<task>" for column in PER_TASK),
        "param.<kind>.<plugin>.<name>",
        "<objective>",
        "area.<component>",
        "energy.<component>",
    ]
    assert sorted(shown) == sorted([*plain, *open_ended])


def test_documented_column_types_are_the_real_ones() -> None:
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8").split("## Columns")[1]
    shown = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE))
    real = {column.name: column.type.split("<")[0] for column in (*IDENTITY, *COST_METRICS, *SCORE_METRICS, *RECORD)}
    assert shown == real


def test_every_packaged_model_and_task_is_listed_with_its_caveats() -> None:
    from dse.space.workload import catalogue

    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Models and data")[1].split("\n## ")[0]
    listed = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w[\w-]*)`", line.split("|")[1])
    }
    known = catalogue()
    assert listed == {*known["base"], *known["task"]}


def workload() -> Workload:
    encoder = Encoder(
        2, (Matrix("q", 8, 8, "x", "query"),), heads=2, hidden=8, ffn=16, vector_parameters=8, embedding_parameters=64
    )
    tasks = tuple(Task(name, 10.0, 120.0, 16, rate) for name, rate in (("a", 0.2), ("b", 0.5), ("c", 0.3)))
    return Workload("tiny", encoder, tasks)


@pytest.mark.parametrize(
    ("file", "name", "order", "options", "parameters"),
    [
        ("backwards.py", "backwards", [2, 1, 0], [], []),
        ("by_rate.py", "by-rate", [1, 2, 0], ["reverse"], ["length"]),
    ],
)
def test_the_plugins_shown_do_what_is_said(
    folder: Path, file: str, name: str, order: list[int], options: list[str], parameters: list[str]
) -> None:
    registry = Registry().add_file(folder / file)
    assert not registry.broken
    scheduler = registry.build("scheduler", name)
    assert [parameter.name for parameter in scheduler.parameters(workload())] == parameters
    assert list(registry.get("scheduler", name).options.model_fields) == options
    schedule = scheduler.order(None, workload(), dse.Params(4, {"length": np.zeros(4)}))
    assert schedule.task.tolist() == [order] * 4
    listed = dse.requests_per_visit(workload(), 4)
    np.testing.assert_allclose(schedule.batch, listed[:, order])


def test_a_file_shown_twice_is_the_same() -> None:
    shown: dict[str, set[str]] = {}
    for page in PAGES:
        for info, text in blocks(page, "python"):
            if info.startswith("file="):
                shown.setdefault(info, set()).add(text)
    assert {info: len(texts) for info, texts in shown.items()} == dict.fromkeys(shown, 1)


def test_a_new_package_is_three_commands(folder: Path) -> None:
    """That they work in an environment made from nothing is one of the long proofs."""
    ((_, text),) = blocks(ROOT / "docs/plugins.md", "sh")
    new, install, test = (shlex.split(line) for line in text.splitlines())
    result = CliRunner().invoke(app, new[1:])
    assert result.exit_code == 0, result.output
    assert (install[:-1], test[:-1]) == (["pip", "install", "-e"], ["pytest"])
    assert (folder / install[-1] / "pyproject.toml").samefile(folder / test[-1] / "pyproject.toml")


def test_the_plugin_in_the_readme_has_eight_lines() -> None:
    (text,) = [text for info, text in blocks(ROOT / "README.md", "python") if info.startswith("file=")]
    assert sum(bool(line.strip()) for line in text.splitlines()) == 8


def documented(path: str, heading: str, following: str = "\n## ") -> set[str]:
    """First cells of the tables under a heading."""
    text = (ROOT / path).read_text(encoding="utf-8").split(heading, 1)[1].split(following, 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_every_key_of_a_space_file_is_documented_and_no_other() -> None:
    from dse.samplers.graybox.proposer import GrayboxOptions
    from dse.space.data import DataSpec
    from dse.space.file import SpaceFile
    from dse.space.search import ObjectiveTable, SearchTable
    from dse.space.workload import TaskSpec, WorkloadSpec

    page = "docs/space-file.md"
    keys = {field.alias or name for name, field in SpaceFile.model_fields.items()}
    assert documented(page, "## Top level") == keys
    assert documented(page, "## `[search]`", "\n### ") == set(SearchTable.model_fields)
    assert documented(page, "### Objectives", "\nWithout `reference`") == set(ObjectiveTable.model_fields)
    assert documented(page, "## The sampler `graybox`") == {field.name for field in fields(GrayboxOptions)}
    nested = {*WorkloadSpec.model_fields, *TaskSpec.model_fields, *DataSpec.model_fields}
    assert documented(page, "## `[workload]`") == nested


def resolved(tables: dict[str, Any], registry: Registry) -> dict[str, SearchedParameter]:
    """Every parameter of a space file, by its full name."""
    from dse.space.file import parse

    space = parse(tables)
    space.check_plugins(registry)
    declared = []
    for kind, name, options in space.plugins:
        plugin = registry.build(kind, name, options)
        declared += [PluginParameter(kind, name, parameter) for parameter in plugin.parameters(workload())]
    found = resolve(space, tuple(declared), ("trec6", "tweet_sent"), 6)
    return {item.declared.full_name: item for item in found.parameters}


def test_the_space_file_shown_names_what_exists() -> None:
    from dse.space.workload import parse

    (_, text), *_ = blocks(ROOT / "docs/space-file.md", "toml")
    tables = tomllib.loads(text)
    assert len(parse(tables["workload"]).tasks) == 2
    by_name = resolved(tables, Registry().discover())
    depths = by_name["generator.shared-prefix.depth"].elements
    assert [element.is_fixed for element in depths] == [False, True]
    assert by_name["compressor.two-stage.selective"].value([0.25, 0.25]) == (0.25, 0.25)


def test_the_tables_shown_for_a_plugin_fit_it(folder: Path) -> None:
    (_, whole), *_ = blocks(ROOT / "docs/space-file.md", "toml")
    (tables,) = [text for _, text in blocks(ROOT / "docs/plugins.md", "toml") if "by-rate" in text]
    registry = Registry().discover().add_file(folder / "by_rate.py")
    by_name = resolved({**tomllib.loads(whole), **tomllib.loads(tables)}, registry)
    (element,) = by_name["scheduler.by-rate.length"].elements
    assert isinstance(element.domain, dse.Float)
    assert (element.domain.low, element.domain.high) == (0.0, 0.5)


def test_the_samplers_named_exist() -> None:
    from dse.samplers.factory import GRAYBOX, SHORT

    line = next(
        line
        for line in (ROOT / "docs/space-file.md").read_text(encoding="utf-8").splitlines()
        if "| `sampler` |" in line
    )
    assert set(re.findall(r"`([\w-]+)`", line.split("|")[3])) == {GRAYBOX, *SHORT}


def test_every_page_stands_in_the_site_and_no_other() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    listed = [name for name in re.findall(r"(\S+\.md)$", text, re.MULTILINE) if not name.startswith("reference/")]
    assert sorted(listed) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_the_page_of_commands_is_what_the_code_says() -> None:
    """Where it is not: `python scripts/commands.py` writes it."""
    pages = runpy.run_path(str(ROOT / "scripts" / "commands.py"))
    assert pages["commands"]() == (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_reference() -> None:
    commands = set(
        re.findall(r"^## `dse ([\w-]+)", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    groups = {str(item.name) for item in app.registered_groups}
    assert commands == {item.callback.__name__ for item in app.registered_commands if item.callback} | groups


def test_every_key_of_the_log_is_documented_and_no_other() -> None:
    from dse.study.log.events import _KEYS, _OPTIONAL

    text = (ROOT / "docs/file-formats.md").read_text(encoding="utf-8").split("## The log")[1]
    shown: dict[str, set[str]] = {}
    for events, key in re.findall(r"^\| (`[^|]+`) \| `(\w+)` \|", text, re.MULTILINE):
        for event in re.findall(r"`(\w+)`", events):
            shown.setdefault(event, set()).add(key)
    assert shown == {event: {*keys, *_OPTIONAL.get(event, ())} for event, keys in _KEYS.items()}


def test_the_files_of_a_study_are_those_that_are_described() -> None:
    from dse.results import files

    text = (ROOT / "docs/file-formats.md").read_text(encoding="utf-8").split("\n## ")[0]
    known = {files.TRIALS, files.PARETO, files.SPACE, files.PROVENANCE, files.LOG}
    assert known <= set(re.findall(r"`([\w.]+\.\w+)`", text))
