"""Studies that were damaged, changed, moved onto a full disk or opened twice: nothing measured is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dse.files import write_text_whole
from tests.robustness.conftest import Home, told


@pytest.fixture
def studied(home: Home, dse: Any) -> Home:
    """A home with a study of four trials that needs no fine-tuning."""
    home.change('["two-stage"]', '["none"]')
    home.change('"random"', '"tpe"')  # one event per trial, where a sampler of generations has one per generation
    home.change("", "[hardware.isaac.parameters]\nadc_bits = {}\ncell_bits = {}\n")
    result = dse("run", home.space)
    assert result.exit_code == 0, result.output
    return home


def log(home: Home) -> Path:
    return home.study / "log.jsonl"


def test_a_study_of_another_space_is_refused(studied: Home, dse: Any) -> None:
    before = log(studied).read_bytes()
    studied.change('["area", "energy"]', '["area"]')
    told(dse("run", studied.space), "other conditions", "where: ", "space", "do: ")
    assert log(studied).read_bytes() == before


def test_a_changed_plugin_is_refused_and_named(home: Home, dse: Any) -> None:
    code = (
        "import dse\nfrom dse_plugins.compressors.none import Uncompressed\n\n@dse.hookimpl\n"
        "def dse_compressors():\n    yield dse.Compressor(name='own', summary='', build=Uncompressed, version='1')\n"
    )
    home.plugin(code)
    home.change("plugin_files = []", 'plugin_files = ["stranger.py"]')
    home.change('["two-stage"]', '["own"]')
    assert dse("run", home.space).exit_code == 0
    before = log(home).read_bytes()
    home.plugin(code.replace("version='1'", "version='2'"))
    told(dse("run", home.space), "plugin compressor.own", "where: ", "do: ")
    assert log(home).read_bytes() == before


def test_a_torn_last_line_is_repaired_and_said(studied: Home, dse: Any) -> None:
    whole = log(studied).read_bytes()
    log(studied).write_bytes(whole[:-20])
    result = dse("run", studied.space)
    assert result.exit_code == 0, result.output
    assert "unfinished event" in result.stderr
    assert log(studied).read_bytes().startswith(whole[: whole[:-20].rfind(b"\n") + 1])


@pytest.mark.parametrize(
    "line",
    [
        b"{broken\n",
        b"\x00\xff\n",
        b"[" * 100_000 + b"\n",
        b'{"event":"done","trial":0}\n',
        b'{"event":["done"],"trial":0}\n',
        b'{"event":"done","trial":0,"row":null,"values":null,"constraints":{}}\n',
        b'{"event":"done","trial":0,"row":{"trial":0},"values":null,"constraints":{}}\n',
        b'{"event":"done","trial":0,"row":{"trial":0,"status":"done","stranger":1},"values":[1],"constraints":{}}\n',
    ],
    ids=["no JSON", "bytes", "nested", "no row", "event no text", "row null", "row cut", "row of others"],
)
def test_a_damaged_line_in_the_middle_is_named(studied: Home, dse: Any, line: bytes) -> None:
    lines = log(studied).read_bytes().splitlines(keepends=True)
    lines[2] = line
    log(studied).write_bytes(b"".join(lines))
    told(dse("run", studied.space), "where: ", "log.jsonl:3")
    assert log(studied).read_bytes() == b"".join(lines)


@pytest.mark.parametrize("line", [b'{"event":"header","schema":1}\n', b'{"event":"header","schema":"1"}\n'])
def test_a_damaged_header_is_named(studied: Home, dse: Any, line: bytes) -> None:
    lines = log(studied).read_bytes().splitlines(keepends=True)
    log(studied).write_bytes(b"".join([line, *lines[1:]]))
    told(dse("run", studied.space), "where: ", "log.jsonl")


def test_a_damaged_proposal_is_named(studied: Home, dse: Any) -> None:
    lines = log(studied).read_bytes().splitlines(keepends=True)
    lines[1] = b'{"event":"asked","trial":0}\n'
    log(studied).write_bytes(b"".join(lines))
    told(dse("run", studied.space), "where: ", "log.jsonl:2")


@pytest.fixture
def sealed(studied: Home) -> Iterator[Home]:
    studied.study.chmod(0o500)
    for path in studied.study.iterdir():
        path.chmod(0o400)
    yield studied
    studied.study.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_study_is_said_and_kept(sealed: Home, dse: Any) -> None:
    before = log(sealed).read_bytes()
    told(dse("run", sealed.space, "--trials", 6), "results/robust")
    assert log(sealed).read_bytes() == before


@pytest.mark.parametrize(("code", "name"), [(errno.EACCES, "Permission denied"), (errno.EROFS, "Read-only")])
def test_a_log_that_cannot_be_opened_is_said(
    studied: Home, dse: Any, monkeypatch: pytest.MonkeyPatch, code: int, name: str
) -> None:
    before = log(studied).read_bytes()
    original = os.open

    def refusing(path: Any, flags: int, *mode: Any, **rest: Any) -> int:
        if str(path).endswith("log.jsonl"):
            raise OSError(code, os.strerror(code), str(path))
        return original(path, flags, *mode, **rest)

    monkeypatch.setattr(os, "open", refusing)
    told(dse("run", studied.space, "--trials", 6), "where: ", "results/robust", name)
    assert log(studied).read_bytes() == before


def test_results_below_a_file_are_said(home: Home, dse: Any) -> None:
    (home.folder / "results").write_text("a file\n")
    home.change('["two-stage"]', '["none"]')
    told(dse("run", home.space), "where: ", "results")


@pytest.mark.parametrize("event", [0, 1, 2, 4])
def test_a_full_disk_is_said_and_what_was_measured_is_kept(
    studied: Home, dse: Any, monkeypatch: pytest.MonkeyPatch, event: int
) -> None:
    before = log(studied).read_bytes()
    original = os.write
    descriptor: list[int] = []
    seen = [0]

    def full(file: int, data: bytes) -> int:
        if data.startswith(b'{"event"') or file in descriptor:
            seen[0] += 1
            if seen[0] > event:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        told(dse("run", studied.space, "--trials", 8), "No space left", "where: ", "log.jsonl", "nothing recorded")
    assert log(studied).read_bytes().startswith(before)
    assert dse("run", studied.space, "--trials", 8).exit_code == 0


@pytest.mark.parametrize("file", ["space.toml", "provenance.json", "trials.parquet", "pareto.parquet"])
def test_a_full_disk_under_the_results_is_said_and_what_was_measured_is_kept(
    studied: Home, dse: Any, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    before = log(studied).read_bytes()
    table = (studied.study / file).read_bytes()
    original = os.fsync

    def full(descriptor: int) -> None:
        if f".{file}." in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        told(dse("run", studied.space, "--trials", 6), "No space left", "where: ", file)
    assert log(studied).read_bytes().startswith(before)
    assert (studied.study / file).read_bytes() == table
    assert not list(studied.study.glob(".*.tmp"))
    assert dse("run", studied.space, "--trials", 6).exit_code == 0


def test_a_second_run_is_refused(studied: Home, dse: Any) -> None:
    from filelock import FileLock

    before = log(studied).read_bytes()
    with FileLock(studied.study / ".lock"):
        told(dse("run", studied.space, "--trials", 6), "another run", "where: ", "do: ")
    assert log(studied).read_bytes() == before


@pytest.mark.parametrize("command", [("pareto", "robust"), ("show", "robust", 0)])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all, but long enough PAR1"])
def test_a_damaged_table_is_named(studied: Home, dse: Any, command: tuple[Any, ...], content: bytes) -> None:
    for name in ("trials.parquet", "pareto.parquet"):
        (studied.study / name).write_bytes(content)
    told(dse(*command), "where: ", ".parquet")
    assert dse("run", studied.space).exit_code == 0
    assert dse(*command).exit_code == 0


def test_a_table_of_something_else_is_named(studied: Home, dse: Any) -> None:
    import pandas as pd

    for name in ("trials.parquet", "pareto.parquet"):
        pd.DataFrame({"x": [1]}).to_parquet(studied.study / name)
    told(dse("pareto", "robust"), "where: ", "results/robust", "not written by dse")
    told(dse("show", "robust", 0), "where: ", "results/robust")


def test_a_study_that_is_not_there_is_named_with_those_beside_it(studied: Home, dse: Any) -> None:
    told(dse("pareto", "robst"), "where: ", "robst", "robust")
    told(dse("validate", "robst"), "where: ", "robst")
    assert log(studied).exists()


def test_a_damaged_resolved_space_is_named(studied: Home, dse: Any) -> None:
    write_text_whole(studied.study / "space.toml", "schema = \n")
    told(dse("validate", "robust"), "where: ", "space.toml")
