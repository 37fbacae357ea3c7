"""The commands `dse components ...`: tables of component costs that come with hardware models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dse.cli import options as opt
from dse.cli.errors import ErrorsShown, say
from dse.records.callbacks import ignore_message

components = typer.Typer(
    cls=ErrorsShown, help="Tables of component costs that come with hardware models.", no_args_is_help=True
)


@components.callback()
def group() -> None:
    """Keep `build` a command of its own although it is the only one."""


@components.command("build")
def components_build(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a hardware model.", show_default=False)],
    *,
    python: Annotated[
        str | None,
        typer.Option(
            "--python", help="Python to make the environment with.", show_default="the first that is new enough"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write.", metavar="FILE", show_default="the model's own table"),
    ] = None,
    plugin: opt.PluginFiles = None,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Make the component table of a hardware model anew, in an environment of its own with the packages it needs."""
    from dse.commands.components_build import components_build as build

    del debug
    built = build(name, python=python, out=out, plugins=plugin or [], say=ignore_message if quiet else say)
    sys.stdout.write(f"{built.file}\n")
    if not quiet:
        same = "the same as the table that comes with the model"
        say(same if not built.changed else f"{built.changed} lines differ from the table that comes with the model")
