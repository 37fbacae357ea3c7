"""The commands. Each reads its options, calls the function of the same name in `dse.commands.run` and prints what it returns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dse.cli import options as opt
from dse.cli.components import components
from dse.cli.errors import ErrorsShown
from dse.cli.export import export
from dse.cli.output import Format
from dse.cli.plugins import plugins
from dse.cli.reading import dashboard, pareto, plot, query, report, show
from dse.cli.redundancy import redundancy

app = typer.Typer(
    cls=ErrorsShown,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(plugins, name="plugins")
app.add_typer(components, name="components")


def _version(asked: bool) -> None:
    if asked:
        import dse

        typer.echo(dse.__version__)
        raise typer.Exit


@app.callback()
def options(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version)] = False
) -> None:
    """Explore the design space of several BERT models served together on a ReRAM accelerator."""
    del version


@app.command()
def run(
    space: opt.Space,
    *,
    results: opt.Results = opt.RESULTS,
    trials: opt.Trials = None,
    seed: opt.Seed = None,
    device: opt.Device = opt.DeviceName.AUTO,
    cache: opt.Cache = None,
    plugin: opt.PluginFiles = None,
    in_process: opt.InProcess = False,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes that share a design's tasks, each on cores of its own.")
    ] = 1,
    start: Annotated[
        Path | None,
        typer.Option(
            "--start", help="Designs to evaluate first: a profile's proposals, or a front.", metavar="PARQUET"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Continue although plugins or the space file have changed.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Evaluate failed designs again first.")] = False,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Search a design space, or continue a search, and print the front."""
    from dse.cli.running import run_study

    del debug
    run_study(
        space,
        results=results,
        trials=trials,
        seed=seed,
        device=device.value,
        cache=cache,
        plugins=plugin or [],
        force=force,
        retry_failed=retry_failed,
        in_process=in_process,
        workers=workers,
        start=start,
        form=form,
        quiet=quiet,
    )


@app.command()
def check(
    space: opt.Space,
    *,
    device: opt.Device = opt.DeviceName.AUTO,
    cache: opt.Cache = None,
    plugin: opt.PluginFiles = None,
    in_process: opt.InProcess = False,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Resolve every plugin and parameter of a space file and cost one design; nothing is fine-tuned."""
    from dse.cli.running import check_space

    del debug
    check_space(
        space,
        device=device.value,
        cache=cache,
        plugins=plugin or [],
        in_process=in_process,
        form=form,
        quiet=quiet,
    )


@app.command()
def validate(
    study: opt.Study,
    *,
    results: opt.Results = opt.RESULTS,
    target_drop: Annotated[
        float | None,
        typer.Option("--target-drop", help="Points a design may lose: is there one that keeps it?", metavar="POINTS"),
    ] = None,
    least: Annotated[
        opt.Least, typer.Option("--least", help="Of what the design chosen for the target is to have least.")
    ] = opt.Least.AREA,
    chosen_only: Annotated[
        bool, typer.Option("--chosen-only", help="Score the design chosen for the target instead of the whole front.")
    ] = False,
    device: opt.Device = opt.DeviceName.AUTO,
    cache: opt.Cache = None,
    plugin: opt.PluginFiles = None,
    in_process: opt.InProcess = False,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Score a study's front on the report split, which no choice has seen."""
    from dse.cli.running import validate_study

    del debug
    validate_study(
        study,
        results=results,
        target_drop=target_drop,
        least=least.value,
        chosen_only=chosen_only,
        device=device.value,
        cache=cache,
        plugins=plugin or [],
        in_process=in_process,
        form=form,
        quiet=quiet,
    )


for command in (pareto, show, query, plot, report, dashboard):
    app.command()(command)


@app.command()
def profile(
    space: opt.Space,
    *,
    results: opt.Results = opt.RESULTS,
    generator: Annotated[str | None, typer.Option("--generator", help="Which one.", show_default="the first")] = None,
    compressor: Annotated[
        str | None, typer.Option("--compressor", help="Which one.", show_default="the first set per task")
    ] = None,
    max_drop: Annotated[
        list[float] | None,
        typer.Option(
            "--max-drop", help="Points a further proposal may cost on average; may be repeated.", metavar="POINTS"
        ),
    ] = None,
    least: Annotated[opt.Least, typer.Option("--least", help="Of what proposals are to have least.")] = opt.Least.AREA,
    device: opt.Device = opt.DeviceName.AUTO,
    cache: opt.Cache = None,
    plugin: opt.PluginFiles = None,
    in_process: opt.InProcess = False,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Measure how much compression each task bears, and propose designs to start a search from."""
    from dse.cli.running import profile_space

    del debug
    profile_space(
        space,
        results=results,
        generator=generator,
        compressor=compressor,
        max_drops=max_drop or [],
        least=least.value,
        device=device.value,
        cache=cache,
        plugins=plugin or [],
        in_process=in_process,
        form=form,
        quiet=quiet,
    )


@app.command()
def deltas(
    space: opt.Space,
    *,
    by_layer: Annotated[bool, typer.Option("--by-layer", help="One row for each layer of each task.")] = False,
    per_channel: Annotated[bool, typer.Option("--per-channel", help="One 8-bit grid for each output.")] = False,
    device: opt.Device = opt.DeviceName.AUTO,
    cache: opt.Cache = None,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Show how far fine-tuning moved each task from the base, on the base's 8-bit grid."""
    from dse.cli.running import show_deltas

    del debug
    show_deltas(
        space, by_layer=by_layer, per_channel=per_channel, device=device.value, cache=cache, form=form, quiet=quiet
    )


app.command()(redundancy)
app.command()(export)
