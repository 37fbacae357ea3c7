"""Every benchmark declares its figures, yields exactly these in a smoke run, and is red where it cannot run."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.figures import REGISTERED, SETTINGS, Benchmark, BenchmarkError, Figure

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("benchmarks", "reproductions")
    for path in (ROOT / folder).rglob("*.py")
    if path.parent.name != "peers"
}
QUICK = (
    "isaac.",
    "serving.",
    "crosscheck.",
    "loop.",
    "kang.",
    "mgen",
    "combined.",
    "xma2.",
    "search.",
    "front.",
    "nonideal.draw",
    "device.draw",
)
"""Prefixes of figures whose smoke run starts no process and loads no model."""


def figure(name: str, value: float = 1.0) -> Figure:
    return Figure(name, value, "s", "", "")


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    inner = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return (names | inner) & FILES.keys()


def test_every_module_that_declares_figures_is_measured() -> None:
    declares = {name for name, path in FILES.items() if "\n@measures(" in path.read_text(encoding="utf-8")}
    assert declares == set(command.MODULES)


def test_no_module_needs_one_that_needs_it() -> None:
    TopologicalSorter({name: imports(path) for name, path in FILES.items()}).prepare()


@pytest.mark.parametrize("only", QUICK)
def test_a_smoke_run_yields_exactly_the_declared_figures(
    only: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SETTINGS, "smoke", False)  # restored afterwards
    assert command.main(["--smoke", "--only", only]) == 0
    printed = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    asked = (only, *command.ALSO.get(only, ()))

    assert sorted(printed) == sorted(
        name for one in REGISTERED.values() for name in one.names if name.startswith(asked)
    )


@pytest.mark.slow
def test_the_whole_smoke_run_yields_every_figure() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--smoke"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    command.register()

    assert done.returncode == 0, done.stderr
    printed = {json.loads(line)["name"] for line in done.stdout.splitlines()}
    assert printed == {name for one in REGISTERED.values() for name in one.names}


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ([figure("a")], "missing: b"),
        ([figure("a"), figure("b"), figure("c")], "not declared: c"),
        ([figure("a"), figure("b", float("nan"))], "not finite: b"),
        ([figure("a", float("inf"))], "missing: b; not finite: a"),
    ],
)
def test_figures_other_than_the_declared_ones_are_refused(figures: list[Figure], said: str) -> None:
    with pytest.raises(BenchmarkError, match=f"^{said}$"):
        Benchmark(("a", "b"), lambda: iter(figures)).check(figures)


def test_a_benchmark_that_cannot_run_is_red_and_the_others_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Iterator[Figure]:
        yield figure("a.b")
        raise RuntimeError("no such file")

    chosen = [Benchmark(("a.b",), broken), Benchmark(("a.c",), lambda: iter([figure("a.c")]))]
    assert command.measure_all(chosen, ("",)) == 1
    printed = capsys.readouterr()

    assert [json.loads(line)["name"] for line in printed.out.splitlines()] == ["a.c"]
    assert "this benchmark cannot run: a.b: no such file" in printed.err


def test_what_takes_long_is_measured_on_request_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.measure_all([Benchmark(("a.b",), lambda: iter([figure("a.b")]), long=True)], ("",)) == 0
    printed = capsys.readouterr()

    assert not printed.out
    assert "measured with --full only: a.b" in printed.err
