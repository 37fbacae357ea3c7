"""Imports go one way: a package imports only packages that stand before it in the order."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ORDER = (
    "dse.errors",
    "dse.threads",
    "dse.input_errors",
    "dse.files",
    "dse.opened",
    "dse.cache",
    "dse.records",
    "dse.results",
    "dse.space",
    "dse.plugins",
    "dse.models",
    "dse.cost",
    "dse.charging",
    "dse.score",
    "dse.plugin",
    "dse.testing",
    "dse.samplers",
    "dse.study",
    "dse.sweeps",
    "dse.analysis",
    "dse.exports",
    "dse.reports",
    "dse.dashboards",
    "dse.worker",
    "dse.cluster",
    "dse.commands",
    "dse",
    "dse.cli",
    "dse.__main__",
    "dse_plugins",
)


def find_modules() -> dict[str, Path]:
    """Source file of each module of dse and of its plugins."""
    found = {}
    for top in (ROOT / "dse", ROOT / "plugins" / "dse_plugins"):
        for path in top.rglob("*.py"):
            name = ".".join(path.relative_to(top.parent).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = find_modules()


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def walk_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when the module is imported: nothing in a function, and nothing that only a type checker sees."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not is_for_types(child):
            yield child
            yield from walk_at_import(child)


def named_modules(nodes: Iterator[ast.AST]) -> set[str]:
    """Modules of dse and its plugins that import statements name."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "an import is relative"
            full = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else str(node.module) for name in full.values()}
    return names & set(MODULES)


TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
IMPORTS = {name: named_modules(walk_at_import(tree)) - {name} for name, tree in TREES.items()}


def package_of(module: str) -> str:
    """Return the entry of the order that a module belongs to."""
    top, *below = module.split(".")
    return f"dse.{below[0]}" if top == "dse" and below else top


def test_the_order_names_every_package_once() -> None:
    assert sorted(ORDER) == sorted({package_of(module) for module in MODULES})


def test_a_package_imports_only_packages_before_it() -> None:
    pairs = {(module, imported) for module, imports in IMPORTS.items() for imported in imports}
    places = {package: place for place, package in enumerate(ORDER)}
    assert not [pair for pair in pairs if places[package_of(pair[0])] < places[package_of(pair[1])]]


def test_dse_never_imports_its_plugins() -> None:
    """Not even in a function: plugins are found by their entry points."""
    for name, tree in TREES.items():
        if package_of(name) != "dse_plugins":
            assert not [one for one in named_modules(ast.walk(tree)) if package_of(one) == "dse_plugins"], name


def test_heavy_libraries_are_not_imported_at_start() -> None:
    """By nothing that the command line imports before it knows which command is asked for."""
    seen: set[str] = set()
    ahead = {"dse", "dse.cli", "dse.cli.app", "dse.__main__"}
    while ahead:
        module = ahead.pop()
        seen.add(module)
        ahead |= IMPORTS[module] - seen
    heavy = {"torch", "transformers", "optuna", "pandas", "pyarrow", "sklearn", "scipy", "moocore", "duckdb", "plotly"}
    for module in seen:
        for node in walk_at_import(TREES[module]):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not heavy & {name.partition(".")[0] for name in names}, module


def test_dask_is_imported_for_a_cluster_alone() -> None:
    """Only functions of `dse.cluster` import Dask, and only functions of two commands import `dse.cluster`."""
    users, rooms = set(), set()
    for name, tree in TREES.items():
        if {"dask", "distributed"} & set(top_names(ast.walk(tree))):
            users.add(name)
            assert not {"dask", "distributed"} & set(top_names(walk_at_import(tree))), name
        if any(package_of(one) == "dse.cluster" for one in named_modules(ast.walk(tree))):
            rooms.add(name)
            assert package_of(name) == "dse.cluster" or not [
                one for one in IMPORTS[name] if package_of(one) == "dse.cluster"
            ]
    assert users == {"dse.cluster.connect", "dse.cluster.local"}
    assert {name for name in rooms if package_of(name) != "dse.cluster"} == {
        "dse.commands.cluster_check",
        "dse.commands.open",
    }


def top_names(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """First parts of the names of the modules that import statements name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]
