"""The command `dse`: its groups, and the order in which its help lists the commands."""

from typing import Annotated

import typer

from dse.cli import reading, running, sweeping
from dse.cli.cells import cells
from dse.cli.cluster import cluster
from dse.cli.components import components
from dse.cli.options import add_command, make_group
from dse.cli.plugins import plugins

app = make_group("Explore the design space of several BERT models served together on a ReRAM accelerator.")
app.add_typer(plugins, name="plugins")
app.add_typer(components, name="components")
app.add_typer(cells, name="cells")
app.add_typer(cluster, name="cluster")


def _print_version(asked: bool) -> None:
    if asked:
        import dse

        typer.echo(dse.__version__)
        raise typer.Exit


@app.callback()
def options(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_print_version)] = False
) -> None:
    """Read the options that stand before a command."""
    del version


for command in (
    running.run,
    sweeping.sweep,
    running.check,
    running.validate,
    reading.pareto,
    reading.show,
    reading.query,
    reading.plot,
    reading.report,
    reading.dashboard,
    running.profile,
    running.deltas,
    running.redundancy,
    running.export,
):
    add_command(app, command)
