"""The command that sweeps a space: it calls the function of the same name, and prints the front."""

from pathlib import Path
from typing import Annotated, Literal, Unpack

import typer

import dse
from dse.cli import options as opt
from dse.cli.errors import INTERRUPTED, say
from dse.cli.output import Format, write_front
from dse.cli.progress import reporter


def sweep(
    space: opt.Space,
    *,
    designs: Annotated[
        int | None,
        typer.Option(
            min=1, max=2**40, help="Number of designs, spread over the space.", show_default="all of a finite space"
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Condition in SQL over the columns; other designs leave no row.", metavar="SQL")
    ] = None,
    keep: Annotated[Literal["all", "front"], typer.Option(help="Rows to keep.")] = "all",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the sweep.", metavar="FOLDER", show_default="RESULTS/NAME-sweep"),
    ] = None,
    results: opt.Results = opt.RESULTS,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.Loading],
) -> None:
    """Cost every design of a space, or many of them, without scores, and print the front."""
    with reporter(quiet=quiet) as observer:
        done = dse.sweep(
            space,
            designs=designs,
            where=where,
            keep=keep,
            out=out,
            results=results,
            activity=observer.activity,
            **shared,
        )
    if done.interrupted:
        say(f"interrupted; the parts that are whole are kept in {done.folder}: run the same command again to continue")
        raise typer.Exit(INTERRUPTED)
    write_front(dse.pareto(done.folder), form)
    observer.note(f"front: {done.pareto}")
