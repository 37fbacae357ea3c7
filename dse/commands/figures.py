"""Common part of `dse plot` and `dse report`: both load a study and write a file."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from dse.errors import OutputError, missing_package
from dse.reports.study import Study, load
from dse.results.studies import study_folder


def load_study(study: Path | str, results: Path | str) -> Study:
    """Read a study to draw it.

    Raises:
        SetupError: plotly is not installed.
        StudyError: there is no such study.
    """
    if find_spec("plotly") is None:
        raise missing_package("a figure", "plotly", "plots")
    return load(study_folder(study, results))


def check_ending(out: Path | str, endings: Sequence[str]) -> Path:
    """Return the file to write.

    Raises:
        OutputError: the file name has an unsupported ending.
    """
    out = Path(out)
    if out.suffix not in endings:
        wanted = f"a name that ends in {' or '.join(endings)}"
        raise OutputError("a file of this kind cannot be drawn", where=out, expected=wanted)
    return out
