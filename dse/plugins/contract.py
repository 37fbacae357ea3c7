"""The plugin contract: the methods of each kind of plugin, and the five hooks that hand plugins over.

The division of labour: plugins say whose weights a task uses, how they are stored, what an event costs and in which
order tasks run. The core alone counts arrays, rebuilds weights from the stored terms and sums cost, so no plugin can be
charged for one thing and evaluated on another.

No hook is called inside a trial: hooks yield records, a study builds the plugins it names once, and their methods run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import pluggy
from numpy.typing import NDArray

from dse.records.arrays import Tensor
from dse.records.cells import CellLaw
from dse.records.charges import Alternative, Components
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.geometry import Geometry
from dse.records.model import Model
from dse.records.nonideality import Nonideality
from dse.records.observation import Observation
from dse.records.parameters import Parameter
from dse.records.params import Params
from dse.records.plan import Plan
from dse.records.plugin import CellModel, Compressor, Generator, HardwareModel, Kind, Scheduler
from dse.records.schedule import Schedule
from dse.records.stored import Matrices, Stored
from dse.records.training import Adapted, Adaption, Training
from dse.records.workload import Workload

Weights: TypeAlias = Mapping[tuple[int, int], Tensor]
"""Float32 matrices (outputs, inputs) by (layer, matrix index)."""

hookspec = pluggy.HookspecMarker("dse")
hookimpl = pluggy.HookimplMarker("dse")


class Context(Protocol):
    """Resources that `prepare` may use: the workload, its weights, a cache and a progress line."""

    @property
    def workload(self) -> Workload:
        """Shapes, tasks and traffic."""

    def base_weights(self) -> Weights:
        """Every linear matrix of the base encoder."""

    def task_weights(self, task: int) -> Weights:
        """Every linear matrix of a task's fine-tuned encoder; fine-tunes it first if that has not been done."""

    def observe(self, task: int, rows: int = 384, model: Model | None = None) -> Iterator[Observation]:
        """Run training rows through a task's fine-tuned model and yield observations of every matrix, some rows at a time.

        Args:
            task: index of the task.
            rows: number of training rows; fewer where the task has fewer.
            model: encoder and head to run instead; layers without matrices in this model are skipped.
        """

    def trained(self, training: Training) -> Model:
        """Train one encoder for several tasks, one head per task; a training that was finished or stopped is used again."""

    def adapted(self, adaption: Adaption) -> Adapted:
        """Learn one task from the base with an adapter of its matrices; a training that was finished or stopped is used again."""

    def cached(
        self, name: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Return arrays that are made once per key, and that all studies share.

        Args:
            name: name of the arrays, for the progress line and the file name.
            key: everything the arrays depend on; weights by their digests in ``workload.digests``.
            make: callable that makes the arrays.
        """


class _Plugin(Protocol):
    def parameters(self, workload: Workload) -> tuple[Parameter, ...]:
        """Declare the parameters that a search may choose."""

    def prepare(self, context: Context) -> None:
        """Do heavy work once, before the first design; cached by content, safe to call again."""


@runtime_checkable
class Hardware(_Plugin, Protocol):
    """A hardware model: geometry of its arrays and the cost of the events on them."""

    def geometry(self, params: Params) -> Geometry:
        """Give arrays (P,) of everything that decides how weights are placed and inputs are applied."""

    def components(
        self, workload: Workload, demand: Demand, counts: Counts, footprint: Footprint, params: Params
    ) -> Components:
        """Charge area, passes and switches; see `Components` for shapes and units."""


@runtime_checkable
class NonidealHardware(Hardware, Protocol):
    """A hardware model with one more method: its non-ideal arrays change the accuracy."""

    def nonideality(self, params: Params) -> Nonideality:
        """Give the non-idealities of one design's arrays (P = 1); the core draws cells and converts their sums."""


@runtime_checkable
class HardwareWithAlternatives(Protocol):
    """A hardware model that has one more method: what its designs cost under other assumptions."""

    def alternatives(self, params: Params) -> Iterable[Alternative]:
        """Give factors (P,) on the components of P points, one `Alternative` for each other assumption."""


@runtime_checkable
class HardwareWithLevels(Protocol):
    """A hardware model that has one more method: the levels of its chip, which an export writes down."""

    def levels(self, arrays: int, params: Params) -> Mapping[str, int]:
        """Give how many arrays each unit of a level holds, by the level's name, for one point (P = 1).

        Args:
            arrays: how many arrays the design uses.
            params: own parameters, P = 1.
        """


@runtime_checkable
class ModelGenerator(_Plugin, Protocol):
    """A model generator: whose weights each task uses in each layer."""

    def plan(self, workload: Workload, params: Params) -> Plan:
        """Give the owners (P, T, L) of every design, and the heads and FFN columns that each task keeps."""

    def weights(self, context: Context, params: Params, owner: int) -> Weights | Model:
        """Give an owner's own matrices, whole, for one design (P = 1), or these with biases, norms and heads.

        Owner 0 is the base, on which all deltas lie. A generator whose weights of one task depend on other tasks, or on
        their parameters, or are not those of the context, is a `JointGenerator`.
        """


@runtime_checkable
class JointGenerator(Protocol):
    """A model generator that says whether its weights of one task depend on the other tasks."""

    joint: bool
    """True: scores are kept by all tasks, and compressors use nothing they measured on the context's weights; groups need it."""


def is_joint(generator: ModelGenerator) -> bool:
    """Whether a generator's weights of one task depend on other tasks, or are not those of the context."""
    return isinstance(generator, JointGenerator) and generator.joint


@runtime_checkable
class WeightCompressor(_Plugin, Protocol):
    """A compressor: how each owner's matrices are stored."""

    geometry_fields: tuple[str, ...]
    """Fields of `Geometry` that change the stored terms; they are part of every score's cache key."""

    def footprint(self, workload: Workload, demand: Demand, geometry: Geometry, params: Params) -> Footprint:
        """Announce the exact rows, columns and codes of every owner's matrices, without touching a weight."""

    def store(
        self, weights: Matrices, base: Matrices, geometry: Geometry, params: Params, owner: int
    ) -> dict[tuple[int, int], Stored]:
        """Store one owner's matrices for one design (P = 1).

        Args:
            weights: the owner's matrices, already cut to the rows and columns that the plan keeps; they know these rows and
                columns, and the demand that the footprint answered.
            base: the base's matrices, cut in the same way.
            geometry: geometry with arrays of length 1.
            params: own parameters, P = 1.
            owner: index of the owner; 0 is the base.

        Returns:
            Terms of each matrix. Counted by the core, they must equal the footprint.
        """


@runtime_checkable
class LearningCompressor(Protocol):
    """A compressor that trains biases, norms and heads together with its terms, and returns them by one more method."""

    def learnt(self, params: Params, owner: int) -> Model | None:
        """Give an owner's biases, norms and head for one design (P = 1), or None if those of the generator are used."""


@runtime_checkable
class TaskScheduler(_Plugin, Protocol):
    """A task scheduler: the cyclic order in which tasks are served."""

    def order(self, components: Components, workload: Workload, params: Params) -> Schedule:
        """Give the task and the batch of each visit (P, n); every task must be served in proportion to its rate."""


@runtime_checkable
class AdapterWithRates(Protocol):
    """A trained adapter (`Adaption.build`) whose parameters learn at rates of their own."""

    rates: Mapping[str, float]
    """Multiple of the task's learning rate by the first part of a parameter's name; ``""``: biases, norms and head."""


@runtime_checkable
class AdapterWithBegin(Protocol):
    """A trained adapter (`Adaption.build`) that learns how far training is."""

    def begin(self, share: float) -> None:
        """Take in the share of steps done, 0 to 1, before each step."""


PROTOCOLS: dict[Kind, tuple[type, ...]] = {
    "generator": (ModelGenerator, JointGenerator),
    "compressor": (WeightCompressor, LearningCompressor),
    "scheduler": (TaskScheduler,),
    "hardware": (Hardware, NonidealHardware, HardwareWithAlternatives, HardwareWithLevels),
    "cell_model": (CellLaw,),
}
"""Protocols of each kind of plugin: first the one that every plugin fulfils, then the optional ones."""
ADAPTER_PROTOCOLS: tuple[type, ...] = (AdapterWithRates, AdapterWithBegin)
"""Optional protocols of a trained adapter."""


class Hooks:
    """The five hooks of the entry-point group ``dse``; a package implements those it needs."""

    @hookspec
    def dse_hardware_models(self) -> Iterable[HardwareModel]:  # type: ignore[empty-body]  # a specification has no body
        """Yield hardware models.

        Example::

            @dse.hookimpl
            def dse_hardware_models():
                yield dse.HardwareModel(api=2, name="my-reram", summary="1T1R, 2-bit cells", build=build)
        """

    @hookspec
    def dse_compressors(self) -> Iterable[Compressor]:  # type: ignore[empty-body]  # as above
        """Yield compressors, as `dse_hardware_models` yields hardware models."""

    @hookspec
    def dse_generators(self) -> Iterable[Generator]:  # type: ignore[empty-body]  # as above
        """Yield model generators, as `dse_hardware_models` yields hardware models."""

    @hookspec
    def dse_schedulers(self) -> Iterable[Scheduler]:  # type: ignore[empty-body]  # as above
        """Yield task schedulers, as `dse_hardware_models` yields hardware models."""

    @hookspec
    def dse_cell_models(self) -> Iterable[CellModel]:  # type: ignore[empty-body]  # as above
        """Yield cell models, as `dse_hardware_models` yields hardware models."""
