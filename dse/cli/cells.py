"""The commands `dse cells ...`: cell models and device files."""

import sys
from dataclasses import asdict
from typing import Annotated, Unpack

import typer

import dse
from dse.cli import options as opt
from dse.cli.output import Format, write_record, write_rows

cells = opt.make_group("List and draw models of memory cells.")


def cells_list(*, form: opt.Form = Format.TABLE, **shared: Unpack[opt.Plugins]) -> None:
    """List the cell models that `cell_model` may name."""
    rows = [info.as_dict() for info in dse.cells_list(**shared)]
    write_rows(rows, form, ("name", "version", "distribution", "summary"))


def cells_info(
    model: Annotated[str, typer.Argument(metavar="MODEL|FILE", help="Cell model, or device file (TOML or CSV).")],
    *,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Value of an option of the model, as in TOML; may be repeated."),
    ] = None,
    age: Annotated[str, typer.Option(help="Time since programming: a number and s, min, h, d or y.")] = "1 d",
    extrapolate: Annotated[bool, typer.Option("--extrapolate", help="Allow an age outside the measured ones.")] = False,
    cell_bits: Annotated[int, typer.Option(help="Bits of a cell.", min=1, max=6)] = 2,
    form: opt.Form = Format.TABLE,
    **shared: Unpack[opt.Plugins],
) -> None:
    """Check a cell model or a device file; print its numbers, and draw its levels at an age and how far they overlap."""
    given = opt.read_toml_options(option or [])
    details = dse.cells_info(model, options=given, age=age, extrapolate=extrapolate, cell_bits=cell_bits, **shared)
    if form is Format.JSON:
        write_record(asdict(details), form)
        return
    if form is Format.TABLE:
        sys.stdout.write("".join(f"{name:<11} {value}\n" for name, value in details.numbers.items()) + "\n")
    write_rows(details.levels, form, tuple(details.levels[0]))


for name, command in (("list", cells_list), ("info", cells_info), ("check", cells_info)):
    opt.add_command(cells, command, name)
