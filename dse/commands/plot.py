"""`dse plot`: one figure of a study."""

from __future__ import annotations

from pathlib import Path

from dse.commands.figures import check_ending, load_study, write_drawing


def plot(study: Path | str, out: Path | str, *, figure: str = "fronts", results: Path | str = "results") -> Path:
    """Draw one figure of a study into a file.

    Args:
        study: its name, or its folder.
        out: a file that ends in ``.html``, which works without a network, or in ``.png``, which needs Kaleido and Chromium.
        figure: fronts, fronts-3d, area, energy, drops, parameters, importance, schedule or hypervolume.
        results: folder that holds the studies.

    Raises:
        OutputError: the file cannot be written, or ends otherwise.
        SetupError: plotly, or what a PNG needs, is not installed.
        StudyError: there is no such study, or it has nothing that the figure could show.
        UnknownNameError: there is no such figure.
    """
    from dse.reports.report import figure_image, figure_page

    out = check_ending(out, (".html", ".png"))
    found = load_study(study, results)
    content = figure_image(found, figure) if out.suffix == ".png" else figure_page(found, figure).encode()
    return write_drawing(out, content)
