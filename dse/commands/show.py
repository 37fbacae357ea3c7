"""`dse show`: everything known about one trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dse.results.sections import Section


def show(study: Path | str, trial: int, *, results: Path | str = "results") -> dict[str, Any]:
    """Everything known about one trial, by column; empty cells are left out.

    Args:
        study: its name, or its folder.
        trial: its number.
        results: folder that holds the studies.

    Raises:
        StudyError: there is no such study or trial.
    """
    from dse.results import read
    from dse.results.studies import study_folder

    return read.show(study_folder(study, results), trial)


def sections(study: Path | str, trial: int, *, results: Path | str = "results") -> list[Section]:
    """Everything known about one trial, as ``dse show`` prints it for people.

    Components are sorted by their share of area and energy, those that take nothing left out; scores and parameters of
    tasks stand beside their tasks. Where the hardware model knows other assumptions, such as ADC laws, the design is costed
    under each.

    Args:
        study: its name, or its folder.
        trial: its number.
        results: folder that holds the studies.

    Raises:
        StudyError: there is no such study or trial.
    """
    from dse.analysis.assumptions import section
    from dse.results.files import TRIALS
    from dse.results.read import read_table, table_file, to_frame
    from dse.results.sections import sections as made
    from dse.results.studies import study_folder

    folder = study_folder(study, results)
    found = made(folder, trial)
    file = table_file(folder, TRIALS)
    under = section(to_frame(read_table(file)[0], file), trial, file.parent)
    return [*found, under] if under else found
