"""Hooks of mkdocs that `make docs` runs for the site."""

from __future__ import annotations

import inspect
import posixpath
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

FENCE = re.compile(r"^```(\w+) (.*)$", re.MULTILINE)
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\bsrc=["']?(?:https?:)?//[^>]*>|<link[^>]*\bhref=["']?(?:https?:)?//[^>]*>"""
)
OWN_OUTPUT = re.compile(r"^(```console\n(?:[^`\n].*\n)*?(\S.*)\n```\n\n```text) \2$", re.MULTILINE)
"""A command with its output below it; the output needs no title."""
LINK = re.compile(r"(?<!!)\[`?(?:docs/)?([\w.-]+\.md)`?\]\(([^)#\s]+\.md)(#[^)]*)?\)")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
SHOWN_NAME = re.compile(r">[^<>\s]*\.md</a>")

MODULES = {
    "dse.testing": "The test kit of plugins. [Testing](../testing.md) shows its use.",
    "dse.errors": "Every error that dse raises on purpose. Each one is a `DseError` and also the nearest built-in error.",
    "dse.plugin": "What plugins are made of. [Plugins](../plugins.md) explains the contract.",
    "dse": "The commands as functions: same names, same options, results as Python objects.",
}
"""Modules of the public namespace. A name is on the page of the first module that has it."""
GROUPS = {"Functions": inspect.isroutine, "Classes": inspect.isclass, "Constants and types": lambda _value: True}


def public_names() -> dict[str, dict[str, Any]]:
    """Public names of each module with their values, each name under one module alone."""
    import dse

    pages: dict[str, dict[str, Any]] = {}
    taken = {"__version__", "DseError"}
    for module in filter(find_spec, MODULES):
        if module == "dse.errors":
            names = [name for name, value in vars(dse.errors).items() if inspect.isclass(value) and name[0] != "_"]
        else:
            names = list(import_module(module).__all__)
        values = {name: getattr(import_module(module), name) for name in names if name not in taken}
        pages[module] = dict(sorted(values.items(), key=lambda item: (item[0].lower(), item[0])))
        taken |= set(values)
    pages["dse"]["DseError"] = dse.DseError
    return pages


def reference() -> Iterator[tuple[str, str]]:
    """Path and text of each page of the reference."""
    for module, values in public_names().items():
        lines = [f"# `{module}`", "", MODULES[module]]
        left = dict(values)
        for title, belongs in GROUPS.items():
            chosen = [name for name, value in left.items() if belongs(value)]
            if chosen:
                lines += ["", f"## {title}", *(f"\n::: {module}.{name}" for name in chosen)]
            left = {name: value for name, value in left.items() if name not in chosen}
        yield f"reference/{module.rpartition('.')[2]}.md", "\n".join([*lines, ""])


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the reference, which mkdocstrings fills from docstrings."""
    for path, text in reference():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    """Give each block of code a title. Replace a link text that is a file name by the title of the page."""
    folder = posixpath.dirname(page.file.src_uri)

    def name(link: re.Match[str]) -> str:
        target = files.get_file_from_path(posixpath.normpath(posixpath.join(folder, link[2])))
        title = TITLE.search(target.content_string) if target else None
        return f"[{title[1]}]({link[2]}{link[3] or ''})" if title else link[0]

    return LINK.sub(name, FENCE.sub(head, OWN_OUTPUT.sub(r"\1", markdown)))


def head(fence: re.Match[str]) -> str:
    """First line of a fence for the site: commands and file names become titles; the rest is for the tests alone."""
    language, words = fence[1], fence[2]
    title = ""
    if words.startswith("file="):
        title = words.removeprefix("file=")
    elif words.startswith("recorded "):
        title = f"{words.removeprefix('recorded ')}  (recorded)"
    elif language == "text":
        title = words
    title = title.replace("\\", "&#92;").replace('"', "&quot;")
    return f'```{language} title="{title}"' if title else f"```{language}"


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that loads files from other sites, or that shows a file name as the text of a link.

    Raises:
        PluginError: the page loads such a file or shows such a name.
    """
    fetched = [tag for tag in FETCHED.findall(output) if 'rel="canonical"' not in tag]
    if fetched:
        raise PluginError(f"{page.file.src_uri} loads files from other sites: {', '.join(fetched)}")
    if named := SHOWN_NAME.findall(output):
        raise PluginError(f"{page.file.src_uri} has file names as the text of links: {', '.join(named)}")
    return output
