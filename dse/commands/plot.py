"""`dse plot`: one figure of a study."""

from pathlib import Path

from dse.commands.figures import check_ending, load_study
from dse.results.output import write_output


def plot(study: Path | str, out: Path | str, *, figure: str = "fronts", results: Path | str = "results") -> Path:
    """Draw one figure of a study into a file.

    Args:
        study: name of a study, or its folder.
        out: a file that ends in ``.html``, which works without a network, or in ``.png`` or ``.svg``, which need Kaleido
            and Chromium. An SVG follows the light or dark theme of the page that shows it.
        figure: fronts, fronts-3d, tradeoff, area, energy, drops, parameters, importance, schedule or hypervolume.
        results: folder that holds the studies.

    Raises:
        OutputError: the file cannot be written, or its name has an unsupported ending.
        SetupError: plotly is not installed, or an image needs Kaleido or Chromium, which is not installed.
        StudyError: there is no such study, or it has nothing for the figure to show.
        UnknownNameError: there is no such figure.
    """
    from dse.reports.report import figure_image, figure_page

    out = check_ending(out, (".html", ".png", ".svg"))
    loaded = load_study(study, results)
    form = out.suffix.removeprefix(".")
    content = figure_page(loaded, figure).encode() if form == "html" else figure_image(loaded, figure, form)
    return write_output(out, lambda file: file.write_bytes(content))
