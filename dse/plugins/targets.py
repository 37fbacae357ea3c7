"""Plugins to check: those of a bare file, of a package folder that need not be installed, or installed ones by name."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

from dse.errors import PluginLoadError
from dse.plugins.registry import GROUP, Provider, Registry, load_registry
from dse.records.plugin import KINDS, PluginRecord

PROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Target:
    """Plugins that a path or a name stands for.

    Attributes:
        registry: registry that holds the plugins.
        records: records of the plugins.
        broken: entry points or files that do not load.
    """

    registry: Registry
    records: tuple[PluginRecord, ...]
    broken: tuple[Provider, ...]


@contextmanager
def plugins_of(target: Path | str) -> Iterator[Target]:
    """Give the plugins that a path or a name stands for; a package's folder is importable while the context is open.

    Args:
        target: a ``.py`` file, a folder with a ``pyproject.toml``, or the name of an installed plugin.

    Raises:
        PluginLoadError: there is no such file or folder, or nothing in it registers a plugin.
        UnknownNameError: no plugin has that name.
    """
    path = Path(target)
    if path.suffix == ".py":
        yield _all_of(Registry().add_file(path), path)
    elif (path / PROJECT).is_file():
        points = _entry_points(path / PROJECT)
        source = path / "src"
        with _importable(source if source.is_dir() else path, {point.module.partition(".")[0] for point in points}):
            registry = Registry()
            for point in points:
                registry.add(f"entry point {point.name!r}", point.load, distribution=str(path))
            yield _all_of(registry, path / PROJECT)
    elif path.is_dir() or len(path.parts) > 1:
        raise PluginLoadError("there is no plugin here", where=path, expected=f"a .py file, or a folder with {PROJECT}")
    else:
        yield _target_of_installed(str(target))


def _all_of(registry: Registry, where: Path) -> Target:
    records = tuple(record for kind in KINDS for record in registry.records(kind).values())
    if not records and not registry.broken:
        raise PluginLoadError(
            "nothing here registers a plugin",
            where=where,
            expected="a hook such as dse_schedulers, marked @dse.hookimpl, that yields a record",
        )
    return Target(registry, records, tuple(registry.broken))


def _target_of_installed(name: str) -> Target:
    registry = load_registry()
    by_kind = [registry.records(kind) for kind in KINDS]
    records = tuple(records[name] for records in by_kind if name in records)
    broken = tuple(provider for provider in registry.broken if provider.name == name)
    if not records and not broken:
        raise registry.unknown("plugin", name, {plugin for records in by_kind for plugin in records})
    return Target(registry, records, broken)


def _entry_points(project: Path) -> list[EntryPoint]:
    """Return the entry points that a package announces in the group ``dse``, as its installation would record them."""
    try:
        tables = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginLoadError(f"the file is no TOML: {error}", where=project) from error
    points: Any = tables
    for key in ("project", "entry-points", GROUP):
        points = points.get(key) if isinstance(points, dict) else None
    if not points or not isinstance(points, dict) or not all(isinstance(value, str) for value in points.values()):
        raise PluginLoadError(
            "the package announces no plugin",
            where=project,
            expected=f'a table [project.entry-points.{GROUP}] with a line such as my-plugin = "my_package.my_module"',
            found=points or "none",
        )
    return [EntryPoint(name, value, GROUP) for name, value in points.items()]


@contextmanager
def _importable(folder: Path, packages: Iterable[str]) -> Iterator[None]:
    """Import some packages from a folder, and not the modules imported under their names before; then undo this."""
    names = frozenset(packages)
    before = _set_aside(names)
    sys.path.insert(0, str(folder.resolve()))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))
        _set_aside(names)
        sys.modules.update(before)


def _set_aside(packages: frozenset[str]) -> dict[str, ModuleType]:
    """Take some packages and their modules out of the imported modules."""
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}
