"""The space file: the description of a study, as a person writes it.

A space file is TOML, validated key by key. Its parameters are known only once the plugins it names are built: `load` reads
the file, `dse.space.resolve.resolve` turns it into a `SearchSpace`.

A file need not name every parameter. Unnamed ones of generators, compressors and schedulers are searched over their
declared range; those of hardware models keep their default. ``unnamed = "search"`` or ``"default"`` in a kind's table
changes the rule for that kind, and an empty table (``adc_bits = {}``) searches one parameter over its declared range. Messages on
wrong keys and values are made in ``dse/input_errors.py``.
"""

from __future__ import annotations

import errno
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from dse.errors import DseError, SpaceError, unknown_name
from dse.files import is_file, is_special
from dse.input_errors import validate_rest
from dse.records.plugin import KINDS, Kind
from dse.results.objectives import Objective, read_objective, reference_point
from dse.space.lines import raise_in_order
from dse.space.search import SearchTable, Table, check_objectives
from dse.space.workload import WorkloadSpec, expand_home

if TYPE_CHECKING:
    from dse.plugins.registry import Registry


class PluginTable(Table):
    """Table of one plugin: ``[kind.plugin]``."""

    options: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)


class KindTable(BaseModel):
    """Table of the plugins of one kind, such as ``[generator]``, with one sub-table per plugin."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, PluginTable] = Field(init=False)

    plugins: list[str] = Field(min_length=1)
    unnamed: Literal["search", "default"] | None = None

    @field_validator("plugins")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        if len(set(names)) != len(names):
            raise ValueError("a plugin is named twice")
        return names

    def table(self, plugin: str) -> PluginTable:
        """Return the plugin's own table, empty if the file does not have it."""
        return (self.__pydantic_extra__ or {}).get(plugin, PluginTable())

    @property
    def tables(self) -> dict[str, PluginTable]:
        """Sub-tables by plugin."""
        return dict(self.__pydantic_extra__ or {})


class CompressorTable(KindTable):
    """Table of compressors: ``[compressor]``. `input_bits` holds for each one whose own table does not name it."""

    input_bits: int | dict[str, Any] | None = None


class ReferenceHardware(Table):
    """Hardware of the baseline to which ratios ending in ``_reference`` are relative; by default the published configuration."""

    plugin: str = "isaac"
    options: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)

    @property
    def warning(self) -> str:
        """Sentence that names a reference other than the default; empty for the default."""
        if self == ReferenceHardware():
            return ""
        own = ", ".join(f"{name} = {value!r}" for name, value in (self.options | self.parameters).items())
        hardware = f"{self.plugin} with {own}" if own else self.plugin
        return f"columns ending in _reference, and the hypervolume, compare with {hardware}, not with the published configuration"


class SpaceFile(Table):
    """A validated space file. Build it with `load` or `parse`."""

    schema_: Literal[1] = Field(alias="schema")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    plugin_files: list[str] = Field(default_factory=list)
    workload: dict[str, Any]
    search: SearchTable = SearchTable()
    generator: KindTable
    compressor: CompressorTable
    scheduler: KindTable
    hardware: KindTable
    reference_hardware: ReferenceHardware = ReferenceHardware()
    _path: Path | None = PrivateAttr(default=None)

    @property
    def path(self) -> Path | None:
        """Path of the file; None if the space was not read from a file."""
        return self._path

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives of the study that are usable; `parse` reports the problems of the others."""
        usable = []
        for item in self.search.objectives:
            with suppress(DseError):
                usable.append(read_objective(item.as_written()))
        return tuple(usable)

    @property
    def reference_point(self) -> dict[str, float]:
        """Worst value by metric, from which the hypervolume is measured."""
        return reference_point(self.objectives, self.search.reference_point)

    @property
    def columns_read(self) -> Iterator[tuple[str, str]]:
        """Name and place of each column that objectives, constraints and the reference point read."""
        own = {item.column for item in self.objectives if item.expression}
        for index, item in enumerate(self.objectives):
            names = item.expression.columns if item.expression else (item.column,)
            keys = ("search", "objectives", index, *(["of"] if item.expression else []))
            yield from ((name, self.where(*keys)) for name in names)
        for key in ("constraints", "reference_point"):
            names = getattr(self.search, key) or ()
            yield from ((name, self.where("search", key, name)) for name in names if name not in own)

    def where(self, *keys: object) -> str:
        """Return file and dotted key, for messages."""
        key = ".".join(str(item) for item in keys)
        return f"{self._path or 'space'}: {key}" if key else str(self._path or "space")

    def kind(self, kind: Kind) -> KindTable:
        """Return the table of a plugin kind."""
        table: KindTable = getattr(self, kind)
        return table

    def searches_unnamed(self, kind: Kind) -> bool:
        """Return whether parameters of this kind that the file does not name are searched."""
        rule = self.kind(kind).unnamed
        return kind != "hardware" if rule is None else rule == "search"

    @property
    def plugin_paths(self) -> tuple[Path, ...]:
        """Absolute paths of plugin files; the space file names them relative to itself."""
        base = self._path.parent if self._path else Path()
        return tuple((base / expand_home(name, base)).resolve() for name in self.plugin_files)

    @property
    def plugins(self) -> tuple[tuple[Kind, str, dict[str, Any]], ...]:
        """Kind, name and options of every plugin to search."""
        return tuple(
            (kind, name, self.kind(kind).table(name).options) for kind in KINDS for name in self.kind(kind).plugins
        )

    def check_plugins(self, registry: Registry) -> None:
        """Raise for the first plugin that does not exist, naming the nearest that does."""
        for kind in KINDS:
            for index, name in enumerate(self.kind(kind).plugins):
                registry.get(kind, name, where=self.where(kind, "plugins", index))
        registry.get("hardware", self.reference_hardware.plugin, where=self.where("reference_hardware", "plugin"))


def load(path: Path | str, problems: list[DseError] | None = None) -> SpaceFile:
    """Read and validate a space file.

    Args:
        path: path of the file.
        problems: list that receives the problems of a file whose other entries are usable; by default each problem raises.

    Raises:
        SpaceError: the file is missing or is not TOML, or values in it are wrong.
        UnknownNameError: a key, objective, metric or plugin table has a name that does not exist.
    """
    path = Path(path)
    try:
        return parse(tomllib.loads(_read_text(path)), path=path, problems=problems)
    except DseError:
        raise
    except FileNotFoundError as error:
        near = sorted(item.name for item in path.parent.glob("*.toml")) if path.parent.is_dir() else []
        raise SpaceError(
            "the space file does not exist", where=path, found=f"beside it: {', '.join(near)}" if near else None
        ) from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of 5,000 digits, 1,000 brackets
        reason = "it nests too deeply" if isinstance(error, RecursionError) else error
        reason = "a number has more than 4300 digits" if "integer string conversion" in str(error) else reason
        raise SpaceError(f"the space file is not TOML: {reason}", where=path) from error
    except OSError as error:
        raise SpaceError(f"the space file cannot be read: {error.strerror}", where=path) from error


def _read_text(path: Path) -> str:
    if is_special(path):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return path.read_bytes().decode("utf-8-sig")  # Windows editors begin a file with a byte order mark


def parse(raw: dict[str, Any], *, path: Path | None = None, problems: list[DseError] | None = None) -> SpaceFile:
    """Validate the content of a space file; see `load`. A file that an option names lies beside the space file."""
    if path is not None:
        tables = {key: raw[key] for key in (*KINDS, "reference_hardware") if key in raw}
        raw = raw | _with_files(tables, path.parent)
    raise_in_order(_list_unholdable(raw, path or "space"), path)
    space, rest, told = validate_rest(SpaceFile, raw, path)
    workload = rest.get("workload")
    if problems is not None and isinstance(workload, dict):
        spec, usable, more = validate_rest(WorkloadSpec, workload, path, "workload")
        told += more
        # Without a task, names of it would be unknown.
        if spec is not None and len(spec.tasks) == len(workload["tasks"]):
            workload = usable
    if space is not None:
        space._path = path  # noqa: SLF001  # pydantic takes private attributes only after construction
        places = [f"{error.where}." for error in told]  # what lacks a wrong entry is wrong only for that reason
        told += [one for one in _check_names(space) if not any(place.startswith(f"{one.where}.") for place in places)]
    if space is None or problems is None:
        raise_in_order(told, path)
    assert space is not None  # a file without problems is valid
    if problems is not None:
        problems += told
        space = space.model_copy(update={"workload": workload})
    return space


def _list_unholdable(raw: Any, where: object, mark: str = ": ") -> Iterator[DseError]:
    """Yield the error of each whole number and text that TOML can hold and tables and names of files cannot."""
    if isinstance(raw, dict | list):
        for key, value in raw.items() if isinstance(raw, dict) else enumerate(raw):
            yield from _list_unholdable(value, f"{where}{mark}{key}", ".")
    elif isinstance(raw, int) and not -(2**63) <= raw < 2**63:
        yield SpaceError(
            "no table can hold these numbers", where=where, expected="a whole number of 64 bits", found=raw
        )
    elif isinstance(raw, str) and "\0" in raw:
        yield SpaceError("this text has a zero byte", where=where, expected="text without zero bytes", found=repr(raw))


def _with_files(raw: Any, folder: Path, *, inside: bool = False) -> Any:
    """Return tables whose options name files by their whole paths, where these files lie beside the space file."""
    if isinstance(raw, dict):
        return {key: _with_files(value, folder, inside=inside or key == "options") for key, value in raw.items()}
    if not inside or not isinstance(raw, str) or not Path(raw).suffix:
        return raw
    path = folder / expand_home(raw, folder)
    return str(path.resolve()) if is_file(path) else raw


def _check_names(space: SpaceFile) -> Iterator[DseError]:
    """Yield the error of each name that pydantic cannot know to be wrong."""
    yield from check_objectives(space)
    for kind in KINDS:
        for name in space.kind(kind).tables:
            if name not in space.kind(kind).plugins:
                names = (*space.kind(kind).plugins, *type(space.kind(kind)).model_fields)
                yield unknown_name(f"{kind} in this study", name, names, where=space.where(kind, name))
