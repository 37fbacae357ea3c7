"""Common part of `dse plot` and `dse report`: both load a study and write a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dse.errors import OutputError

if TYPE_CHECKING:
    from dse.reports.study import Study


def load_study(study: Path | str, results: Path | str) -> Study:
    """Read a study to draw it.

    Raises:
        SetupError: plotly is not installed.
        StudyError: there is no such study.
    """
    from dse.reports.report import require_plotly
    from dse.reports.study import load
    from dse.results.studies import study_folder

    require_plotly()
    return load(study_folder(study, results))


def check_ending(out: Path | str, endings: Sequence[str]) -> Path:
    """Return the file to write.

    Raises:
        OutputError: the file name has an unsupported ending.
    """
    out = Path(out)
    if out.suffix not in endings:
        *others, last = endings
        wanted = f"{', '.join(others)} or {last}" if others else last
        raise OutputError("a file of this kind cannot be drawn", where=out, expected=f"a name that ends in {wanted}")
    return out


def write_drawing(out: Path, content: bytes) -> Path:
    """Write a figure or a page whole or not at all."""
    from dse.files import write_output

    return write_output(out, lambda path: path.write_bytes(content))
