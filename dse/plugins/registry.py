"""The plugin registry: each package is loaded alone, and a broken one is listed with its reason.

pluggy checks each registration; the records that plugins yield are plain objects.
"""

import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pluggy
from pydantic import ValidationError

from dse.errors import DseError, PluginContractError, PluginLoadError, unknown_name
from dse.input_errors import option_error
from dse.opened import heard, note, note_named
from dse.plugins.call import check_names, describe_error, refuse_interrupt
from dse.plugins.code import Code, code_of
from dse.plugins.contract import PROTOCOLS, Hooks
from dse.plugins.hooks import GROUP, HOOKS, check_record, refuse_unknown_hooks
from dse.plugins.steps import step
from dse.records.plugin import ALL_KINDS, Kind, Options, PluginRecord

DISABLE_VARIABLE = "DSE_DISABLE_PLUGINS"
_READ_AT_IMPORT: dict[str, set[Path]] = {}
"""Files that were read when a source was imported, which a process does once."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Origin of plugins.

    Attributes:
        source: entry point or file.
        distribution: name and version of the package, or the file's path.
        error: error because of which none of its plugins was registered, or None.
    """

    source: str
    distribution: str
    error: BaseException | None = None

    @property
    def name(self) -> str:
        """Name of the entry point, or path of the file."""
        return self.source.removeprefix("entry point ").removeprefix("file ").strip("'")

    @property
    def reason(self) -> str:
        """The error's first line, with its type."""
        lines = describe_error(self.error).splitlines() if self.error is not None else []
        return next(iter(lines), "").strip()


class Registry:
    """Plugin records by kind and name.

    A fresh registry is empty and never discovers by itself: call `discover` for installed packages, `add_file` for a
    file the user named, `add` for any object.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(Hooks)
        self._found: dict[Kind, dict[str, tuple[PluginRecord, Provider]]] = {kind: {} for kind in ALL_KINDS}
        self.broken: list[Provider] = []
        self.disabled: list[str] = []

    def discover(self, *, disable: Iterable[str] = ()) -> Self:
        """Load every installed package's entry points of group ``dse``, one by one.

        Args:
            disable: entry-point names not to import; the variable DSE_DISABLE_PLUGINS adds more, separated by commas.
        """
        points, off = list_points(disable)
        self.disabled += off
        for point in points:
            self.add_point(point)
        return self

    def add_point(self, point: importlib.metadata.EntryPoint) -> Self:
        """Load one entry point of an installed package."""
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"
        return self.add(f"entry point {point.name!r}", point.load, distribution=distribution)

    def add_file(self, path: Path) -> Self:
        """Load a bare plugin file that the user named."""
        path = path.resolve()

        def load() -> object:
            if not path.is_file():
                reason = "is not a regular file" if path.exists() else "does not exist"
                raise PluginLoadError(f"the plugin file {reason}", where=path)
            name = f"dse_plugin_file_{path.stem}_{abs(hash(str(path)))}"
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:
                raise PluginLoadError("the plugin file is not Python", where=path, expected="a .py file")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            return module

        return self.add(f"file {path}", load, distribution=str(path))

    def add(self, source: str, load: Callable[[], object], *, distribution: str = "") -> Self:
        """Register all plugins of one source, or none of them if any part of it is broken."""
        provider = Provider(source, distribution)
        try:
            with step(f"the import of {source}"), heard(_READ_AT_IMPORT.setdefault(source, set())):
                plugin = load()
                refuse_unknown_hooks(plugin, source)
                self._manager.register(plugin, name=source)
                self._manager.check_pending()
                records = list(self._records(plugin, source))
        except BaseException as error:  # whatever a stranger's package raises must not stop the others
            refuse_interrupt(error)
            self.broken.append(Provider(source, distribution, error))
            if self._manager.has_plugin(source):
                self._manager.unregister(name=source)
            return self
        for record in records:
            self._found[record.kind][record.name] = record, provider
        return self

    def records(self, kind: Kind) -> dict[str, PluginRecord]:
        """Return all plugins of a kind by name."""
        return {name: record for name, (record, _) in sorted(self._found[kind].items())}

    def get(self, kind: Kind, name: str, *, where: object = None) -> PluginRecord:
        """Return one plugin, or raise an error that names the nearest one and every package that failed to load."""
        if name in self._found[kind]:
            return self._found[kind][name][0]
        broken = {provider.source: provider.reason for provider in self.broken}
        raise unknown_plugin(kind, name, self._found[kind], broken, self.disabled, where)

    def provider(self, kind: Kind, name: str) -> Provider:
        """Return the origin of a plugin."""
        return self._found[kind][name][1]

    def code(self, kind: Kind, name: str, built: object = None) -> Code:
        """Return the code of a plugin, and of everything that a ``built`` plugin is made of; see `code_of`."""
        file = Path(self.provider(kind, name).distribution)
        return code_of(self.get(kind, name).build, built, file=file if file.suffix == ".py" else None)

    def fingerprint(self, kind: Kind, name: str, built: object = None) -> str:
        """Return version, origin and a hash of the code of a plugin, which its cached results depend on."""
        record, provider = self._found[kind][name]
        code = self.code(kind, name, built)
        return " ".join([f"{kind}.{name} {record.version} ({provider.distribution}) {code.content}", *code.releases])

    def validate_options(self, kind: Kind, name: str, options: Mapping[str, Any], *, where: object = None) -> Options:
        """Return a plugin's options as its own type reads them."""
        record = self.get(kind, name, where=where)
        try:
            return record.options.model_validate(options)
        except ValidationError as error:
            raise option_error(error, record.options, f"{kind} {name!r}", where) from error

    def build(self, kind: Kind, name: str, options: Mapping[str, Any] | None = None, *, where: object = None) -> Any:
        """Build a plugin with options validated by its own type.

        Raises:
            PluginContractError: an option is not usable, the plugin cannot be built, or a member of it is misspelt.
        """
        validated = self.validate_options(kind, name, options or {}, where=where)
        source = self.provider(kind, name).source
        note(*_READ_AT_IMPORT[source])
        note_named(options or {})
        try:
            with step(f"{kind} {name!r}, build()"):
                plugin = self.get(kind, name, where=where).build(validated)
        except DseError:
            raise
        except BaseException as error:
            refuse_interrupt(error)
            what = f"{kind} {name!r} could not be built: {describe_error(error)}"
            raise PluginContractError(what, where=where or source) from error
        check_names(f"{kind} {name!r}", plugin, PROTOCOLS[kind], where=where or source)
        return plugin

    def _records(self, plugin: object, source: str) -> Iterable[PluginRecord]:
        seen: set[tuple[Kind, str]] = set()
        for hook, kind in HOOKS.items():
            implementation = getattr(plugin, hook, None)
            if implementation is None:
                continue
            for record in implementation():
                check_record(record, kind, hook, source)
                self._refuse_taken(kind, record.name, source)
                if (kind, record.name) in seen:
                    raise PluginContractError(f"{kind} {record.name!r} is yielded twice", where=source)
                seen.add((kind, record.name))
                yield record
        if not seen and source.startswith("file "):
            raise no_plugin_error(source)

    def _refuse_taken(self, kind: Kind, name: str, source: str) -> None:
        if name in self._found[kind]:
            other = self._found[kind][name][1]
            raise PluginContractError(
                f"{kind} {name!r} exists already",
                where=source,
                expected="a name of its own",
                found=f"also provided by {other.source}",
                fix=f"rename it, or disable one of the two with {DISABLE_VARIABLE}",
            )


def list_points(disable: Iterable[str] = ()) -> tuple[list[importlib.metadata.EntryPoint], list[str]]:
    """List the installed entry points of group ``dse`` to import, and the names of those that are switched off.

    Args:
        disable: names not to import; the variable DSE_DISABLE_PLUGINS adds more, separated by commas.
    """
    off = {*disable, *(name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(","))}
    points = sorted(importlib.metadata.entry_points(group=GROUP), key=lambda item: item.name)
    return [point for point in points if point.name not in off], sorted(off - {""})  # with names that no plugin has


def no_plugin_error(where: object) -> PluginLoadError:
    """Build the error for a source that holds no plugin."""
    expected = "a hook such as dse_schedulers, marked @dse.hookimpl, that yields a record"
    return PluginLoadError("nothing here registers a plugin", where=where, expected=expected)


def unknown_plugin(
    kind: str, name: str, names: Iterable[str], broken: Mapping[str, str], disabled: Iterable[str], where: object = None
) -> DseError:
    """Build the error for a plugin that does not exist, with the nearest name and the reason of each that did not load."""
    error = unknown_name(kind, name, names, where=where)
    hints = [f"{source} did not load: {reason}" for source, reason in broken.items()]
    hints += [f"{entry} is disabled by {DISABLE_VARIABLE}" for entry in disabled]
    error_type = PluginLoadError if hints else type(error)
    fixes = [error.fix, *hints] if error.fix else hints
    return error_type(error.what, where=where, expected=error.expected, fix="; ".join(fixes) or None)


def load_sources(sources: Collection[Path | str]) -> Registry:
    """Return a registry of some bare files, and of installed entry points by name, and of nothing else."""
    registry = Registry()
    for point in list_points()[0]:
        if point.name in sources:
            registry.add_point(point)
    for path in sources:
        if isinstance(path, Path):
            registry.add_file(path)
    return registry


def load_registry(plugins: Iterable[Path | str] = ()) -> Registry:
    """Return a registry of every installed plugin and of those in bare files."""
    registry = Registry().discover()
    for path in dict.fromkeys(Path(path).resolve() for path in plugins):  # a file that is named twice is one source
        registry.add_file(path)
    return registry
