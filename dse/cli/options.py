"""Options that several commands share, each spelt and explained once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from dse.cli.errors import remember_debug
from dse.cli.output import ENDINGS, Format
from dse.errors import PluginContractError

RESULTS = Path("results")


class DeviceName(StrEnum):
    """Where models run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class KindName(StrEnum):
    """What a plugin is."""

    GENERATOR = "generator"
    COMPRESSOR = "compressor"
    SCHEDULER = "scheduler"
    HARDWARE = "hardware"


class Least(StrEnum):
    """What a chosen design has least of."""

    AREA = "area"
    ENERGY = "energy"


def printable(form: Format) -> Format:
    """Refuse a format that only a file can hold, before anything is computed."""
    if form is Format.PARQUET:
        raise typer.BadParameter("parquet is not printed; `dse pareto` and `dse query` write it with --out FILE")
    return form


def chosen_form(form: Format | None, out: Path | None) -> Format:
    """Format of a command that can write a file: the one asked for, else what the file's ending says, else a table."""
    if form is Format.PARQUET and out is None:
        raise typer.BadParameter("parquet is not printed: name a file with --out FILE", param_hint="--format")
    return form or ENDINGS.get(out.suffix.lower() if out else "", Format.TABLE)


Space: TypeAlias = Annotated[Path, typer.Argument(metavar="SPACE", help="Space file (TOML).", show_default=False)]
Study: TypeAlias = Annotated[
    str, typer.Argument(metavar="STUDY", help="Name of a study, or its folder.", show_default=False)
]
Results: TypeAlias = Annotated[Path, typer.Option("--results", help="Folder that holds the studies.")]
Trials: TypeAlias = Annotated[
    int | None,
    typer.Option("--trials", min=1, help="Trials in all, earlier sessions included.", show_default="the space file's"),
]
Seed: TypeAlias = Annotated[int | None, typer.Option("--seed", min=0, show_default="the space file's")]
Device: TypeAlias = Annotated[DeviceName, typer.Option("--device", help="Where models run.")]
Cache: TypeAlias = Annotated[
    Path | None,
    typer.Option("--cache", help="Downloads, fine-tuned models, scores.", show_default="$DSE_CACHE, else the user's"),
]
PluginFiles: TypeAlias = Annotated[
    list[Path] | None, typer.Option("--plugin", metavar="FILE", help="A plugin in a bare Python file; may be repeated.")
]
PluginKind: TypeAlias = Annotated[
    KindName | None,
    typer.Option("--kind", help="Of the plugin, where several have the name.", show_default="the only one"),
]
Form: TypeAlias = Annotated[
    Format, typer.Option("--format", help="How the result is printed on stdout.", callback=printable)
]
FileForm: TypeAlias = Annotated[
    Format | None,
    typer.Option("--format", help="How the result is printed.", show_default="by the ending of --out, else table"),
]
Out: TypeAlias = Annotated[
    Path | None, typer.Option("--out", help="File to write instead of printing.", metavar="FILE", show_default=False)
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Debug: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks.", callback=remember_debug, is_eager=True)
]
InProcess: TypeAlias = Annotated[
    bool, typer.Option("--in-process", help="Evaluate in this process, to debug a plugin: no time limit, no worker.")
]


def toml_options(texts: Iterable[str]) -> dict[str, Any]:
    """Values by key of options such as ``block=16``, each written as TOML."""
    found: dict[str, Any] = {}
    for text in texts:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            table = {}
        if len(table) != 1:
            raise PluginContractError(
                "--option cannot be read",
                expected="KEY=VALUE with a value as in TOML, such as block=16, 'route=\"free\"' or ranks=[2,4]",
                found=text,
            )
        found |= table
    return found
