"""The commands `dse plugins ...`: what is installed, what one of them declares, whether it works, and a new one."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli import options as opt
from dse.cli.errors import FAILED, ErrorsShown, say
from dse.cli.output import Format, write_record, write_rows

if TYPE_CHECKING:
    from dse.commands.plugins_info import PluginDetails

plugins = typer.Typer(
    cls=ErrorsShown, help="Plugins: what is installed, what does not load, how to write one.", no_args_is_help=True
)


@plugins.command("list")
def plugins_list(
    *,
    plugin: opt.PluginFiles = None,
    form: opt.Form = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    debug: opt.Debug = False,
) -> None:
    """List every plugin found: those that work, those that do not load and why, those switched off."""
    import dse

    del debug
    rows = [info.as_dict() for info in dse.plugins_list(plugins=plugin or [])]
    columns = ["kind", "name", "version", "distribution", "status", "summary", "reason"]
    if form is Format.TABLE and not as_json and not any(row["reason"] for row in rows):
        columns.remove("reason")
    write_rows(rows, Format.JSON if as_json else form, columns, empty="no plugin is installed")


@plugins.command("info")
def plugins_info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a plugin.", show_default=False)],
    *,
    kind: opt.PluginKind = None,
    plugin: opt.PluginFiles = None,
    form: opt.Form = Format.TABLE,
    debug: opt.Debug = False,
) -> None:
    """Print everything about one plugin: where it comes from, its options, and its parameters with their ranges."""
    from dse.commands.plugins_info import plugins_info as find

    del debug
    found = find(name, kind.value if kind else None, plugin or [])
    if form is Format.JSON:
        write_record(found.as_dict(), form)
    elif form is Format.CSV:
        write_rows(_parameters(found), form, COLUMNS)
    else:
        _write_details(found)


@plugins.command("check")
def plugins_check(
    target: Annotated[
        str,
        typer.Argument(
            metavar="PATH|NAME", help="A .py file, a package's folder, or an installed plugin.", show_default=False
        ),
    ],
    *,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="An option instead of its default (TOML); may be repeated."),
    ] = None,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Run the conformance suite of its kind on a plugin; status 1 if any check fails."""
    from dse.cli.progress import reporter
    from dse.commands.plugins_check import plugins_check as check

    del debug
    with reporter(quiet=quiet) as observer:
        results = check(target, options=opt.toml_options(option or []), activity=observer.activity)
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
    if not quiet:
        say(", ".join(f"{count[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped")))
    if count["failed"]:
        raise typer.Exit(FAILED)


@plugins.command("new")
def plugins_new(
    kind: Annotated[opt.KindName, typer.Argument(metavar="KIND", help="What it is.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What space files will call it.", show_default=False)],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write into, new or empty.", show_default="dse-NAME")
    ] = None,
    description: Annotated[
        str, typer.Option("--description", help="One line.", show_default="what the plugin does as written")
    ] = "",
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Write a package with a small plugin that works, ready to be changed."""
    from dse.commands.plugins_new import plugins_new as write

    del debug
    written = write(kind.value, name, out=out, description=description)
    sys.stdout.write("".join(f"{path}\n" for path in written.files))
    if not quiet:
        folder = shlex.quote(str(written.folder))
        say(f"install it: pip install -e {folder if '/' in folder else f'./{folder}'}")
        say(f"test it: pytest {folder}")


COLUMNS = ("parameter", "values", "default", "limits", "unit", "scope", "summary")
"""Of the table of parameters."""


def _parameters(found: PluginDetails) -> list[dict[str, Any]]:
    from dse.records.parameters import Choice, Permutation
    from dse.space.domain import values_text

    rows = []
    for item in found.parameters:
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


def _write_details(found: PluginDetails) -> None:
    from dse.space.toml_text import toml_value

    head = ("kind", "name", "version", "distribution", "status", "reason", "summary", "source")
    lines = [f"{name:<13} {text}" for name in head if (text := getattr(found, name))]
    sys.stdout.write("\n".join(lines) + "\n")
    if found.status != "ok":
        return
    options = [
        {
            "option": item.name,
            "type": item.type,
            "default": "required" if item.required else "unset" if item.default is None else toml_value(item.default),
            "meaning": item.meaning,
        }
        for item in found.options
    ]
    sys.stdout.write("\n")
    write_rows(options, Format.TABLE, ("option", "type", "default", "meaning"), empty="no options")
    sys.stdout.write("\n")
    if found.undeclared:
        sys.stdout.write(f"its parameters could not be asked for: {found.undeclared}\n")
        return
    write_rows(_parameters(found), Format.TABLE, COLUMNS, empty="no parameters")
    if found.example:
        names = ", ".join(found.example)
        sys.stdout.write(
            f"\nranges that follow from the encoder, tasks or traffic, here those of a small example: {names}\n"
        )
