"""Score an export in a process with nothing but the export: ``python -m dse.exports.check FOLDER ROWS OUT``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DseError, ExportError

if TYPE_CHECKING:
    import pandas as pd


def check_export(folder: Path, rows: Path) -> pd.DataFrame:
    """Score an export in a fresh process, with an empty cache and without a network.

    Args:
        folder: folder of the export.
        rows: folder with the rows of the recorded scores.

    Returns:
        The table of `dse.exports.load.Export.check`.

    Raises:
        ExportError: the process failed.
    """
    import pandas as pd

    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-P", "-m", "dse.exports.check", str(folder), str(rows), f"{empty}/scores.json"]
        environment: dict[str, Any] = {
            **os.environ,
            "DSE_CACHE": empty,
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ExportError(
                "the exported design could not be scored in a process of its own",
                where=folder,
                found=(done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1],
            )
        return pd.DataFrame(json.loads(Path(empty, "scores.json").read_text(encoding="utf-8")))


def main() -> None:
    """Write the scores of an export to a file."""
    from dse.exports.load import load_export

    folder, rows, out = sys.argv[1:]
    try:
        scores = load_export(folder).check(rows).to_dict("records")
    except DseError as error:
        sys.exit("; ".join(line.strip() for line in str(error).splitlines()))
    Path(out).write_text(json.dumps(scores), encoding="utf-8")  # pandas' own JSON would round the scores


if __name__ == "__main__":
    main()
