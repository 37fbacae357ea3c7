"""Options that several commands share, each declared once, and the function that makes a function a command."""

import inspect
import math
import tomllib
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypedDict, get_args, get_type_hints

import typer

from dse.cli.errors import ErrorsShown, remember_debug
from dse.cli.output import ENDINGS, Format
from dse.errors import PluginContractError

RESULTS = Path("results")
Kind: TypeAlias = Literal["generator", "compressor", "scheduler", "hardware"]


def refuse_parquet(form: Format) -> Format:
    """Refuse a format that only a file can hold, before anything is computed."""
    if form is Format.PARQUET:
        raise typer.BadParameter("parquet is not printed; `dse pareto` and `dse query` write it with --out FILE")
    return form


def limit(text: str, metavar: str, *, repeated: bool = False) -> Any:
    """Return an option that takes finite numbers, once or ``repeated``; NaN and infinity, which Python reads as numbers, are refused."""

    def refuse_endless(value: Any) -> Any:
        for number in value if isinstance(value, list) else [value]:
            if number is not None and not math.isfinite(number):
                raise typer.BadParameter(f"{number} is not a finite number")
        return (value or []) if repeated else value  # older typer takes the length of a list that was not given

    return typer.Option(help=text, metavar=metavar, callback=refuse_endless)


def time_limit(text: str) -> Any:
    """Return an option that takes a time above 0, which may be infinite."""

    def refuse_no_time(value: float) -> float:
        if not value > 0:
            raise typer.BadParameter(f"{value:g} s is not above 0")
        return value

    return typer.Option(help=text, metavar="SECONDS", callback=refuse_no_time)


def choose_form(form: Format | None, out: Path | None) -> Format:
    """Return the requested format. Without a request, the ending of the file decides; no ending means a table."""
    if form is Format.PARQUET and out is None:
        raise typer.BadParameter("parquet is not printed: name a file with --out FILE", param_hint="--format")
    ending = "-" if str(out) == "-" else out.suffix.lower() if out else ""  # elsewhere, - is standard output
    if (form is None or ending == "-") and ending not in ENDINGS:
        names = ", ".join(filter(None, ENDINGS))
        reason = f"no format has the ending {ending!r}: end the name in {names}, or choose one with --format"
        raise typer.BadParameter(reason, param_hint="--out")
    return form or ENDINGS[ending]


Space: TypeAlias = Annotated[Path, typer.Argument(metavar="SPACE", help="Space file (TOML).")]
Study: TypeAlias = Annotated[str, typer.Argument(metavar="STUDY", help="Name of a study, or its folder.")]
Trial: TypeAlias = Annotated[int, typer.Argument(metavar="TRIAL", help="Number of a trial.", min=0)]
Results: TypeAlias = Annotated[Path, typer.Option(help="Folder that holds the studies.")]
Least: TypeAlias = Annotated[Literal["area", "energy"], typer.Option(help="Minimise area or energy.")]
Form: TypeAlias = Annotated[
    Format, typer.Option("--format", help="Format of the result on stdout.", callback=refuse_parquet)
]
FileForm: TypeAlias = Annotated[
    Format | None,
    typer.Option("--format", help="Format of the result.", show_default="the ending of --out, else table"),
]
Out: TypeAlias = Annotated[
    Path | None, typer.Option(help="File to write instead of printing.", metavar="FILE", show_default=False)
]
InsecureCluster: TypeAlias = Annotated[
    bool, typer.Option("--insecure-cluster", help="Let an unencrypted connection to a cluster leave this machine.")
]
Trust: TypeAlias = Annotated[bool, typer.Option("--trust", help="Run the plugin files that the study names.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress on stderr.")]
Debug: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks.", callback=remember_debug, is_eager=True)
]


class Plugins(TypedDict):
    """Options of every command that loads plugins; a command takes them as ``**shared: Unpack[Plugins]``."""

    plugins: Annotated[
        list[Path], typer.Option("--plugin", metavar="FILE", help="A plugin in a bare Python file; may be repeated.")
    ]


class Models(TypedDict):
    """Options of every command that loads models and data."""

    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Device that runs the models.")]
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the tasks' files, if you have them.", show_default="$DSE_DATA"),
    ]
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder for downloads, fine-tuned models and scores.", show_default="$DSE_CACHE, else the user's cache"
        ),
    ]


class Loading(Models, Plugins):
    """Options of every command that loads models in this process."""


class Evaluating(Models, Plugins):
    """Options of every command that evaluates designs."""

    in_process: Annotated[
        bool,
        typer.Option("--in-process", help="Evaluate in this process, to debug a plugin: no time limit, no worker."),
    ]


class OnCluster(Evaluating):
    """Options of every command whose scores a cluster can measure."""

    cluster: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="Cluster that scores: local:N, tls://HOST:PORT, or a scheduler file."),
    ]
    insecure_cluster: InsecureCluster


DEFAULTS: dict[str, Any] = {
    "device": "auto",
    "plugins": [],
    "in_process": False,
    "insecure_cluster": False,
    "anyway": False,
}
"""Defaults of shared options; an option that is not listed has the default None."""


def add_command(group: typer.Typer, function: Callable[..., None], name: str | None = None) -> None:
    """Make a function a command of a group: its shared options are spelt out for typer, and ``--debug`` is added."""
    hints = get_type_hints(function, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for item in inspect.signature(function).parameters.values():
        if item.kind is item.VAR_KEYWORD:
            shared = get_type_hints(get_args(hints[item.name])[0], include_extras=True)
            parameters += [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=DEFAULTS.get(name), annotation=hint)
                for name, hint in shared.items()
            ]
        else:
            parameters.append(item.replace(annotation=hints[item.name]))
    parameters.append(inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug))
    parameters.sort(key=lambda item: item.name in ("form", "quiet", "debug"))  # help lists these last

    @wraps(function)
    def call(*, debug: bool, **options: Any) -> None:
        del debug  # its callback has noted it
        function(**options)

    vars(call)["__signature__"] = inspect.Signature(parameters)
    call.__annotations__ = {item.name: item.annotation for item in parameters}
    group.command(name)(call)


def make_group(text: str) -> typer.Typer:
    """Return an empty group of commands that turns errors into messages."""
    return typer.Typer(
        cls=ErrorsShown, help=text, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
    )


def read_toml_options(texts: Iterable[str]) -> dict[str, Any]:
    """Return the values, by key, of options such as ``block=16``, each written as TOML."""
    values: dict[str, Any] = {}
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
        values |= table
    return values
