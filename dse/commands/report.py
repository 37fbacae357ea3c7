"""`dse report`: everything about a study in one HTML page."""

from pathlib import Path

from dse.commands.figures import check_ending, load_study
from dse.records.callbacks import MessageCallback, ignore_message
from dse.results.output import write_output


def report(
    study: Path | str,
    out: Path | str,
    *,
    results: Path | str = "results",
    trust: bool = False,
    say: MessageCallback = ignore_message,
) -> Path:
    """Write everything about a study into one HTML page that works without a network.

    Args:
        study: name of a study, or its folder.
        out: a file that ends in ``.html``.
        results: folder that holds the studies.
        trust: whether to run the plugin files that the study names, for assumptions of their hardware models.
        say: callback for a line that says what was left out for lack of trust.

    Raises:
        OutputError: the file cannot be written, or its name has an unsupported ending.
        SetupError: plotly is not installed.
        StudyError: there is no such study.
    """
    from dse.analysis.assumptions import assumptions
    from dse.reports.report import report_page

    out = check_ending(out, (".html",))
    loaded = load_study(study, results)
    text = report_page(loaded, assumptions(loaded.trials, loaded.folder, trust=trust, say=say))
    return write_output(out, lambda file: file.write_text(text, encoding="utf-8"))
