"""What `dse run` and `dse check` do around the functions of the same names: progress, results, the way to go on."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import typer

import dse
from dse.cli.errors import INTERRUPTED, say
from dse.cli.output import Format, cell, write_front, write_record, write_rows
from dse.cli.progress import reporter
from dse.commands.check import SpaceReport
from dse.results.plain import plain_value

SHOWN = (
    "trial",
    "area_mm2",
    "energy_uj",
    "array_area_ratio",
    "search.accuracy_drop",
    "report.accuracy_drop",
    "report.accuracy_drop_low",
    "report.accuracy_drop_high",
)
PUBLISHED_DELTAS = "cosine 0.991 to 0.999, nonzero 0.026 to 0.42, magnitude 1.00 to 1.35"
COSTS = ("area_mm2", "energy_uj", "latency_us", "area_ratio", "array_area_ratio", "energy_ratio", "offchip_mb")


def run_study(
    space: Path,
    *,
    results: Path,
    trials: int | None,
    seed: int | None,
    device: str,
    cache: Path | None,
    plugins: Sequence[Path],
    force: bool,
    retry_failed: bool,
    in_process: bool,
    workers: int,
    start: Path | None,
    form: Format,
    quiet: bool,
) -> None:
    """Run or continue a study and print its front."""
    with reporter(quiet=quiet) as observer:
        done = dse.run(
            space,
            results=results,
            trials=trials,
            seed=seed,
            device=device,
            cache=cache,
            plugins=plugins,
            force=force,
            retry_failed=retry_failed,
            start=start,
            in_process=in_process,
            workers=workers,
            observer=observer,
            activity=observer.activity,
        )
    if done.interrupted:
        say(
            f"interrupted after {done.progress.evaluated} of {done.progress.total} trials, all of them kept in {done.folder}"
        )
        say("run the same command again to continue")
        raise typer.Exit(INTERRUPTED)
    write_front(dse.pareto(done.folder), form)
    if not quiet:
        say(f"front: {done.pareto}")
        say(f"all trials: {done.trials}")


def validate_study(
    study: str,
    *,
    results: Path,
    target_drop: float | None,
    least: Literal["area", "energy"],
    chosen_only: bool,
    device: str,
    cache: Path | None,
    plugins: Sequence[Path],
    in_process: bool,
    form: Format,
    quiet: bool,
) -> None:
    """Validate a study, print both splits side by side, and say what they mean."""
    with reporter(quiet=quiet) as observer:
        done = dse.validate(
            study,
            results=results,
            target_drop=target_drop,
            least=least,
            chosen_only=chosen_only,
            device=device,
            cache=cache,
            plugins=plugins,
            in_process=in_process,
            activity=observer.activity,
        )
    columns = [*SHOWN, *done.rows.columns] if form is not Format.TABLE else SHOWN
    rows: list[dict[Any, Any]] = done.rows.to_dict("records")
    write_rows(rows, form, list(dict.fromkeys(columns)))
    if quiet:
        return
    than = "larger" if done.optimism > 0 else "smaller"
    say(
        f"drops are {abs(done.optimism):.3f} points {than} on the report split, on average over {len(done.rows)} designs"
    )
    if target_drop is not None and done.choice is None:
        say(f"no design keeps a drop of {target_drop:g} points on the search split with everything resident")
    elif done.choice is not None:
        say(f"a drop of {target_drop:g} points is {'met' if done.met else 'NOT met'} by trial {done.choice}")
    say(f"rule: {done.rule}")
    say(f"both splits: {done.path}")


def check_space(
    space: Path,
    *,
    device: str,
    cache: Path | None,
    plugins: Sequence[Path],
    in_process: bool,
    form: Format,
    quiet: bool,
) -> None:
    """Check a space file and print what it comes to."""
    with reporter(quiet=quiet) as observer:
        report = dse.check(
            space, device=device, cache=cache, plugins=plugins, in_process=in_process, activity=observer.activity
        )
    parameters = [asdict(item) for item in report.parameters]
    columns = ("name", "values", "choices", "unit", "summary")
    if form is Format.JSON:
        write_record(asdict(report), form)
    elif form is Format.CSV:
        write_rows(parameters, form, columns)
    else:
        _write_report(report)
        write_rows(parameters, form, columns, empty="no parameters")


def profile_space(
    space: Path,
    *,
    results: Path,
    generator: str | None,
    compressor: str | None,
    max_drops: Sequence[float],
    least: Literal["area", "energy"],
    device: str,
    cache: Path | None,
    plugins: Sequence[Path],
    in_process: bool,
    form: Format,
    quiet: bool,
) -> None:
    """Profile a space, and print what each task gets in each proposal."""
    from dse.commands.profile import profile

    with reporter(quiet=quiet) as observer:
        done = profile(
            space,
            results=results,
            generator=generator,
            compressor=compressor,
            max_drops=max_drops,
            least=least,
            device=device,
            cache=cache,
            plugins=plugins,
            in_process=in_process,
            activity=observer.activity,
        )
    if form is not Format.TABLE:
        rows: list[dict[Any, Any]] = done.table.to_dict("records")
        write_rows(rows, form, list(done.table.columns))
    else:
        designs: list[dict[Any, Any]] = done.proposals.to_dict("records")
        names = ("proposal", "expected_drop", "array_area_ratio", "energy_ratio", "area_mm2")
        chosen = [name for name in done.proposals.columns if name.startswith(("param.generator", "param.compressor"))]
        write_rows(designs, form, [*names, *chosen])
    if not quiet:
        say(f"what each task bears: {done.path}")
        say(f"designs to start from: dse run {space} --start {done.proposals_path}")


def show_deltas(
    space: Path, *, by_layer: bool, per_channel: bool, device: str, cache: Path | None, form: Format, quiet: bool
) -> None:
    """Print how far fine-tuning moved each task, and what was published for other models."""
    with reporter(quiet=quiet) as observer:
        table = dse.deltas(space, per_channel=per_channel, device=device, cache=cache, activity=observer.activity)
    rows: list[dict[Any, Any]] = table[(table["layer"] != "all") == by_layer].to_dict("records")
    columns = [name for name in table.columns if by_layer or name != "layer"]
    write_rows(rows, form, columns)
    if not quiet:
        say(f"published for BERT-base on GLUE (ICCAD 2021): {PUBLISHED_DELTAS}")


def _write_report(report: SpaceReport) -> None:
    size = "endless" if math.isinf(report.size) else f"{report.size:.6g}"
    lines = [
        f"study       {report.name}",
        f"tasks       {', '.join(report.tasks)} ({report.layers} layers each)",
        *(f"{kind:<11} {', '.join(names)}" for kind, names in report.plugins.items()),
        f"objectives  {', '.join(report.objectives)}",
        f"designs     {size}",
        f"trials      {report.trials}",
    ]
    lines += [f"data        {facts.sentence()}" for facts in report.data]
    known = {name: report.cost.get(name) for name in COSTS}
    costs = ", ".join(f"{name} {cell(plain_value(value))}" for name, value in known.items() if value is not None)
    lines.append(f"cost        of the design with every default, before fine-tuning: {costs}")
    lines += [f"limits      that design breaks: {reason}" for reason in report.violations]
    sys.stdout.write("\n".join(lines) + "\n")
