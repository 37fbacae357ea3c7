"""Which files a plugin's results depend on: those that define it, and what these import from the same package."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path


def files_of(module: str, source: Path) -> list[Path]:
    """Files of a module, or of its whole folder where it is a package, and of what they import from the same package.

    Imports within functions count: plugins load what is heavy only when it is needed.

    Args:
        module: name of the module.
        source: its file.
    """
    top = module.partition(".")[0]
    waiting = sorted(source.parent.rglob("*.py")) if source.name == "__init__.py" else [source]
    roots = [Path(folder) for folder in getattr(sys.modules.get(top), "__path__", [])]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for root in roots:
            if path.is_relative_to(root):
                inside = (top, *path.relative_to(root).parts[:-1])
                waiting += [file for name in _list_imported(path, inside) if (file := _file(name, root)) is not None]
    return sorted(found)


def _list_imported(path: Path, package: tuple[str, ...]) -> Iterator[str]:
    """Dotted names a file may import; of ``from a import b`` both ``a`` and ``a.b``."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*above, *([node.module] if node.module else [])])
            yield name
            yield from (f"{name}.{item.name}" for item in node.names)


def _file(name: str, root: Path) -> Path | None:
    """File of a module of the package in a folder."""
    top, *parts = name.split(".")
    if top != root.name or not parts:
        return None
    for path in (root.joinpath(*parts).with_suffix(".py"), root.joinpath(*parts, "__init__.py")):
        if path.is_file():
            return path
    return None
