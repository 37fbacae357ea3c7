"""Records that a plugin package hands over: frozen, with a name and a lazy build."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

API = 2
"""Number of the plugin contract."""
OLDEST_API = 1
"""Oldest contract that still loads, with a DeprecationWarning; records that state no number are written for it."""

Kind: TypeAlias = Literal["generator", "compressor", "scheduler", "hardware", "cell_model"]
KINDS: tuple[Kind, ...] = ("generator", "compressor", "scheduler", "hardware")
"""Kinds that a design chooses a plugin of."""
ALL_KINDS: tuple[Kind, ...] = (*KINDS, "cell_model")
"""Kinds of plugins, with cell models, which options of hardware name."""


class Options(BaseModel):
    """Base of a plugin's options: values that the space file sets once and that are not searched."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """One selectable plugin.

    Attributes:
        name: name of the plugin in a space file.
        summary: one line for listings.
        build: callable that receives validated options when a study selects the plugin; heavy imports go inside.
        version: version of the plugin; a study refuses to resume when it has changed.
        options: type that validates the plugin's table ``options`` in a space file.
        source: the paper or table it implements, if any.
        api: number of the contract that the plugin was written for; see `API`.
    """

    kind: ClassVar[Kind]
    name: str
    summary: str
    build: Callable[[Any], Any]
    version: str = "1"
    options: type[Options] = Options
    source: str = ""
    api: int = OLDEST_API


@dataclass(frozen=True, kw_only=True)
class ComponentTable:
    """A table of component costs that comes with a hardware model, and how ``dse components build`` makes it again.

    The script runs in an environment of its own, so that its requirements need not be installed beside `dse`.

    Attributes:
        file: file of the table.
        script: script that receives the name of the file to write as its only argument; it cannot import `dse`.
        python: oldest version of Python that the script runs with.
        requirements: packages that pip installs for the script, with exact versions.
        compiled: names of requirements that are compiled on the machine instead of installed ready-made.
        programs: programs that compiling needs on the path.
    """

    file: Path
    script: Path
    python: tuple[int, int] = (3, 11)
    requirements: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Published cost of a product of one vector and one matrix, which the conformance suite computes again.

    Attributes:
        what: what was measured or published.
        energy_pj: energy of the product; None: not published.
        time_ns: time after which the arrays take the next vector; None: not published.
        area_mm2: area of the arrays with their share of a tile; None: not published.
        tolerance: largest relative difference.
        source: where the numbers were published.
        rows: number of inputs.
        columns: number of outputs.
        magnitude: largest code of the matrix.
        input_bits: bits of an input.
        parameters: parameters of the model that differ from their defaults, by name.
        components: components whose energy was published; empty: all of a pass.
    """

    what: str
    energy_pj: float | None = None
    time_ns: float | None = None
    area_mm2: float | None = None
    tolerance: float = 0.1
    source: str
    rows: int = 128
    columns: int = 128
    magnitude: int = 128
    input_bits: int = 8
    parameters: Mapping[str, Any] = field(default_factory=dict)
    components: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HardwareModel(PluginRecord):
    """Record of a hardware model; `build(options)` returns a `dse.Hardware`.

    Attributes:
        components: table of component costs that can be built again, if the model has one.
        anchors: published costs that the model reproduces.
        uncharged: reason why the model charges nothing for a quantity, by the name that the conformance suite gives it.
    """

    kind: ClassVar[Kind] = "hardware"
    components: ComponentTable | None = None
    anchors: tuple[Anchor, ...] = ()
    uncharged: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Compressor(PluginRecord):
    """Record of a compressor; `build(options)` returns a `dse.WeightCompressor`."""

    kind: ClassVar[Kind] = "compressor"


@dataclass(frozen=True, kw_only=True)
class Generator(PluginRecord):
    """Record of a generator; `build(options)` returns a `dse.ModelGenerator`."""

    kind: ClassVar[Kind] = "generator"


@dataclass(frozen=True, kw_only=True)
class Scheduler(PluginRecord):
    """Record of a scheduler; `build(options)` returns a `dse.TaskScheduler`."""

    kind: ClassVar[Kind] = "scheduler"


@dataclass(frozen=True, kw_only=True)
class CellModel(PluginRecord):
    """Record of a cell model; `build(options)` returns a `dse.plugin.CellLaw`."""

    kind: ClassVar[Kind] = "cell_model"


RECORD_TYPES: dict[Kind, type[PluginRecord]] = {
    record.kind: record for record in (Generator, Compressor, Scheduler, HardwareModel, CellModel)
}
