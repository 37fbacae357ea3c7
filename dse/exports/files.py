"""The files of an exported design: their names, and checksums that show whether they changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dse.errors import ExportError
from dse.files import digest, file_digest

SCHEMA_VERSION = 2
MANIFEST = "export.json"
BASE_FILE = "base.safetensors"
ARRAYS = "arrays.parquet"
SCHEDULE = "schedule.json"
TOKENIZER = "tokenizer"
ROWS = "rows"
README = "README.md"
AGAIN = "export the design again: dse export STUDY TRIAL DIR"


def seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write ``export.json``, with the size and checksum of every other file and one of its own content.

    Raises:
        OSError: the disk refused the file.
    """
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    content = {**manifest, "files": files}
    text = json.dumps({**content, "digest": digest(content)}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


class Files:
    """The files of an export.

    Args:
        folder: folder that `dse export` wrote.

    Attributes:
        folder: folder of the export.
        manifest: content of ``export.json``.

    Raises:
        ExportError: the folder is not an export, lacks files, was changed, or has a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _manifest(folder)
        self._checked: set[str] = set()
        for name, recorded in self.manifest["files"].items():
            path = folder / name
            size = path.stat().st_size if path.is_file() else None
            if size != recorded["bytes"]:
                raise ExportError(
                    "a file of the export is not whole" if path.is_file() else "a file of the export is missing",
                    where=path,
                    expected=f"{recorded['bytes']} bytes",
                    found="nothing" if size is None else f"{size} bytes",
                    fix=AGAIN,
                )

    def has(self, name: str) -> bool:
        """Return whether a file belongs to the export."""
        return name in self.manifest["files"]

    def path(self, name: str) -> Path:
        """Return the path of a file or folder, after a check that its content is what was written.

        Raises:
            ExportError: the content was changed.
        """
        for file, recorded in self.manifest["files"].items():
            if (file == name or file.startswith(f"{name}/")) and file not in self._checked:
                checksum = file_digest(self.folder / file)
                if checksum != recorded["sha256"]:
                    raise changed_file_error(self.folder / file, f"sha256 {recorded['sha256']}", f"sha256 {checksum}")
                self._checked.add(file)
        return self.folder / name


def changed_file_error(path: Path, expected: str, found: str) -> ExportError:
    """Build the error for a file that is not what was written."""
    return ExportError(
        "a file of the export is not what was written", where=path, expected=expected, found=found, fix=AGAIN
    )


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise ExportError(
            "there is no exported design here",
            where=folder,
            expected=f"a folder with {MANIFEST}, as `dse export` writes it",
            found="nothing" if not folder.exists() else "a folder without it" if folder.is_dir() else "a file",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, recorded = content["schema_version"], content.pop("digest")
        newer = int(version) > SCHEMA_VERSION
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise changed_file_error(
            path, "the JSON object that was written", f"{type(error).__name__}: {error}"
        ) from error
    if newer:
        raise ExportError(
            "this design was exported by a newer dse",
            where=path,
            expected=f"schema_version {SCHEMA_VERSION}",
            found=f"schema_version {version}",
            fix="load it with the version of dse that wrote it",
        )
    if digest(content) != recorded:
        raise changed_file_error(path, f"digest {recorded}", f"digest {digest(content)}")
    return dict(content)
