"""Plugins to check: those of a bare file, of a package folder that need not be installed, or installed ones by name."""

import sys
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from dse.errors import PluginLoadError
from dse.plugins.hooks import GROUP
from dse.plugins.registry import Provider, Registry, load_sources, no_plugin_error
from dse.records.plugin import ALL_KINDS, PluginRecord

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


def plugins_of(target: Path | str, points: Collection[str] = ()) -> Target:
    """Return the plugins that a path or a name stands for; a package's folder is importable from then on.

    Args:
        target: a ``.py`` file, a folder with a ``pyproject.toml``, or the name of an installed plugin.
        points: names of the entry points that may provide an installed plugin.

    Raises:
        PluginLoadError: there is no such file or folder, or nothing in it registers a plugin.
    """
    path = Path(target)
    if path.suffix == ".py":
        return _all_of(Registry().add_file(path), path)
    if (path / PROJECT).is_file():
        entries = _entry_points(path / PROJECT)
        source = path / "src"
        sys.path.insert(0, str((source if source.is_dir() else path).resolve()))
        registry = Registry()
        for point in entries:
            registry.add(f"entry point {point.name!r}", point.load, distribution=str(path))
        return _all_of(registry, path / PROJECT)
    if names_path(path):
        raise PluginLoadError("there is no plugin here", where=path, expected=f"a .py file, or a folder with {PROJECT}")
    registry = load_sources(points)
    by_kind = [registry.records(kind) for kind in ALL_KINDS]
    records = tuple(records[str(target)] for records in by_kind if target in records)
    return Target(registry, records, tuple(registry.broken))


def names_path(target: Path | str) -> bool:
    """Return whether a target is meant as a file or a folder, not as the name of an installed plugin."""
    path = Path(target)
    return path.suffix == ".py" or path.is_dir() or len(path.parts) > 1


def _all_of(registry: Registry, where: Path) -> Target:
    records = tuple(record for kind in ALL_KINDS for record in registry.records(kind).values())
    if not records and not registry.broken:
        raise no_plugin_error(where)
    return Target(registry, records, tuple(registry.broken))


def _entry_points(project: Path) -> list[EntryPoint]:
    """Return the entry points that a package announces in the group ``dse``, as its installation would record them."""
    try:
        tables = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginLoadError(f"the file is not TOML: {error}", where=project) from error
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
