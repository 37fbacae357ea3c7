"""`dse show`: everything that is known about one trial."""

from pathlib import Path
from typing import Any

from dse.analysis.assumptions import section
from dse.records.callbacks import MessageCallback, ignore_message
from dse.results import read
from dse.results.files import TRIALS
from dse.results.read import read_table, table_file, to_frame
from dse.results.sections import Section
from dse.results.sections import sections as read_sections
from dse.results.studies import study_folder


def show(study: Path | str, trial: int, *, results: Path | str = "results") -> dict[str, Any]:
    """Return everything that is known about one trial, by column, without empty cells.

    Args:
        study: name of a study, or its folder.
        trial: number of the trial.
        results: folder that holds the studies.

    Raises:
        StudyError: there is no such study or trial.
    """
    return read.show(study_folder(study, results), trial)


def sections(
    study: Path | str,
    trial: int,
    *,
    results: Path | str = "results",
    trust: bool = False,
    say: MessageCallback = ignore_message,
) -> list[Section]:
    """Return everything that is known about one trial, as ``dse show`` prints it for people.

    Components are sorted by their share of area and energy; components without a share are left out. Scores and parameters of
    tasks are listed beside their tasks. If the hardware model has alternative assumptions, such as ADC laws, the design is
    costed under each of them.

    Args:
        study: name of a study, or its folder.
        trial: number of the trial.
        results: folder that holds the studies.
        trust: whether to run the plugin files that the study names, for assumptions of their hardware models.
        say: callback for a line that says what was left out for lack of trust.

    Raises:
        StudyError: there is no such study or trial.
    """
    folder = study_folder(study, results)
    tables = read_sections(folder, trial)
    file = table_file(folder, TRIALS)
    under = section(to_frame(read_table(file)[0], file), trial, file.parent, trust=trust, say=say)
    return [*tables, under] if under else tables
