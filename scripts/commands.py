"""Write the page of commands, `docs/commands.md`, from the commands' own help.

`make docs` runs this module. A test compares the page with the text that this module would write.
"""

from __future__ import annotations

import enum
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"


def commands() -> str:
    """Return the text of the page of commands."""
    from dse.cli.app import app

    lines = [
        "# Commands",
        "",
        "`dse COMMAND --help` says the same. Results go to stdout, progress and errors to stderr. The exit status is 0 for",
        "success, 1 for an error, 2 for an unknown option or argument, and 130 after Ctrl-C.",
        "`python scripts/commands.py` writes this page.",
    ]
    for name, function in sorted(flat(app, "dse")):
        lines += ["", f"## `{name}`", "", first(function), *options(function)]
    return "\n".join([*lines, ""])


def first(function: Callable[..., Any]) -> str:
    """Return the first sentence of a docstring."""
    return " ".join((inspect.getdoc(function) or "").replace("``", "`").split("\n\n")[0].split())


def flat(app: Any, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every command with its whole name."""
    for item in app.registered_commands:
        yield f"{name} {item.name or item.callback.__name__}", item.callback
    for item in app.registered_groups:
        yield from flat(item.typer_instance, f"{name} {item.name or item.typer_instance.info.name}")


def options(function: Callable[..., Any]) -> Iterator[str]:
    """Yield the lines of the table of a command's arguments and options."""
    hints = get_type_hints(function, include_extras=True)
    rows = []
    for name, item in inspect.signature(function).parameters.items():
        declared, info = get_args(hints[name])
        # In an annotation the first name of an option takes the place of its default.
        spelt = [word for word in (info.default, *(info.param_decls or ())) if str(word).startswith("-")]
        is_option = bool(spelt) or type(info).__name__ == "OptionInfo"
        spelt = spelt or [f"--{name.replace('_', '-')}" if is_option else info.metavar]
        shown = ", ".join(f"`{word}`" for word in spelt).replace("|", "` or `")
        choices = [choice for kind in (declared, *get_args(declared)) for choice in choices_of(kind)]
        text = info.help or ""
        if choices:
            text += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
        default = info.show_default if isinstance(info.show_default, str) else item.default
        default = "" if default in (item.empty, None, False, "", []) else getattr(default, "value", default)
        rows.append(f"| {shown} | {text.strip()} | {default} |")
    yield from ("", "| option | meaning | default |", "|---|---|---|", *rows)


def choices_of(kind: Any) -> list[str]:
    """Return the words among which an option of this type chooses; none for a type without choices."""
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        return [choice.value for choice in kind]
    return list(get_args(kind)) if get_origin(kind) is Literal else []


def main() -> int:
    """Write the page."""
    PAGE.write_text(commands(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
