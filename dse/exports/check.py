"""Score an export in a process with nothing but the export."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import ExportError

SCORE = """
import json, sys
from dse.exports.load import load_export
scores = load_export(sys.argv[1]).check(sys.argv[2]).to_dict("records")
print(json.dumps(scores))  # pandas' own JSON would round the scores
"""


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
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-P", "-c", SCORE, str(folder), str(rows)]
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
            found="; ".join(line.strip() for line in done.stderr.splitlines()[-5:]) or f"status {done.returncode}",
        )
    return pd.DataFrame(json.loads(done.stdout.splitlines()[-1]))
