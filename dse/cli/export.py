"""The command `dse export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dse.cli import options as opt
from dse.cli.errors import FAILED, say
from dse.cli.output import Format, write_rows


def export(
    study: opt.Study,
    trial: Annotated[int, typer.Argument(metavar="TRIAL", help="Number of a trial.", show_default=False)],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; new, or empty.", show_default=False)],
    *,
    results: opt.Results = opt.RESULTS,
    rows: Annotated[
        bool, typer.Option("--rows", help="Export the rows that scores are of, too; mind the licences of the data.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Load the export in a process of its own and score every task.")
    ] = False,
    device: opt.Device = opt.DeviceName.AUTO,
    cache: opt.Cache = None,
    plugin: opt.PluginFiles = None,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Export a design: packed weights, the place of every array, schedule and hardware, and how to load it."""
    from dse.cli.progress import reporter
    from dse.commands.export import export as write

    del debug
    with reporter(quiet=quiet) as observer:
        done = write(
            study,
            trial,
            folder,
            results=results,
            rows=rows,
            check=check,
            device=device.value,
            cache=cache,
            plugins=plugin or [],
            activity=observer.activity,
        )
    found: list[dict[Any, Any]] = done.scores.to_dict("records")
    write_rows(found, form, list(done.scores.columns))
    if not quiet:
        say(f"exported: {done.folder} ({done.megabytes:.1f} MB)")
    if check and done.scores["difference"].any():
        say("error: the export does not reproduce the recorded scores")
        raise typer.Exit(FAILED)
