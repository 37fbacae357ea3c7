"""The command `dse redundancy`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dse.cli import options as opt
from dse.cli.errors import say
from dse.cli.output import Format, write_rows
from dse.commands.redundancy import ROWS


def redundancy(
    space: opt.Space,
    *,
    results: opt.Results = opt.RESULTS,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="Training rows: over all tasks for similarity, of each for importance.")
    ] = ROWS,
    device: opt.Device = opt.DeviceName.AUTO,
    cache: opt.Cache = None,
    plugin: opt.PluginFiles = None,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Measure how alike the tasks' layers are, what each is worth, and what in it is worth little."""
    from dse.cli.progress import reporter
    from dse.commands.redundancy import redundancy as measure

    del debug
    with reporter(quiet=quiet) as observer:
        done = measure(
            space,
            results=results,
            rows=rows,
            device=device.value,
            cache=cache,
            plugins=plugin or [],
            activity=observer.activity,
        )
    found: list[dict[Any, Any]] = done.table.to_dict("records")
    every = form is not Format.TABLE  # a table for people leaves out the columns of single pairs of tasks
    write_rows(found, form, [name for name in done.table.columns if every or "." not in name])
    if not quiet:
        say(f"what is redundant: {done.path}")
