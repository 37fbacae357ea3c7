"""All figures of a study, and the report that holds them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import plotly.graph_objects as go

from dse.analysis.assumptions import Assumption
from dse.errors import SetupError, StudyError, unknown_name
from dse.records.baseline_facts import warn_of_chance
from dse.records.plugin import KINDS
from dse.reports import assumptions, designs, fronts, importance, schedule, search, vector
from dse.reports.page import Part, choice_part, facts_part, figure_part, page
from dse.reports.study import Study, plain, title
from dse.results.columns import METRIC_NAMES
from dse.results.points import PREFIX
from dse.study.validate import INTERVALS

_WIDTH, _HEIGHT = 1280, 450
"""Size of an image, in points; a point is two pixels wide and high."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure of a study.

    Attributes:
        title: heading of the figure.
        draw: function that draws the figure, or returns the reason why it cannot be drawn.
        note: sentence that explains the figure.
    """

    title: str
    draw: Callable[[Study], go.Figure | str]
    note: str = ""


DRAWINGS = {
    "fronts": Drawing(
        "Front, by pairs of objectives",
        partial(fronts.objectives, dimensions=2),
        "A design is shown if both objectives were measured. Published designs stand at their ratios to the baseline; "
        "their area is restated for this study's number of tasks.",
    ),
    "fronts-3d": Drawing("Front, in three objectives", partial(fronts.objectives, dimensions=3)),
    "tradeoff": Drawing(
        "Area against points lost",
        fronts.tradeoff,
        "The front is that of all objectives: a design may be on it because of another objective.",
    ),
    "area": Drawing(
        "Area by component",
        partial(designs.shares, cost="area", total="area_mm2"),
        "Designs of the front, the best in the first objective first.",
    ),
    "energy": Drawing("Energy by component", partial(designs.shares, cost="energy", total="energy_uj")),
    "drops": Drawing("What each task loses", designs.drops, "Loss against the task's own 8-bit model, search split."),
    "parameters": Drawing(
        "Parameters", search.parameters, "Every done design; the front is blue. Drag along an axis to choose designs."
    ),
    "importance": Drawing(
        "Importance of the parameters",
        importance.importance,
        "How differently a parameter is distributed among the best tenth of the designs and among all (PED-ANOVA).",
    ),
    "schedule": Drawing(
        "One turn of all tasks",
        schedule.timeline,
        f"The first {schedule.MOST} designs of the front; switches are grey.",
    ),
    "hypervolume": Drawing("Hypervolume over trials", search.history, "Hypervolume of the front after each trial."),
}


def draw_figure(study: Study, name: str) -> go.Figure:
    """Draw one figure.

    Raises:
        StudyError: the study has no data for the figure.
        UnknownNameError: no figure has this name.
    """
    if name not in DRAWINGS:
        raise unknown_name("figure", name, DRAWINGS, where="--figure")
    figure = DRAWINGS[name].draw(study)
    if isinstance(figure, str):
        raise StudyError(f"the figure {name!r} cannot be drawn", where=study.name, found=figure)
    return figure


def figure_image(study: Study, name: str, form: str) -> bytes:
    """Draw one figure as an image.

    Args:
        study: study to draw.
        name: key of the figure.
        form: format of the image, ``png`` or ``svg``.

    Raises:
        SetupError: Kaleido or the browser that it needs is missing.
        StudyError: the study has no data for the figure.
        UnknownNameError: no figure has this name.
    """
    figure = draw_figure(study, name).update_layout(template="plotly_white")
    if form == "svg":
        vector.prepare(figure)
    width, scale = (vector.WIDTH, 1) if form == "svg" else (_WIDTH, 2)
    height = figure.layout.height or _HEIGHT  # older versions of plotly ignore the height of the layout
    try:
        content: bytes = figure.to_image(format=form, width=width, height=height, scale=scale)
    except Exception as error:
        # Kaleido, Chrome or a library of Chrome may be missing; each raises another error.
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise SetupError(
            f"a {form.upper()} needs Kaleido and a Chrome or Chromium that it can start",
            found=lines[0] if lines else type(error).__name__,
            fix="pip install kaleido and install Chromium, or name a file that ends in .html",
        ) from error
    return vector.follow_theme(content.decode()).encode() if form == "svg" else content


def figure_page(study: Study, name: str) -> str:
    """Put one figure on a page of its own.

    Raises:
        StudyError: the study has no data for the figure.
        UnknownNameError: no figure has this name.
    """
    figure = draw_figure(study, name)
    return page(study.name, [figure_part(name, DRAWINGS[name].title, figure, DRAWINGS[name].note)])


def report_page(study: Study, under: Sequence[Assumption] = ()) -> str:
    """Put every figure, the table of the front and the provenance on one page.

    Args:
        study: study to show.
        under: costs of the study's designs under other assumptions of their hardware models.
    """
    parts = [_summary(study), *_warnings(study)]
    for key, drawing in DRAWINGS.items():
        parts.append(figure_part(key, drawing.title, drawing.draw(study), drawing.note))
    if under and len(study.front):
        parts.append(assumptions.part(study, under))
    return page(study.name, [*parts, _table(study), *_provenance(study)])


def _summary(study: Study) -> Part:
    counts: dict[Any, int] = study.trials["status"].value_counts().to_dict()
    scores, chance = (
        study.baseline_scores,
        {name: f", and {one:.4f} by chance" for name, one in study.chance_scores.items()},
    )
    facts: list[tuple[str, Any]] = [
        ("trials", f"{len(study.trials)}: " + ", ".join(f"{count} {status}" for status, count in counts.items())),
        ("on the front", len(study.front)),
        ("objectives", [f"{item.goal}imise {title(item.column)}" for item in study.objectives]),
        ("baseline", {name: f"{value:.5g}" for name, value in study.baseline.items()}),
        *([("best baseline", {name: f"{value:.5g}" for name, value in study.best.items()})] if study.best else []),
        ("baseline of each task", {task: f"{score:.4f}{chance.get(task, '')}" for task, score in scores.items()}),
        ("reference point", dict(study.reference)),
    ]
    return facts_part(
        "summary",
        "Study",
        facts,
        "The baseline is one whole 8-bit model per task, all resident. The best baseline has the fewest bits that lose at most 0.25 points.",
    )


def _warnings(study: Study) -> Iterator[Part]:
    """Yield a part that warns of each task whose baseline is no better than chance, if there is one."""
    scores, chances = study.baseline_scores, study.chance_scores
    texts = [warn_of_chance(task, "score", scores[task], chances[task]) for task in scores if task in chances]
    if any(texts):
        note = "Drops of these tasks say nothing. Compare the models, tokenizers, labels and data of these tasks."
        html = "".join(f'<p class="warning">{escape(text)}</p>' for text in texts if text)
        yield Part("warnings", "WARNING", html, note)


def _table(study: Study) -> Part:
    front = study.front
    own = [item.column for item in study.objectives if item.column not in METRIC_NAMES]
    per_task = [name for prefix in ("score.", *INTERVALS) for name in study.columns(prefix)]
    names = ["trial", *KINDS, *METRIC_NAMES, *own, *per_task, "tasks", *study.columns(PREFIX)]
    shown = [name for name in names if name == "trial" or (name in front.columns and front[name].notna().any())]
    rows = [plain(values) for values in front[shown].itertuples(index=False, name=None)]
    note = "A click on a name sorts the table. Fields take a text, or a number after <, <=, >, >= or =."
    return choice_part("front", "Designs of the front", rows, shown, note)


def _provenance(study: Study) -> Iterator[Part]:
    sessions = study.provenance.get("sessions", [])
    if not sessions:
        yield facts_part("provenance", "Provenance", [("sessions", "provenance.json is not there")])
    for number, session in enumerate(sessions, start=1):
        key = "provenance" if number == 1 else f"provenance-{number}"
        yield facts_part(key, f"Provenance, session {number} of {len(sessions)}", session.items())
