"""The commands that read results, as functions: the same names, the same options, results as Python objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd

    from dse.plots.study import Study
    from dse.results.sections import Section
    from dse.results.studies import Studies


def query(sql: str, studies: Studies = (), *, results: Path | str = "results") -> pd.DataFrame:
    """Answer a query in SQL over one or many studies.

    Args:
        sql: DuckDB's SQL over the views ``trials``, ``pareto`` and ``studies``; `docs/results.md` describes them. Names with
            dots are quoted. Of several statements the last one answers.
        studies: names of studies, their folders, folders that hold studies, or parquet files; all of ``results`` if none.
        results: folder that holds the studies.

    Returns:
        Rows and columns as asked for; whole numbers are nullable.

    Raises:
        QueryError: DuckDB refuses the SQL.
        SetupError: DuckDB is not installed.
        StudyError: there is no study, or a table is damaged.
    """
    from dse.results.query import ask
    from dse.results.read import nullable
    from dse.results.studies import find

    table = ask(find(studies, results), sql)
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable, use_threads=False, maps_as_pydicts="strict")
    return frame


def pareto(
    study: Path | str,
    *more: Path | str,
    results: Path | str = "results",
    columns: Sequence[str] = (),
    sort: str | None = None,
    descending: bool = False,
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """The Pareto front of a study, or the joint front of several, as a data frame.

    Args:
        study: its name, or its folder; a folder that holds studies stands for all of them.
        more: further studies with the same objectives: the front is then of all designs, and `study` says whose each is.
        results: folder that holds the studies.
        columns: which ones; by default the plugins and every metric that was measured.
        sort: column to sort by; by default the first objective, best first.
        descending: largest first.
        max_drop: keep designs that lose at most so many points of accuracy.
        max_area: keep designs with at most this ``array_area_ratio``.
        where: keep designs for which this condition in SQL holds.
        limit: keep so many rows.

    Raises:
        QueryError: DuckDB refuses the condition.
        SetupError: there is a condition, and DuckDB is not installed.
        StudyError: there is no such study, or several have other objectives.
        UnknownNameError: a column does not exist.
    """
    from dse.results.front import front_table

    return front_table(
        (study, *more),
        results=results,
        columns=columns,
        sort=sort,
        descending=descending,
        max_drop=max_drop,
        max_area=max_area,
        where=where,
        limit=limit,
    )


def hypervolume(
    study: Path | str,
    *more: Path | str,
    results: Path | str = "results",
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
) -> pd.DataFrame:
    """How much the front of each study dominates, and the joint front of several (``dse pareto --hypervolume``).

    Args:
        study: as for `pareto`.
        more: further studies with the same objectives and reference point.
        results: folder that holds the studies.
        max_drop: leave out designs that lose more points of accuracy.
        max_area: leave out designs with a larger ``array_area_ratio``.
        where: leave out designs for which this condition in SQL does not hold.

    Returns:
        One row a study, and ``(joint)`` where there are several: `study`, `designs`, `hypervolume` in the units of the
        metrics of the reference point (missing where one was not measured), and the point as ``reference.<metric>``.

    Raises:
        QueryError: DuckDB refuses the condition.
        SetupError: there is a condition, and DuckDB is not installed.
        StudyError: there is no such study, or several have other objectives or reference points.
    """
    from dse.results.front import hypervolumes

    return hypervolumes((study, *more), results=results, max_drop=max_drop, max_area=max_area, where=where)


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
    from dse.plots.report import figure_image, figure_page

    out = _ending(out, (".html", ".png"))
    found = _loaded(study, results)
    content = figure_image(found, figure) if out.suffix == ".png" else figure_page(found, figure).encode()
    return _written(out, content)


def report(study: Path | str, out: Path | str, *, results: Path | str = "results") -> Path:
    """Write everything about a study into one HTML page that works without a network.

    Args:
        study: its name, or its folder.
        out: a file that ends in ``.html``.
        results: folder that holds the studies.

    Raises:
        OutputError: the file cannot be written, or ends otherwise.
        SetupError: plotly is not installed.
        StudyError: there is no such study.
    """
    from dse.analysis.assumptions import assumptions
    from dse.plots.report import report_page
    from dse.results.studies import study_folder

    out = _ending(out, (".html",))
    found = _loaded(study, results)
    folder = study_folder(study, results)
    under = assumptions(found.trials, folder if folder.is_dir() else folder.parent)
    return _written(out, report_page(found, under).encode())


def dashboard(
    study: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    results: Path | str = "results",
    serving: Callable[[str], None] = lambda _address: None,
) -> None:
    """Serve a study with optuna-dashboard until interrupted; what is shown follows its log while the study goes on.

    Args:
        study: its name, or its folder.
        host: name or address to listen at; the default can be reached from this machine only.
        port: to listen at; 0 takes a free one.
        results: folder that holds the studies.
        serving: told the address when the server listens.

    Raises:
        SetupError: optuna-dashboard is not installed, or nothing can listen there.
        StudyError: there is no such study, it has no log, or the log is damaged.
    """
    from dse.dashboards.serve import server
    from dse.results.studies import study_folder

    with server(study_folder(study, results), host, port) as opened:
        serving(f"http://{host}:{opened.server_port}/")
        opened.serve_forever()


def _loaded(study: Path | str, results: Path | str) -> Study:
    from dse.plots.report import require_plotly
    from dse.plots.study import load
    from dse.results.studies import study_folder

    require_plotly()
    return load(study_folder(study, results))


def _ending(out: Path | str, known: Sequence[str]) -> Path:
    out = Path(out)
    if out.suffix not in known:
        raise OutputError(
            "a file of this kind cannot be drawn", where=out, expected=f"a name that ends in {' or '.join(known)}"
        )
    return out


def _written(out: Path, content: bytes) -> Path:
    from dse.files import write_output

    return write_output(out, lambda path: path.write_bytes(content))
