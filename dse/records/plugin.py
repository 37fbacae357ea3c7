"""What a plugin package hands over: frozen records with a name and a lazy build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

API = 1
"""Version of the plugin contract; a record made for another one is refused with both numbers."""

Kind: TypeAlias = Literal["generator", "compressor", "scheduler", "hardware"]
KINDS: tuple[Kind, ...] = ("generator", "compressor", "scheduler", "hardware")


class Options(BaseModel):
    """Base of a plugin's options: what is set once in the space file and not searched."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """One selectable plugin.

    Attributes:
        name: what a space file calls it.
        summary: one line for listings.
        build: called with validated options when a study selects the plugin; heavy imports go inside.
        version: of the plugin; a study refuses to resume when it has changed.
        options: type that validates the plugin's table ``options`` in a space file.
        source: the paper or table it implements, if any.
        api: contract version it was written for.
    """

    kind: ClassVar[Kind]
    name: str
    summary: str
    build: Callable[[Any], Any]
    version: str = "1"
    options: type[Options] = Options
    source: str = ""
    api: int = API


@dataclass(frozen=True, kw_only=True)
class HardwareModel(PluginRecord):
    """`build(options)` returns a `dse.Hardware`."""

    kind: ClassVar[Kind] = "hardware"


@dataclass(frozen=True, kw_only=True)
class Compressor(PluginRecord):
    """`build(options)` returns a `dse.WeightCompressor`."""

    kind: ClassVar[Kind] = "compressor"


@dataclass(frozen=True, kw_only=True)
class Generator(PluginRecord):
    """`build(options)` returns a `dse.ModelGenerator`."""

    kind: ClassVar[Kind] = "generator"


@dataclass(frozen=True, kw_only=True)
class Scheduler(PluginRecord):
    """`build(options)` returns a `dse.TaskScheduler`."""

    kind: ClassVar[Kind] = "scheduler"


RECORD_TYPES: dict[Kind, type[PluginRecord]] = {
    "generator": Generator,
    "compressor": Compressor,
    "scheduler": Scheduler,
    "hardware": HardwareModel,
}
