from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import dse as package
from dse.commands import plugins_list
from dse.errors import DseError, StudyError


def raising(error: BaseException) -> Any:
    def function(*_args: object, **_options: object) -> None:
        raise error

    return function


def test_an_error_of_ours_is_its_message_and_status_1(dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    error = StudyError("it is broken", where="there", expected="whole", found="pieces", fix="mend it")
    monkeypatch.setattr(plugins_list, "plugins_list", raising(error))
    result = dse("plugins", "list")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "error: it is broken\n  where: there\n  expected: whole\n  found: pieces\n  do: mend it\n"


def test_an_unexpected_error_is_one_line_that_tells_the_way_to_the_traceback(
    dse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins_list, "plugins_list", raising(ZeroDivisionError("by nought")))
    result = dse("plugins", "list")
    assert result.exit_code == 1
    assert result.stderr == (
        "unexpected error: ZeroDivisionError: by nought; run again with --debug for the traceback\n"
    )


@pytest.mark.parametrize("error", [DseError("ours"), ZeroDivisionError("not ours")])
def test_debug_lets_errors_through(dse: Any, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(plugins_list, "plugins_list", raising(error))
    assert dse("plugins", "list", "--debug").exception is error


def test_ctrl_c_is_status_130_without_a_traceback(dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins_list, "plugins_list", raising(KeyboardInterrupt()))
    result = dse("plugins", "list")
    assert result.exit_code == 130
    assert result.stderr == "interrupted; what was finished is kept: run the same command again to continue\n"


def test_sigterm_ends_a_command_as_ctrl_c_does() -> None:
    code = (
        "import os, signal\nfrom dse.cli import main\nfrom dse.commands import plugins_list\n"
        "plugins_list.plugins_list = lambda **_: os.kill(os.getpid(), signal.SIGTERM)\n"
        "import sys\nsys.argv = ['dse', 'plugins', 'list']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "interrupted; what was finished is kept: run the same command again to continue\n"


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "a.toml", "--trials", "0"],
        ["run", "a.toml", "--trials", "many"],
        ["run", "a.toml", "--device", "tpu"],
        ["run", "a.toml", "--seed", "-1"],
        ["pareto", "a", "--format", "xml"],
        ["show", "a"],
        ["show", "a", "-1"],
        ["run", "a.toml", "--unknown"],
        ["unknown"],
    ],
)
def test_wrong_usage_is_status_2(dse: Any, words: list[str]) -> None:
    result = dse(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: dse" in result.stderr


def test_version(dse: Any) -> None:
    assert dse("--version").stdout == f"{package.__version__}\n"


def test_help_names_every_command(dse: Any) -> None:
    text = dse("--help").stdout
    for command in ("run", "check", "pareto", "show", "plugins"):
        assert f" {command} " in text
