"""No module imports, at its top or in a function, a module that imports it in turn."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def modules(package: Path) -> dict[str, Path]:
    """Return every module of a package by its dotted name."""
    names = {path: path.relative_to(package.parent).with_suffix("").parts for path in package.rglob("*.py")}
    return {".".join(name[:-1] if name[-1] == "__init__" else name): path for path, name in names.items()}


def imported(node: ast.AST, known: Collection[str]) -> Iterator[str]:
    """Yield the known modules that a tree imports when it runs; of ``from a import b`` ``a.b`` if that is a module."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (item.name for item in child.names if item.name in known)
        elif isinstance(child, ast.ImportFrom):
            for item in child.names:
                whole = f"{child.module}.{item.name}"
                name = whole if whole in known else str(child.module)
                yield from [name] * (name in known)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        else:
            yield from imported(child, known)


def circular(package: Path) -> list[str]:
    """Return a circle of imports, empty where there is none."""
    known = modules(package)
    graph = {
        name: set(imported(ast.parse(path.read_text(encoding="utf-8")), known)) - {name} for name, path in known.items()
    }
    graph.pop(package.name)  # the package itself loads its commands when they are first used
    try:
        TopologicalSorter(graph).prepare()
    except ValueError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", ["dse", "plugins/dse_plugins"])
def test_imports_have_no_circle(package: str) -> None:
    assert circular(ROOT / package) == []


def test_a_circle_is_found(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    for name, text in {
        "__init__": "",
        "a": "from package import b",
        "b": "def late():\n    from package.c import x",
        "c": "import package.a",
        "d": "if TYPE_CHECKING:\n    import package.e",
        "e": "import package.d",
    }.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    assert set(circular(package)) == {"package.a", "package.b", "package.c"}
