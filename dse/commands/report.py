"""`dse report`: everything about a study in one HTML page."""

from __future__ import annotations

from pathlib import Path

from dse.commands.figures import check_ending, load_study, write_drawing


def report(study: Path | str, out: Path | str, *, results: Path | str = "results") -> Path:
    """Write everything about a study into one HTML page that works without a network.

    Args:
        study: name of a study, or its folder.
        out: a file that ends in ``.html``.
        results: folder that holds the studies.

    Raises:
        OutputError: the file cannot be written, or its name has an unsupported ending.
        SetupError: plotly is not installed.
        StudyError: there is no such study.
    """
    from dse.analysis.assumptions import assumptions
    from dse.reports.report import report_page
    from dse.results.studies import study_folder

    out = check_ending(out, (".html",))
    loaded = load_study(study, results)
    folder = study_folder(study, results)
    under = assumptions(loaded.trials, folder if folder.is_dir() else folder.parent)
    return write_drawing(out, report_page(loaded, under).encode())
