"""The commands that load models: each calls the function of the same name, and prints what it returns."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

import dse
from dse.cli import options as opt
from dse.cli.errors import FAILED, INTERRUPTED, say
from dse.cli.output import COSTS, Format, cell, write_frame, write_front, write_record, write_rows
from dse.cli.progress import reporter

if TYPE_CHECKING:
    from dse.commands.check import SpaceReport

SHOWN = (
    "trial", "area_mm2", "energy_uj", "array_area_ratio",
    "search.accuracy_drop", "report.accuracy_drop", "report.accuracy_drop_low", "report.accuracy_drop_high",
)  # fmt: skip
PUBLISHED_DELTAS = "cosine 0.991 to 0.999, nonzero 0.026 to 0.42, magnitude 1.00 to 1.35"


def run(
    space: opt.Space,
    *,
    results: opt.Results = opt.RESULTS,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1, max=2**63 - 1, help="Number of trials in all sessions.", show_default="value in the space file"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**32 - 1, help="Seed of the search.", show_default="value in the space file"),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=1024, help="Processes that share a design's tasks, each on cores of its own.")
    ] = 1,
    start: Annotated[
        Path | None,
        typer.Option(help="Designs to evaluate first: a profile's proposals, or a front.", metavar="FILE"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Continue even if plugins or the space file have changed.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Evaluate failed designs again first.")] = False,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.OnCluster],
) -> None:
    """Search a design space, or continue a search, and print the front."""
    with reporter(quiet=quiet) as observer:
        done = dse.run(
            space,
            results=results,
            trials=trials,
            seed=seed,
            force=force,
            retry_failed=retry_failed,
            start=start,
            workers=workers,
            observer=observer,
            activity=observer.activity,
            **shared,
        )
    if done.interrupted:
        say(
            f"interrupted after {done.progress.evaluated} of {done.progress.total} trials, all of them kept in {done.folder}"
        )
        say("run the same command again to continue")
        raise typer.Exit(INTERRUPTED)
    write_front(dse.pareto(done.folder), form)
    observer.note(f"front: {done.pareto}")
    observer.note(f"all trials: {done.trials}")
    if done.progress.failed and done.progress.failed == done.progress.evaluated:
        say(f"error: every trial failed; `dse show {done.folder} 0` says why, and --retry-failed evaluates them again")
        raise typer.Exit(FAILED)


def check(
    space: opt.Space, *, form: opt.Form = Format.TABLE, quiet: opt.Quiet = False, **shared: Unpack[opt.Evaluating]
) -> None:
    """Resolve every plugin and parameter of a space file and cost one design; nothing is fine-tuned."""
    with reporter(quiet=quiet) as observer:
        report = dse.check(space, activity=observer.activity, **shared)
    parameters = [asdict(item) for item in report.parameters]
    columns = ("name", "values", "choices", "unit", "summary")
    if form is Format.JSON:
        write_record(asdict(report), form)
    elif form is Format.CSV:
        write_rows(parameters, form, columns)
    else:
        _write_report(report)
        write_rows(parameters, form, columns, empty="no parameters")


def validate(
    study: opt.Study,
    *,
    results: opt.Results = opt.RESULTS,
    target_drop: Annotated[
        float | None,
        opt.limit("Points that a design may lose; a design is chosen for this target, and checked.", "POINTS"),
    ] = None,
    least: opt.Least = "area",
    chosen_only: Annotated[
        bool, typer.Option("--chosen-only", help="Score the design chosen for the target instead of the whole front.")
    ] = False,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.OnCluster],
) -> None:
    """Score a study's front on the report split, which no choice has seen."""
    with reporter(quiet=quiet) as observer:
        done = dse.validate(
            study,
            results=results,
            target_drop=target_drop,
            least=least,
            chosen_only=chosen_only,
            activity=observer.activity,
            **shared,
        )
    columns = [*SHOWN, *done.rows.columns] if form is not Format.TABLE else SHOWN
    write_frame(done.rows, form, list(dict.fromkeys(columns)))
    than = "larger" if done.optimism > 0 else "smaller"
    observer.note(
        f"drops are {abs(done.optimism):.3f} points {than} on the report split, on average over {len(done.rows)} designs"
    )
    if target_drop is not None and done.choice is None:
        observer.note(f"no design keeps a drop of {target_drop:g} points on the search split with everything resident")
    elif done.choice is not None:
        observer.note(f"a drop of {target_drop:g} points is {'met' if done.met else 'NOT met'} by trial {done.choice}")
    observer.note(f"rule: {done.rule}")
    observer.note(f"both splits: {done.path}")


def profile(
    space: opt.Space,
    *,
    results: opt.Results = opt.RESULTS,
    generator: Annotated[str | None, typer.Option(help="Generator to profile.", show_default="the first")] = None,
    compressor: Annotated[
        str | None, typer.Option(help="Compressor to profile.", show_default="the first set per task")
    ] = None,
    max_drop: Annotated[
        list[float] | None,
        opt.limit("Points that a further proposal may lose on average; may be repeated.", "POINTS", repeated=True),
    ] = None,
    least: opt.Least = "area",
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.OnCluster],
) -> None:
    """Measure how much compression each task tolerates, and propose designs to start a search from."""
    with reporter(quiet=quiet) as observer:
        done = dse.profile(
            space,
            results=results,
            generator=generator,
            compressor=compressor,
            max_drops=max_drop or (),
            least=least,
            activity=observer.activity,
            **shared,
        )
    if form is not Format.TABLE:
        write_frame(done.table, form, list(done.table.columns))
    else:
        names = ("proposal", "expected_drop", "array_area_ratio", "energy_ratio", "area_mm2")
        chosen = [name for name in done.proposals.columns if name.startswith(("param.generator", "param.compressor"))]
        write_frame(done.proposals, form, [*names, *chosen])
    observer.note(f"what each task tolerates: {done.path}")
    observer.note(f"designs to start from: dse run {space} --start {done.proposals_path}")


def deltas(
    space: opt.Space,
    *,
    by_layer: Annotated[bool, typer.Option("--by-layer", help="Print one row per layer of each task.")] = False,
    per_channel: Annotated[bool, typer.Option("--per-channel", help="Use one 8-bit grid per output.")] = False,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.Models],
) -> None:
    """Show how far fine-tuning moved each task from the base, on the base's 8-bit grid."""
    with reporter(quiet=quiet) as observer:
        table = dse.deltas(space, per_channel=per_channel, activity=observer.activity, **shared)
    columns = [name for name in table.columns if by_layer or name != "layer"]
    write_frame(table[(table["layer"] != "all") == by_layer], form, columns)
    observer.note(f"published for BERT-base on GLUE (ICCAD 2021): {PUBLISHED_DELTAS}")


def redundancy(
    space: opt.Space,
    *,
    results: opt.Results = opt.RESULTS,
    rows: Annotated[
        int,
        typer.Option(
            min=1,
            max=2**63 - 1,
            help="Number of training rows: over all tasks together for similarity, and per task for importance.",
        ),
    ] = 384,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.Evaluating],
) -> None:
    """Measure how similar the tasks' layers are, and how much each layer, head and column contributes."""
    with reporter(quiet=quiet) as observer:
        done = dse.redundancy(space, results=results, rows=rows, activity=observer.activity, **shared)
    every = form is not Format.TABLE  # a table for people leaves out the columns of single pairs of tasks
    write_frame(done.table, form, [name for name in done.table.columns if every or "." not in name])
    observer.note(f"what is redundant: {done.path}")


def verify_folder(folder: Path | None) -> None:
    """Print each file of an export that is not what was written, and end the command; without a folder, do nothing."""
    if folder is None:
        return
    states = dse.verify_export(folder)
    for name, state in states.items():
        sys.stdout.write(f"{state}: {name}\n")
    if states:
        say(f"error: {len(states)} files of {folder} are not what was written")
        raise typer.Exit(FAILED)
    sys.stdout.write(f"every file of {folder} is what was written\n")
    raise typer.Exit


def export(
    study: opt.Study,
    trial: opt.Trial,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; new, or empty.")],
    *,
    results: opt.Results = opt.RESULTS,
    rows: Annotated[
        bool, typer.Option("--rows", help="Export the rows that were scored, too; mind the licences of the data.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Load the export in a process of its own and score every task.")
    ] = False,
    verify: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            is_eager=True,
            callback=verify_folder,
            help="Compare every file of an export with what was written, and do nothing else.",
        ),
    ] = None,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    **shared: Unpack[opt.Evaluating],
) -> None:
    """Export a design: packed weights, the place of every array, schedule and hardware, and how to load it."""
    del verify  # its callback has ended the command
    with reporter(quiet=quiet) as observer:
        done = dse.export(
            study, trial, folder, results=results, rows=rows, check=check, activity=observer.activity, **shared
        )
    write_frame(done.scores, form, list(done.scores.columns))
    observer.note(f"exported: {done.folder} ({done.megabytes:.1f} MB)")
    if check and done.scores["difference"].any():
        say("error: the export does not reproduce the recorded scores")
        raise typer.Exit(FAILED)


def _write_report(report: SpaceReport) -> None:
    from dse.results.plain import plain_value

    size = "endless" if math.isinf(report.size) else f"{report.size:.6g}"
    lines = [
        f"study       {report.name}",
        f"tasks       {', '.join(report.tasks)} ({report.layers} layers each)",
        *(f"{kind:<11} {', '.join(names)}" for kind, names in report.plugins.items()),
        *(f"objective   {text}" for text in report.goals),
        *(f"constraint  {text}" for text in report.limits),
        f"designs     {size}",
        f"trials      {report.trials}",
    ]
    lines += [f"data        {facts.sentence()}" for facts in report.data]
    lines += [f"classes     {text}" for facts in report.data if (text := facts.class_sentence())]
    lines += [f"baseline    {facts.sentence()}" for facts in report.baselines]
    lines += [f"WARNING     {text}" for facts in report.data for text in facts.warnings()]
    lines += [f"WARNING     {text}" for facts in report.baselines if (text := facts.warning())]
    lines += [f"WARNING     {report.warning}"] if report.warning else []
    measured = {name: report.cost[name] for name in (*COSTS, *report.objectives) if report.cost.get(name) is not None}
    costs = ", ".join(f"{name} {cell(plain_value(value))}" for name, value in measured.items())
    lines.append(f"cost        of the design with every default, before fine-tuning: {costs}")
    lines += [f"limits      that design breaks: {reason}" for reason in report.violations]
    sys.stdout.write("\n".join(lines) + "\n")
