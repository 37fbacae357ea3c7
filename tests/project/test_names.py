"""Names say what things are: functions are verbs, and variables say what they hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dse

ROOT = Path(__file__).resolve().parents[2]
IRREGULAR = frozenset(
    [
        "begun",
        "bent",
        "born",
        "bought",
        "bound",
        "broken",
        "built",
        "chosen",
        "cut",
        "done",
        "drawn",
        "fed",
        "felt",
        "found",
        "given",
        "gone",
        "grown",
        "held",
        "kept",
        "known",
        "laid",
        "learnt",
        "led",
        "left",
        "lost",
        "made",
        "meant",
        "met",
        "put",
        "read",
        "run",
        "said",
        "seen",
        "sent",
        "set",
        "shown",
        "shut",
        "split",
        "spread",
        "stuck",
        "taken",
        "taught",
        "thought",
        "thrown",
        "told",
        "torn",
        "understood",
        "worn",
        "written",
    ]
)
VERBS = frozenset({"cut", "feed", "put", "read", "run", "set", "shut", "split", "spread", "embed", "need", "seed"})
"""Words of the form of a participle that are verbs as well."""
VAGUE = frozenset({"found", "what", "kept", "known"})
CONTRACT = frozenset({"trained", "adapted", "cached", "learnt"})
"""Methods of the contract of plugins, which keep their names."""
MOST_PARTICIPLES = 10
MOST_VAGUE = 40


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("dse", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def is_participle(name: str) -> bool:
    word = name.strip("_")
    return word not in VERBS | CONTRACT and (word in IRREGULAR or re.fullmatch(r"[a-z]+ed", word) is not None)


def participles() -> list[str]:
    """Functions and methods named by a bare participle; a property is no function to its reader."""
    return [
        f"{path}:{node.lineno}: {node.name}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and is_participle(node.name)
        and not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def vague_names() -> list[str]:
    """Variables and arguments that do not say what they hold, each once for each function or class."""
    names: set[tuple[str, int, str]] = set()
    for path, tree in modules():
        for scope in ast.walk(tree):
            if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module | ast.Lambda):
                continue
            for node in own_nodes(scope):
                if isinstance(node, ast.arg) and node.arg in VAGUE:
                    names.add((str(path), scope.lineno if hasattr(scope, "lineno") else 0, node.arg))
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in VAGUE:
                    names.add((str(path), scope.lineno if hasattr(scope, "lineno") else 0, node.id))
    return [f"{path}:{line}: {name}" for path, line, name in sorted(names)]


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a scope without those of the functions and classes inside it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def test_names_of_the_contract_are_declared_there() -> None:
    from dse.plugins import contract

    declared = {name for item in vars(contract).values() if isinstance(item, type) for name in vars(item)}
    assert declared >= CONTRACT


def test_functions_are_verbs() -> None:
    names = participles()
    assert len(names) <= MOST_PARTICIPLES, "\n".join(names)


def test_variables_say_what_they_hold() -> None:
    names = vague_names()
    assert len(names) <= MOST_VAGUE, "\n".join(names)


def test_the_package_lists_its_commands() -> None:
    assert dir(dse) == sorted(dse.__all__)
    assert {"run", "check", "validate", "pareto", "query", "DseError"} <= set(dir(dse))
    assert not {"Params", "Plan", "SpaceError"} & set(dir(dse))


def test_modules_of_authors_need_no_import_of_their_own() -> None:
    command = "import dse; print(dse.plugin.API, dse.errors.DseError is dse.DseError, len(dse.testing.SUITES))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "True", "5"]


def test_names_of_the_release_before_are_still_names_of_the_package() -> None:
    from dse import errors, plugin

    for module in (plugin, errors):
        for name in module.__all__:
            assert getattr(dse, name) is getattr(module, name)
