"""Building a component table: the environment it needs, what is said where that cannot be had, and what is written."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import dse
from dse.cli.app import app
from dse.plugins.environments import Needs, find_python, make_environment, python_version, run_script

NOTHING = Needs((3, 11), ())


def program(path: Path, body: str) -> str:
    """A shell script that passes for a Python."""
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(body)}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def fake_python(path: Path, version: str = "3 12", pip: str = "exit 0") -> str:
    """A Python that says its version, copies itself as an environment, and does anything else with the real one."""
    return program(
        path,
        f"""
        case "$1 $2" in
        "-c "*) echo {version} ;;
        "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
        "-m pip") {pip} ;;
        *) exec {sys.executable} "$@" ;;
        esac
        """,
    )


def plugin(folder: Path, script: str, **table: Any) -> Path:
    """A plugin file with a hardware model whose table a script writes."""
    (folder / "measure.py").write_text(script, encoding="utf-8")
    more = "".join(f", {name}={value!r}" for name, value in table.items())
    (folder / "own.py").write_text(
        textwrap.dedent(
            f"""
            from pathlib import Path
            import dse

            HERE = Path(__file__).parent

            @dse.hookimpl
            def dse_hardware_models():
                table = dse.ComponentTable(file=HERE / "costs.toml", script=HERE / "measure.py"{more})
                yield dse.HardwareModel(name="own", summary="has a table", build=lambda options: None, components=table)
            """
        ),
        encoding="utf-8",
    )
    return folder / "own.py"


WRITES = "import sys, pathlib\npathlib.Path(sys.argv[1]).write_text('a = 1\\nb = 2\\n')\n"


def test_a_python_that_is_too_old_is_not_one_or_is_not_there_is_refused(tmp_path: Path) -> None:
    old = fake_python(tmp_path / "old", "3 10")
    none = program(tmp_path / "none", "exit 3")
    words = program(tmp_path / "words", "echo hello")
    for named, found in ((old, "Python 3.10"), (none, "no Python"), (words, "no Python"), ("/no/where", "no Python")):
        with pytest.raises(dse.SetupError, match=rf"{named}[\s\S]*Python 3.12 or newer[\s\S]*{found}[\s\S]*--python"):
            find_python(named, (3, 12))
    assert find_python(fake_python(tmp_path / "new", "3 13"), (3, 12)) == str(tmp_path / "new")
    assert python_version(sys.executable) == sys.version_info[:2]


def test_without_a_name_the_oldest_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    with pytest.raises(dse.SetupError, match=r"no Python that is new enough[\s\S]*python3.12[\s\S]*--python"):
        find_python(None, (3, 12))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    fake_python(tmp_path / "python3.14", "3 14")
    broken = program(tmp_path / "python3.12", "exit 127")
    assert find_python(None, (3, 12)) == str(tmp_path / "python3.14") != broken
    own = tmp_path / "pyenv" / "versions" / "3.13.2" / "bin"
    own.mkdir(parents=True)
    fake_python(own / "python", "3 13")
    assert find_python(None, (3, 12)) == str(own / "python")


def test_a_compiler_that_is_missing_is_said_before_anything_is_made(tmp_path: Path) -> None:
    needs = Needs((3, 11), ("thing==1",), compiled=("thing",), programs=("no-such-compiler", "sh"))
    with pytest.raises(
        dse.SetupError, match=r"thing cannot be compiled[\s\S]*no no-such-compiler[\s\S]*C\+\+ compiler"
    ):
        make_environment(tmp_path / "own", needs, python=sys.executable)
    assert not (tmp_path / "own").exists()


def test_what_pip_could_not_install_is_said_with_its_own_words(tmp_path: Path) -> None:
    message = "ERROR: No matching distribution found for thing==1"
    python = fake_python(tmp_path / "python", pip=f"echo searching; echo '{message}' >&2; exit 1")
    with pytest.raises(
        dse.SetupError, match=rf"pip could not[\s\S]*index that offers thing==1[\s\S]*{message}"
    ) as caught:
        make_environment(tmp_path / "own", Needs((3, 11), ("thing==1",)), python=python)
    assert "searching" not in str(caught.value)


def test_an_environment_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    python = program(tmp_path / "python", 'case "$1" in -c) echo 3 12 ;; *) echo "no ensurepip" >&2; exit 1 ;; esac')
    with pytest.raises(dse.SetupError, match=r"could not be made[\s\S]*ensurepip[\s\S]*no ensurepip"):
        make_environment(tmp_path / "own", NOTHING, python=python)


def test_pip_is_asked_to_compile_what_must_be(tmp_path: Path) -> None:
    python = fake_python(tmp_path / "python", pip=f'echo "$@" > {tmp_path}/asked')
    needs = Needs((3, 11), ("thing==1", "other==2"), compiled=("thing",), programs=("sh",))
    said: list[str] = []
    make_environment(tmp_path / "own", needs, python=python, say=said.append)
    assert (tmp_path / "asked").read_text(encoding="utf-8").split()[2:] == [
        *("install", "--disable-pip-version-check", "--no-binary", "thing", "thing==1", "other==2")
    ]
    assert said == [f"making an environment with {python}", "installing thing==1, other==2: compiling takes minutes"]


def test_a_script_sees_nothing_of_this_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    script = tmp_path / "script.py"
    script.write_text("import os, sys; print(os.environ.get('PYTHONPATH'), sys.argv[1])", encoding="utf-8")
    assert run_script(Path(sys.executable), script, ["x"]).split() == ["None", "x"]
    script.write_text("raise ValueError('no such cell')", encoding="utf-8")
    with pytest.raises(dse.SetupError, match=r"script.py failed[\s\S]*no such cell"):
        run_script(Path(sys.executable), script, [])


def test_a_table_is_written_and_compared_with_the_one_there_was(tmp_path: Path) -> None:
    own, python = plugin(tmp_path, WRITES), fake_python(tmp_path / "python")
    first = dse.components_build("own", python=python, plugins=[own])
    assert first.file == tmp_path / "costs.toml"
    assert first.file.read_text(encoding="utf-8") == "a = 1\nb = 2\n"
    assert first.changed == 2
    assert dse.components_build("own", python=python, plugins=[own]).changed == 0
    elsewhere = tmp_path / "elsewhere.toml"
    first.file.write_text("a = 1\nb = 3\n", encoding="utf-8")
    assert dse.components_build("own", python=python, plugins=[own], out=elsewhere).changed == 2
    assert first.file.read_text(encoding="utf-8") == "a = 1\nb = 3\n"
    with pytest.raises(dse.OutputError, match="--out"):
        dse.components_build("own", python=python, plugins=[own], out=tmp_path / "no" / "where.toml")


def test_a_script_that_fails_or_writes_nothing_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    python = fake_python(tmp_path / "python")
    table = tmp_path / "costs.toml"
    table.write_text("a = 1\n", encoding="utf-8")
    with pytest.raises(dse.SetupError, match=r"measure.py failed[\s\S]*ZeroDivisionError"):
        dse.components_build("own", python=python, plugins=[plugin(tmp_path, "1 / 0")])
    with pytest.raises(dse.SetupError, match=r"measure.py wrote no table"):
        dse.components_build("own", python=python, plugins=[plugin(tmp_path, "")])
    assert table.read_text(encoding="utf-8") == "a = 1\n"


def test_a_model_without_a_table_and_one_that_is_not_there_are_refused() -> None:
    with pytest.raises(dse.SetupError, match=r"'isaac' has no table[\s\S]*neurosim"):
        dse.components_build("isaac")
    with pytest.raises(dse.UnknownNameError, match="neurosin"):
        dse.components_build("neurosin")


def test_the_command_prints_the_file_and_says_whether_it_changed(tmp_path: Path) -> None:
    own, python = plugin(tmp_path, WRITES), fake_python(tmp_path / "python")
    words = ["components", "build", "own", "--python", python, "--plugin", str(own)]
    first, second = (CliRunner().invoke(app, words) for _ in range(2))
    assert first.stdout == second.stdout == f"{tmp_path / 'costs.toml'}\n"
    assert first.stderr.splitlines()[-1] == "2 lines differ from the table that comes with the model"
    assert second.stderr.splitlines()[-1] == "no lines differ from the table that comes with the model"
    assert CliRunner().invoke(app, [*words, "--quiet"]).stderr == ""
    wrong = CliRunner().invoke(app, ["components", "build", "isaac"])
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith("error: hardware 'isaac' has no table")


@pytest.mark.slow
def test_a_real_environment_runs_a_script(tmp_path: Path) -> None:
    own = plugin(tmp_path, WRITES, python=(3, 11))
    assert dse.components_build("own", python=sys.executable, plugins=[own]).changed == 2
