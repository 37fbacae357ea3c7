"""The commands `dse components ...`: tables of component costs that come with hardware models."""

import sys
from pathlib import Path
from typing import Annotated, Unpack

import typer

import dse
from dse.cli import options as opt
from dse.cli.errors import say
from dse.records.callbacks import ignore_message

components = opt.make_group("Tables of component costs that come with hardware models.")


@components.callback()
def keep_name() -> None:
    """Keep `build` a command of its own although the group has no other."""


def components_build(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a hardware model.")],
    *,
    python: Annotated[
        str | None,
        typer.Option(help="Python to make the environment with.", show_default="the first that is new enough"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write.", metavar="FILE", show_default="the model's own table")
    ] = None,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.Plugins],
) -> None:
    """Make the component table of a hardware model again, in a separate environment with the packages that it needs."""
    built = dse.components_build(name, python=python, out=out, say=ignore_message if quiet else say, **shared)
    sys.stdout.write(f"{built.file}\n")
    if not quiet:
        say(f"{built.changed or 'no'} lines differ from the table that comes with the model")


opt.add_command(components, components_build, "build")
