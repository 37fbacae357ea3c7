"""Compare the files of an export with what was written: `dse export --verify`."""

from pathlib import Path

from dse.exports.manifest import MANIFEST, read_manifest
from dse.files import file_digest


def verify_export(folder: Path | str) -> dict[str, str]:
    """Compare every file of a folder with what `dse export` wrote there.

    Args:
        folder: folder of the export.

    Returns:
        ``changed``, ``missing``, ``unexpected`` or ``no regular file`` by file; files that are as they were written are left out.

    Raises:
        ExportError: the folder is not an export, or its ``export.json`` was changed.
    """
    folder = Path(folder)
    recorded = read_manifest(folder)["files"]
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    states = {name: "missing" for name in recorded if name not in present}
    for name, path in present.items():
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            states[name] = "no regular file"
        elif name in recorded:
            if not path.is_file() or file_digest(path) != recorded[name]["sha256"]:
                states[name] = "changed"
        elif path.is_file() and name != MANIFEST:
            states[name] = "unexpected"
    return dict(sorted(states.items()))
