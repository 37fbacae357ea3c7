"""The commands `dse plugins ...`: list plugins, describe one, check one, and write a new one."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Unpack

import typer

import dse
from dse.cli import options as opt
from dse.cli.errors import FAILED, say
from dse.cli.output import Format, write_record, write_rows
from dse.cli.progress import reporter

if TYPE_CHECKING:
    from dse.commands.plugins_info import PluginDetails

TimeLimit: TypeAlias = Annotated[float, opt.time_limit("End a plugin that is silent for this time.")]
plugins = opt.make_group("List, describe, check and create plugins.")


def plugins_list(
    *,
    form: opt.Form = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    time_limit: TimeLimit = 20.0,
    **shared: Unpack[opt.Plugins],
) -> None:
    """List every plugin: those that work, those that do not load and why, those that are switched off."""
    rows = [info.as_dict() for info in dse.plugins_list(time_limit_s=time_limit, **shared)]
    columns = ["kind", "name", "version", "distribution", "status", "summary", "reason"]
    if form is Format.TABLE and not as_json and not any(row["reason"] for row in rows):
        columns.remove("reason")
    write_rows(rows, Format.JSON if as_json else form, columns, empty="no plugin is installed")


def plugins_info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a plugin.")],
    *,
    kind: Annotated[
        opt.Kind | None,
        typer.Option(help="Kind of the plugin, if several plugins have the name.", show_default="the only one"),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="Space file whose encoder, tasks, traffic and options decide the ranges.", metavar="FILE"),
    ] = None,
    time_limit: TimeLimit = 20.0,
    form: opt.Form = Format.TABLE,
    **shared: Unpack[opt.Plugins],
) -> None:
    """Print everything about one plugin: where it comes from, its options, and its parameters with their ranges."""
    details = dse.plugins_info(name, kind, space=space, time_limit_s=time_limit, **shared)
    if form is Format.JSON:
        write_record(details.as_dict(), form)
    elif form is Format.CSV:
        write_rows(_parameter_rows(details), form, COLUMNS)
    else:
        _write_details(details)


def plugins_check(
    target: Annotated[
        str,
        typer.Argument(metavar="PATH|NAME", help="A .py file, a package's folder, or an installed plugin."),
    ],
    *,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Value of an option, written as in TOML; may be repeated."),
    ] = None,
    time_limit: TimeLimit = 120.0,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
) -> None:
    """Run the conformance suite of a plugin's kind on it; the status is 1 if any check fails."""
    with reporter(quiet=quiet) as observer:
        options = opt.read_toml_options(option or [])
        results = dse.plugins_check(target, options=options, activity=observer.activity, time_limit_s=time_limit)
    rows = [result.as_dict() for result in results]
    columns = ["kind", "plugin", "outcome", "check", "reason", "meaning"]
    if form is Format.TABLE:
        rows = [
            row | {"reason": f"{row['reason']}; must hold: {row['meaning']}"} if row["outcome"] == "failed" else row
            for row in rows
        ]
        several = len({(row["kind"], row["plugin"]) for row in rows}) > 1
        reasons = any(row["reason"] for row in rows)
        columns = [*(columns[:2] if several else ()), *columns[2:4], *(columns[4:5] if reasons else ())]
    write_rows(rows, form, columns)
    count = Counter(result.outcome for result in results)
    observer.note(", ".join(f"{count[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped")))
    if count["failed"]:
        raise typer.Exit(FAILED)


def plugins_new(
    kind: Annotated[opt.Kind, typer.Argument(metavar="KIND", help="Kind of plugin.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the plugin in space files.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into, new or empty.", show_default="dse-NAME")
    ] = None,
    description: Annotated[
        str,
        typer.Option(help="One line about the plugin.", show_default="what the plugin does as written"),
    ] = "",
    quiet: opt.Quiet = False,
) -> None:
    """Write a package with a small plugin that works, ready to be changed."""
    written = dse.plugins_new(kind, name, out=out, description=description)
    sys.stdout.write("".join(f"{path}\n" for path in written.files))
    if not quiet:
        folder = shlex.quote(str(written.folder))
        say(f"install it: pip install -e {folder if '/' in folder else f'./{folder}'}")
        say(f"test it: pytest {folder}")


COLUMNS = ("parameter", "values", "default", "limits", "unit", "scope", "summary")
"""Columns of the table of parameters."""


def _parameter_rows(details: PluginDetails) -> list[dict[str, Any]]:
    from dse.records.parameters import Choice, Permutation
    from dse.space.domain import values_text

    rows = []
    for item in details.parameters:
        row = {"parameter": item.name, "unit": item.unit, "scope": ", ".join(item.scope), "summary": item.summary}
        if isinstance(item, Permutation):
            row |= {"values": "an order of the tasks", "default": "as listed", "limits": ""}
        else:
            wide = item.allowed if isinstance(item, Choice) else item.limits
            word = ", " if isinstance(item, Choice) else " to "
            limits = word.join(str(value) for value in wide or ())
            row |= {"values": values_text(item), "default": str(item.default), "limits": limits}
        rows.append(row)
    return rows


def _write_details(details: PluginDetails) -> None:
    from dse.space.toml_text import toml_value
    from dse.testing.anchors import FAR

    head = ("kind", "name", "version", "distribution", "status", "reason", "summary", "source")
    lines = [f"{name:<13} {text}" for name in head if (text := getattr(details, name))]
    lines += [f"uncharged     {name}: {reason}" for name, reason in details.uncharged.items()]
    told = ", ".join(f"{name.rpartition('_')[0]} {ratio:.2g}x" for name, ratio in details.unit_costs.items())
    far = any(not 1 / FAR <= ratio <= FAR for ratio in details.unit_costs.values())
    lines += [f"unit costs    {told} ISAAC's" + far * f"; beyond {FAR:g}x: check the units"] if told else []
    sys.stdout.write("\n".join(lines) + "\n")
    if details.status != "ok":
        return
    options = [
        {
            "option": item.name,
            "type": item.type,
            "default": "required" if item.required else "unset" if item.default is None else toml_value(item.default),
            "meaning": item.meaning,
        }
        for item in details.options
    ]
    sys.stdout.write("\n")
    write_rows(options, Format.TABLE, ("option", "type", "default", "meaning"), empty="no options")
    sys.stdout.write("\n")
    if details.undeclared:
        sys.stdout.write(f"parameters: unknown, since the plugin raised {details.undeclared}\n")
        return
    write_rows(_parameter_rows(details), Format.TABLE, COLUMNS, empty="no parameters")
    if details.example:
        names = ", ".join(details.example)
        sys.stdout.write(
            "\nranges that follow from the encoder, tasks or traffic, here those of a small example "
            f"(--space FILE shows yours): {names}\n"
        )


for name, command in (("list", plugins_list), ("info", plugins_info), ("check", plugins_check), ("new", plugins_new)):
    opt.add_command(plugins, command, name)
