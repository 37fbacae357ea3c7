"""The commands that read results: each calls the function of the same name, and prints what it returns."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, TypedDict, Unpack

import typer

import dse
from dse.cli import options as opt
from dse.cli.errors import say
from dse.cli.output import Format, write_frame, write_front, write_record, write_sections
from dse.cli.progress import reporter
from dse.results.output import front_columns
from dse.results.studies import find

Figure: TypeAlias = Literal[
    "fronts", "fronts-3d", "tradeoff", "area", "energy", "drops", "parameters", "importance", "schedule", "hypervolume"
]
"""Names of the figures that `dse plot` draws."""


class Conditions(TypedDict):
    """Conditions that the designs of a front fulfil, and whether studies must be comparable."""

    max_drop: Annotated[float | None, opt.limit("Points of accuracy that a design may lose.", "POINTS")]
    max_area: Annotated[float | None, opt.limit("Largest array_area_ratio of a design.", "RATIO")]
    where: Annotated[str | None, typer.Option(help="Condition that a design fulfils, in SQL.", metavar="CONDITION")]
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Join studies that cannot be compared, and say what differs.")
    ]


def query(
    sql: Annotated[
        str,
        typer.Argument(
            metavar="SQL", help="Query over trials, pareto, studies, validation and baselines; - reads it from stdin."
        ),
    ],
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STUDY",
            help="Names of studies, their folders, folders of studies, or parquet files.",
            show_default="all studies in --results",
        ),
    ] = None,
    *,
    results: opt.Results = opt.RESULTS,
    time_limit: Annotated[float, opt.time_limit("End the query after this time.")] = 60.0,
    form: opt.FileForm = None,
    out: opt.Out = None,
) -> None:
    """Answer a query in SQL over one or many studies."""
    form = opt.choose_form(form, out)
    if sql == "-":
        sql = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape")
    frame = dse.query(
        sql, studies or (), results=results, time_limit_s=time_limit, say=lambda text: say(f"WARNING: {text}")
    )
    sources = find(studies or (), results) if form is Format.PARQUET else ()
    write_frame(frame, form, list(frame.columns), empty="no rows", out=out, sources=sources)
    _say_written(out)


def pareto(
    studies: Annotated[
        list[str],
        typer.Argument(metavar="STUDY", help="Names of studies, or folders; several studies have one joint front."),
    ],
    *,
    results: opt.Results = opt.RESULTS,
    by: Annotated[
        str | None, typer.Option(help="Column whose values have a front each, such as hardware.", metavar="COLUMN")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns to print, separated by commas: names, ends of names, or patterns.", metavar="A,B"),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="Column to sort by.", show_default="the first objective", metavar="COLUMN"),
    ] = None,
    descending: Annotated[bool, typer.Option("--descending", help="Sort with the largest value first.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Largest number of rows.")] = None,
    hypervolume: Annotated[
        bool,
        typer.Option("--hypervolume", help="Print the hypervolume that each front dominates, instead of its designs."),
    ] = False,
    form: opt.FileForm = None,
    out: opt.Out = None,
    **conditions: Unpack[Conditions],
) -> None:
    """Print the designs of a study that no other design beats, or the joint front of several studies."""
    form = opt.choose_form(form, out)
    for option, text in (("--columns", columns), ("--sort", sort)):
        if text is not None and not text.strip(", "):
            raise typer.BadParameter("it names no column", param_hint=option)
    wanted = [name.strip() for name in (columns or "").split(",") if name.strip()]
    sources = find(studies, results) if form is Format.PARQUET else ()
    if not hypervolume:
        wanted = wanted or (front_columns(sources) if sources else [])
        frame = dse.pareto(
            *studies,
            results=results,
            by=by,
            columns=wanted,
            sort=sort,
            descending=descending,
            limit=limit,
            **conditions,
        )
        some = any(conditions[name] is not None for name in ("max_drop", "max_area", "where"))
        empty = "no design of the front keeps these conditions" if some else "no design is on the front"
        write_front(frame, form, chosen=bool(wanted), out=out, empty=empty, sources=sources)
    elif by or wanted or sort or descending or limit:
        raise typer.BadParameter("--hypervolume prints no designs to choose columns of, to divide, to sort or to limit")
    else:
        frame = dse.hypervolume(*studies, results=results, **conditions)
        write_frame(frame, form, list(frame.columns), out=out)
        if frame["hypervolume"].isna().any():
            say("a front has no hypervolume where a metric of the reference point was not measured")
    if "differs" in frame.columns and len(frame):
        say(f"WARNING: these studies cannot be compared, since they differ in {frame['differs'][0]}")
    _say_written(out)


def show(
    study: opt.Study,
    trial: opt.Trial,
    *,
    by: Annotated[
        Literal["component", "owner", "layer", "matrix"] | None,
        typer.Option(
            help="Print the parts of its costs instead; options of models and plugins go with it.", show_default=False
        ),
    ] = None,
    results: opt.Results = opt.RESULTS,
    trust: opt.Trust = False,
    form: opt.FileForm = None,
    out: opt.Out = None,
    **shared: Unpack[opt.Loading],
) -> None:
    """Print everything that is known about one trial: in sections for people, by column as JSON and CSV."""
    form = opt.choose_form(form, out)
    if by is not None:
        with reporter(quiet=False) as observer:
            frame = dse.breakdown(
                study, trial, by=by, results=results, trust=trust, activity=observer.activity, **shared
            )
        write_frame(frame, form, list(frame.columns), out=out)
        _say_written(out)
    elif out is not None or any(value != opt.DEFAULTS.get(name) for name, value in shared.items()):
        raise typer.BadParameter(
            "--out, --device, --data, --cache and --plugin go with --by; without it, the trial is printed"
        )
    elif form in (Format.TABLE, Format.MARKDOWN):
        write_sections(dse.sections(study, trial, results=results, trust=trust, say=say), form)
    else:
        write_record(dse.show(study, trial, results=results), form)


def plot(
    study: opt.Study,
    *,
    out: Annotated[Path, typer.Option(help="File to write: .html, .png or .svg.", metavar="FILE")],
    figure: Annotated[Figure, typer.Option(help="What to draw.")] = "fronts",
    results: opt.Results = opt.RESULTS,
) -> None:
    """Draw one figure of a study into a file that works without a network."""
    _say_written(dse.plot(study, out, figure=figure, results=results))


def report(
    study: opt.Study,
    *,
    out: Annotated[Path, typer.Option(help="File to write: .html.", metavar="FILE")],
    results: opt.Results = opt.RESULTS,
    trust: opt.Trust = False,
) -> None:
    """Write every figure, the front and the provenance of a study into one HTML page that works without a network."""
    _say_written(dse.report(study, out, results=results, trust=trust, say=say))


def dashboard(
    study: opt.Study,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free port.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    results: opt.Results = opt.RESULTS,
) -> None:
    """Show a study in the browser while it runs, with optuna-dashboard; Ctrl-C ends it."""
    with suppress(KeyboardInterrupt):
        dse.dashboard(study, host=host, port=port, results=results, serving=lambda at: say(f"serving {study} at {at}"))


def _say_written(out: Path | None) -> None:
    if out is not None:
        say(f"written: {out}")
