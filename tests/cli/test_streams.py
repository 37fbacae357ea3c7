"""Streams and names that the command line meets: closed, ASCII, narrow, and bytes that are not UTF-8."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dse.cli.output import Format, write_rows
from tests.support.pages import EXAMPLE


def run(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command of the shell, in which $DSE is `dse`."""
    return subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "DSE": f"{sys.executable} -m dse", "STUDY": str(EXAMPLE), **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_a_stream_that_is_ascii_gets_every_row(environment: dict[str, str]) -> None:
    """Expected: the numbers as ever; characters that the stream lacks are spelt out."""
    done = run("$DSE pareto $STUDY --columns trial,area_mm2", **environment)
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"156.7" in done.stdout
    assert done.stdout.isascii()
    assert "u2500" not in str(done.stdout)


def test_closed_streams_are_no_error() -> None:
    done = run("$DSE pareto $STUDY <&- >&-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert run("$DSE pareto $STUDY --columns nothing 2>&-").returncode == 1


def test_a_thread_that_a_plugin_leaves_keeps_no_command_alive() -> None:
    thread = "import sys, threading; threading.Thread(target=threading.Event().wait).start()"
    script = f"{thread}; sys.argv[1:] = ['--version']; from dse.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.strip()


def test_a_name_of_bytes_is_shown() -> None:
    done = run("$DSE pareto \"$(printf 'no\\377study')\" --results .")
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: there is no study here\n  where: no\\udcffstudy\n")


def test_a_name_that_is_too_long_is_told() -> None:
    done = run(f"$DSE plugins new scheduler {'n' * 300}")
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: the system refuses: File name too long\n  where: ")


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_a_narrow_terminal_breaks_no_number(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"number_{index}" for index in range(8)]
    row: dict[str, object] = {name: 1234.5 + index for index, name in enumerate(names)}
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    write_rows([{**row, "text": "some words " * 20}], Format.TABLE, [*names, "text"])
    shown = capsys.readouterr().out
    for value in row.values():
        assert f"{value:.4g}" in shown


def test_a_warning_is_a_sentence_without_code() -> None:
    """The line of code that raised it says nothing to a person."""
    code = (
        "import warnings, dse.cli.app as cli\n"
        "cli.app = lambda **_: warnings.warn('an old key', FutureWarning)\n"
        "from dse.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "WARNING: an old key\n"
