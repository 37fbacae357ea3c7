"""A plugin's step in this process: its prints and its change of folder stay apart."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dse.plugins.steps import step


def test_prints_go_to_stderr_and_the_working_folder_stays(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = Path.cwd()
    sys.stdout.write("ours\n")
    with step("the import of a stranger"):
        sys.stdout.write("python\n")
        os.write(1, b"system\n")
        os.chdir(tmp_path)
    sys.stdout.write("ours again\n")

    printed = capfd.readouterr()
    assert Path.cwd() == before
    assert printed.out == "ours\nours again\n"
    assert sorted(printed.err.split()) == ["python", "system"]
