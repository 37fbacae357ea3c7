"""Writes the pages of the reference, `docs/reference.md` and `docs/commands.md`, from the code's own words.

Run by `make docs`; a test compares the pages with what this would write.
"""

from __future__ import annotations

import ast
import enum
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

DOCS = Path(__file__).resolve().parents[1] / "docs"
GROUPS = (
    (
        "Commands",
        (
            "dse.commands.run",
            "dse.commands.query",
            "dse.commands.profile",
            "dse.commands.redundancy",
            "dse.authoring",
            "dse.export",
            "dse.commands.components_build",
        ),
    ),
    ("The contract of plugins", ("dse.plugins.contract", "dse.records.plugin")),
    ("Parameters and workload", ("dse.records.parameters", "dse.records.params", "dse.records.workload")),
    ("What plugins exchange", ("dse.records",)),
    ("Help for plugins", ("dse.cost", "dse.score", "dse.registry")),
    ("Errors", ("dse.errors",)),
)
"""Titles, and the modules whose names stand under each; the first that fits."""
LISTS, SECTIONS = ("Args", "Attributes", "Raises"), ("Returns", "Yields")
WIDE = 100


def reference() -> str:
    """Text of the page of public names."""
    import dse

    found: dict[str, list[str]] = {title: [] for title, _ in GROUPS}
    plain = []
    for name in sorted(set(dse.__all__) - {"__version__"}, key=lambda name: (name.lower(), name)):
        value = getattr(dse, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            found[group(value)].append("\n".join(entry(name, value)))
        else:
            value = 'pluggy.HookimplMarker("dse")' if name == "hookimpl" else value
            text = re.sub(r"\bdse\.[\w.]+\.(\w+)", r"\1", value if isinstance(value, str) else repr(value))
            plain.append(f"| `{name}` | `{text.replace(' | ', '` or `')}` |")
    lines = [
        "# Public names",
        "",
        "Everything a script or a plugin may use is a name of `dse`; nothing else is supported. This page is written by",
        "`python scripts/reference.py` from the code's own words. Methods of the four kinds of plugins stand in",
        "[plugins.md](plugins.md), commands in [commands.md](commands.md), what plugins are tested with in",
        "[testing.md](testing.md).",
    ]
    for title, entries in found.items():
        lines += ["", f"## {title}", "", "\n\n".join(entries)]
    return "\n".join([*lines, "", "## Constants and types", "", "| name | value |", "|---|---|", *plain, ""])


def group(value: Any) -> str:
    """Title of the group that a name belongs to."""
    module = getattr(value, "__module__", None) or type(value).__module__
    return next(title for title, modules in GROUPS if module.startswith(modules))


def entry(name: str, value: Any) -> Iterator[str]:
    """Heading, signature and words of one name."""
    yield f"### `dse.{name}`"
    if inspect.isclass(value) and issubclass(value, Exception):
        yield f"\n{inspect.getdoc(value)} Also a `{builtin(value)}`."
        return
    if (text := signature(name, value)) is not None:
        yield f"\n```python signatures\n{text}\n```"
    if value.__doc__:
        yield f"\n{words(inspect.getdoc(value) or '')}"
    if inspect.isclass(value) and not getattr(value, "_is_protocol", False):
        methods = [line for line in members(value) if line]
        if methods:
            yield "\n" + "\n".join(methods)


def builtin(error: type[Exception]) -> str:
    """Name of the built-in error that one of ours is."""
    return next(base.__name__ for base in error.__mro__ if base.__module__ == "builtins")


def signature(name: str, value: Any) -> str | None:
    """Signature as Python that can be parsed, or None where there is none to show."""
    if inspect.isclass(value) and (issubclass(value, enum.Enum) or getattr(value, "_is_protocol", False)):
        return None
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    parts, keyword = [], False
    for item in found.parameters.values():
        if item.kind is item.KEYWORD_ONLY and not keyword:
            parts.append("*")
        keyword = keyword or item.kind in (item.KEYWORD_ONLY, item.VAR_POSITIONAL)
        parts.append(parameter(item))
    back = f" -> {annotation(found.return_annotation)}" if not inspect.isclass(value) else ""
    back = "" if back == " -> Signature.empty" else back
    parts, back = [part.replace("'", '"') for part in parts], back.replace("'", '"')  # as the formatter wants it
    one = f"def {name}({', '.join(parts)}){back}: ..."
    return one if len(one) <= WIDE else f"def {name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){back}: ..."


def parameter(item: inspect.Parameter) -> str:
    """One parameter with its type and default."""
    star = "*" * (item.kind is item.VAR_POSITIONAL) + "**" * (item.kind is item.VAR_KEYWORD)
    text = star + item.name
    typed = item.annotation is not item.empty
    if typed:
        text += f": {annotation(item.annotation)}"
    if item.default is item.empty:
        return text
    default = repr(item.default)
    try:
        ast.parse(default)
    except SyntaxError:
        default = "..."
    return f"{text} = {default}" if typed else f"{text}={default}"


def annotation(value: Any) -> str:
    """A type as it was written, without the limits that pydantic adds to it, whose names differ from version to version."""
    if get_origin(value) is Annotated:
        return annotation(get_args(value)[0])
    text: str = value if isinstance(value, str) else inspect.formatannotation(value)
    return re.sub(r"\b(?:dse\.[\w.]+|typing|collections\.abc|pathlib)\.(\w+)", r"\1", text)


def members(value: type) -> Iterator[str]:
    """One line for each public method and property, with the first line of its words."""
    for name, item in vars(value).items():
        function: Any = item.fget if isinstance(item, property) else getattr(item, "__func__", item)
        wanted = inspect.isfunction(function) or hasattr(item, "func")
        function = getattr(item, "func", function)  # a cached property
        if name.startswith("_") or not wanted or not function.__doc__:
            continue
        call = "" if isinstance(item, property) or hasattr(item, "func") else "()"
        yield f"- `{name}{call}`: {first(function)}"


def first(function: Callable[..., Any]) -> str:
    """First sentence of a docstring."""
    return " ".join((inspect.getdoc(function) or "").replace("``", "`").split("\n\n")[0].split())


def words(text: str) -> str:
    """A docstring in Google's style as Markdown."""
    lines: list[str] = []
    inside = listed = False
    for line in text.replace("``", "`").splitlines():
        if line.endswith(":") and line.rstrip(":") in (*LISTS, *SECTIONS):
            inside, listed = True, line.rstrip(":") in LISTS
            lines += ["", f"**{line.rstrip(':')}**", ""] if lines and lines[-1] else [f"**{line.rstrip(':')}**", ""]
        elif inside and listed and (match := re.match(r"    (\S[^:]*): (.*)", line)):
            lines.append(f"- `{match[1].strip('`')}`: {match[2]}")
        elif inside and line.strip():
            lines.append(("  " if lines[-1].startswith(("-", "  ")) else "") + line.strip())
        else:
            inside = inside and not line.strip()
            lines.append(line)
    return "\n".join(lines).strip()


def commands() -> str:
    """Text of the page of commands."""
    from dse.cli.app import app

    lines = [
        "# Commands",
        "",
        "`dse COMMAND --help` says the same. Results go to stdout, progress and errors to stderr; the status is 0, 1 where",
        "something went wrong, 2 for a wrong word on the command line, 130 after Ctrl-C. This page is written by",
        "`python scripts/reference.py`.",
    ]
    for name, function in sorted(flat(app, "dse")):
        lines += ["", f"## `{name}`", "", first(function), *options(function)]
    return "\n".join([*lines, ""])


def flat(app: Any, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command with its whole name."""
    for item in app.registered_commands:
        yield f"{name} {item.name or item.callback.__name__}", item.callback
    for item in app.registered_groups:
        yield from flat(item.typer_instance, f"{name} {item.name or item.typer_instance.info.name}")


def options(function: Callable[..., Any]) -> Iterator[str]:
    """Table of a command's arguments and options."""
    hints = get_type_hints(function, include_extras=True)
    rows = []
    for name, item in inspect.signature(function).parameters.items():
        declared, info = get_args(hints[name])
        # In an annotation the first name of an option stands where its default would.
        spelt = [word for word in (info.default, *(info.param_decls or ())) if str(word).startswith("-")]
        is_option = bool(spelt) or type(info).__name__ == "OptionInfo"
        spelt = spelt or [f"--{name.replace('_', '-')}" if is_option else info.metavar]
        shown = ", ".join(f"`{word}`" for word in spelt).replace("|", "` or `")
        kinds = [
            kind for kind in (declared, *get_args(declared)) if inspect.isclass(kind) and issubclass(kind, enum.Enum)
        ]
        text = info.help or ""
        if kinds:
            text += f" One of {', '.join(f'`{choice.value}`' for choice in kinds[0])}."
        default = info.show_default if isinstance(info.show_default, str) else item.default
        default = "" if default in (item.empty, None, False, "") else getattr(default, "value", default)
        rows.append(f"| {shown} | {text.strip()} | {default} |")
    yield from ("", "| word | meaning | default |", "|---|---|---|", *rows)


def main() -> int:
    """Write both pages."""
    for name, text in (("reference.md", reference()), ("commands.md", commands())):
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
