"""The files of an exported design: their names, and checksums that show whether they changed."""

from pathlib import Path
from typing import Any

from dse.errors import ExportError
from dse.exports.manifest import AGAIN, MANIFEST, changed_file_error, read_manifest, seal
from dse.files import file_digest

BASE_FILE = "base.safetensors"
ARRAYS = "arrays.parquet"
SCHEDULE = "schedule.json"
TOKENIZER = "tokenizer"
ROWS = "rows"
GOLDEN = "golden"
README = "README.md"


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write ``export.json``, with the size and checksum of every other file and one of its own content.

    Raises:
        OSError: the disk refused the file.
    """
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
    (folder / MANIFEST).write_text(seal({**manifest, "files": files}), encoding="utf-8")


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
        self.manifest = read_manifest(folder)
        self._checked: set[str] = set()
        for name, recorded in self.manifest["files"].items():
            path = folder / name
            regular = path.is_file() and path.resolve() == folder.resolve() / name
            size = path.stat().st_size if regular else None
            if size != recorded["bytes"]:
                raise ExportError(
                    f"a file of the export is {'incomplete' if regular else 'missing, or is a link'}",
                    where=path,
                    expected=f"{recorded['bytes']} bytes",
                    found=f"{size} bytes" if regular else f"a link to {path.resolve()}" if path.exists() else "nothing",
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
