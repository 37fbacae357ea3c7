"""Files that a plugin's results depend on: those that define it, and those that these import from the same package."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path


def files_of(module: str, source: Path) -> list[Path]:
    """Return the files of a module, or of its whole folder if it is a package, and those that they import from the package.

    Imports within functions count: plugins load heavy packages only when they need them.

    Args:
        module: name of the module.
        source: file of the module.
    """
    top = module.partition(".")[0]
    waiting = sorted(source.parent.rglob("*.py")) if source.name == "__init__.py" else [source]
    roots = [Path(folder) for folder in getattr(sys.modules.get(top), "__path__", [])]
    files: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in files or not path.is_file():
            continue
        files.add(path)
        for root in roots:
            if path.is_relative_to(root):
                inside = (top, *path.relative_to(root).parts[:-1])
                waiting += [file for name in _list_imported(path, inside) if (file := _file(name, root)) is not None]
    return sorted(files)


def _list_imported(path: Path, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the dotted names that a file may import; for ``from a import b`` both ``a`` and ``a.b``."""
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
    """Return the file of a module of the package in a folder."""
    top, *parts = name.split(".")
    if top != root.name or not parts:
        return None
    for path in (root.joinpath(*parts).with_suffix(".py"), root.joinpath(*parts, "__init__.py")):
        if path.is_file():
            return path
    return None
