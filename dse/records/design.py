"""A design: one assignment of every parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from dse.records.parameters import Parameter, Scalar
from dse.records.plugin import Kind

Value: TypeAlias = Scalar | tuple[Scalar, ...] | tuple[tuple[Scalar, ...], ...]
"""A parameter's value: a scalar, or tuples over tasks, layers, tasks then layers, or steps of an order."""


@dataclass(frozen=True, slots=True)
class DesignPoint:
    """One assignment of every active parameter.

    Attributes:
        generator: name of the generator.
        compressor: name of the compressor.
        scheduler: name of the scheduler.
        hardware: name of the hardware model.
        values: value by full name ``kind.plugin.parameter``, for the four chosen plugins and no other.
    """

    generator: str
    compressor: str
    scheduler: str
    hardware: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def plugin(self, kind: Kind) -> str:
        """Name of the chosen plugin of a kind."""
        name: str = getattr(self, kind)
        return name

    def key(self) -> tuple[object, ...]:
        """Hashable identity: equal keys are the same design, since its plugins say which parameters it has."""
        values = (value for _, value in sorted(self.values.items()))
        return (self.generator, self.compressor, self.scheduler, self.hardware, *values)


@dataclass(frozen=True, slots=True)
class PluginParameter:
    """A declared parameter with the plugin it belongs to."""

    kind: Kind
    plugin: str
    parameter: Parameter

    @property
    def full_name(self) -> str:
        """``kind.plugin.parameter``, as in space files, logs and columns ``param.*``."""
        return f"{self.kind}.{self.plugin}.{self.parameter.name}"
