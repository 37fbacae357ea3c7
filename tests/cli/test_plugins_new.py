from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_prints_what_it_wrote_and_how_to_go_on(dse: Any) -> None:
    result = dse("plugins", "new", "scheduler", "by-length", "--description", "shortest task first")
    assert result.exit_code == 0, result.output
    written = [Path(line) for line in result.stdout.splitlines()]
    assert written[0] == Path("dse-by-length/pyproject.toml")
    assert all(path.is_file() for path in written)
    assert 'description = "shortest task first"' in written[0].read_text(encoding="utf-8")
    assert result.stderr == "install it: pip install -e ./dse-by-length\ntest it: pytest dse-by-length\n"


def test_another_folder_and_no_word_on_stderr(dse: Any) -> None:
    result = dse("plugins", "new", "hardware", "mine", "--out", "some where/else", "--quiet")
    assert Path("some where/else/tests/test_mine.py").is_file()
    assert result.stderr == ""
    spaced = dse("plugins", "new", "hardware", "mine", "--out", "some where/other")
    assert "pip install -e 'some where/other'\n" in spaced.stderr


def test_what_cannot_be_written_is_status_1(dse: Any) -> None:
    result = dse("plugins", "new", "hardware", "isaac")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: a plugin called 'isaac' exists already\n")
    assert dse("plugins", "new", "chip", "mine").exit_code == 2
