"""The 49 mistakes that authors of plugins made, each as a plugin, with the check that names the mistake and words of its message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from dse_plugins.compressors.deltas.low_rank import LowRank
from dse_plugins.compressors.none import Uncompressed
from dse_plugins.compressors.two_stage import TwoStage, TwoStageOptions
from dse_plugins.generators.independent import Independent
from dse_plugins.generators.shared_prefix import SharedPrefix
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.puma.model import Puma
from dse_plugins.hardware.puma.options import ANCHORS, PumaOptions
from dse_plugins.schedulers.fixed import Fixed, FixedOptions
from pydantic import Field

import dse
from dse.records.plugin import PluginRecord
from tests.testing.wrong import compressors, generators, hardware, schedulers
from tests.testing.wrong.hardware import Changed


class Mistake(NamedTuple):
    """A row of the table.

    Attributes:
        words: what the author did, as the table says it.
        record: plugin with this mistake alone.
        check: check that fails.
        message: words of its message.
    """

    words: str
    record: PluginRecord
    check: str
    message: str


class Overlooks(Isaac):
    """Charges as `isaac` does, except what `overlook` leaves out of what the core hands over."""

    def components(self, *given: Any) -> dse.Components:
        names = ("workload", "demand", "counts", "footprint", "params")
        wrong = dict(zip(names, given, strict=True))
        return super().components(*(wrong | self.overlook(**wrong)).values())

    def overlook(self, *_: Any, **given: Any) -> dict[str, Any]:
        raise NotImplementedError


class SquareMetres(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"area_mm2": 1e6 * made.area_mm2, "array_area_mm2": 1e6 * made.array_area_mm2, "occupancy": None}


class Nanojoules(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"energy_uj": 1e3 * made.energy_uj}


class Nanoseconds(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"latency_us": 1e3 * made.latency_us}


class FreeBase(Overlooks):
    def overlook(self, *, footprint: dse.Footprint, **_: Any) -> dict[str, Any]:
        return {"footprint": replace(footprint, on_base=np.zeros_like(footprint.on_base))}


class FreeConverters(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"energy_uj": made.energy_uj * [name != "adc" for name in made.names]}


class FreeAttention(Overlooks):
    def overlook(self, *, workload: dse.Workload, **_: Any) -> dict[str, Any]:
        return {
            "workload": replace(workload, tasks=tuple(replace(task, tokens_squared=0.0) for task in workload.tasks))
        }


class SquaresTheMean(Overlooks):
    def overlook(self, *, workload: dse.Workload, **_: Any) -> dict[str, Any]:
        tasks = tuple(replace(task, tokens_squared=task.tokens**2) for task in workload.tasks)
        return {"workload": replace(workload, tasks=tasks)}


class IgnoresExits(Overlooks):
    def overlook(self, *, workload: dse.Workload, counts: dse.Counts, **_: Any) -> dict[str, Any]:
        macs = np.broadcast_to([float(task.head_parameters) for task in workload.tasks], counts.head_macs.shape)
        return {"counts": replace(counts, head_macs=macs, head_sums=0 * counts.head_sums)}


class FreeExitHeads(Overlooks):
    def overlook(self, *, counts: dse.Counts, **_: Any) -> dict[str, Any]:
        return {"counts": replace(counts, head_bits=0 * counts.head_bits)}


class ChargesSkippedLayers(Overlooks):
    def overlook(self, *, demand: dse.Demand, **_: Any) -> dict[str, Any]:
        return {"demand": replace(demand, owner=np.maximum(demand.owner, dse.BASE))}


class ChargesDroppedHeads(Overlooks):
    def overlook(self, *, demand: dse.Demand, **_: Any) -> dict[str, Any]:
        return {"demand": replace(demand, heads=None)}


class FreeDigitalCodes(Overlooks):
    def overlook(self, *, counts: dse.Counts, **_: Any) -> dict[str, Any]:
        return {"counts": replace(counts, macs=0 * counts.macs)}


class BlindToInputBits(Overlooks):
    def overlook(self, *, params: dse.Params, **_: Any) -> dict[str, Any]:
        return {"params": dse.Params(params.points, {**params, "input_bits": 0 * params["input_bits"] + 8})}


class CoarseConverters(Isaac):
    def geometry(self, params: dse.Params) -> dse.Geometry:
        return replace(super().geometry(params), adc_bits=params["adc_bits"] - 3)

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        return tuple(
            replace(item, low=8, limits=(8, 10)) if isinstance(item, dse.Int) and item.name == "adc_bits" else item
            for item in super().parameters(workload)
        )


class AllToTheBase(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        area = np.zeros_like(made.area_mm2)
        area[:, dse.BASE] = made.area_mm2.sum(axis=1)
        return {"area_mm2": area}


class WholeParts(Puma):
    """16 of 128 wordlines at once, each part with the area of a whole crossbar."""

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        first, *others = super().parameters(workload)
        return (replace(first, default=16), *others)  # type: ignore[arg-type]  # a choice has a default

    def tile(self, params: dse.Params) -> Any:
        whole = super().tile(params)
        return replace(whole, arrays=whole.arrays * params["active_rows"] / 128)


class Cooled(IsaacOptions):
    cooling_w: float = 5.0


class ForgetsAnOption(Isaac):
    forgotten = ""

    def __init__(self, options: IsaacOptions) -> None:
        usual = IsaacOptions.model_fields[self.forgotten].default
        super().__init__(options.model_copy(update={self.forgotten: usual}))


class ForgetsLanes(ForgetsAnOption):
    forgotten = "digital_lanes"


class ForgetsEndurance(ForgetsAnOption):
    forgotten = "endurance"


def of_hardware(build: type, options: type[dse.Options] = IsaacOptions, **more: Any) -> PluginRecord:
    return dse.HardwareModel(api=2, name="wrong", summary="wrong on purpose", build=build, options=options, **more)


QUANTITY, PLAUSIBLE, OPTION = (
    "test_every_quantity_is_charged",
    "test_unit_costs_are_plausible",
    "test_every_option_changes_something",
)
PARAMETER, BATCH, SAME = "test_every_parameter_changes_something", "test_batch_equals_single", "test_is_deterministic"
TERMS, SCORES = "test_stored_terms_are_what_the_footprint_charged", "test_scores_stand_still_where_parameters_say_so"
JOINT, CACHE = "test_only_joint_generators_change_or_mix_weights", "test_cached_arrays_belong_to_the_tasks"
HARDWARE = (
    Mistake("area x 1e6", of_hardware(SquareMetres), PLAUSIBLE, "area_mm2 of a product"),
    Mistake("ignored parameter", of_hardware(hardware.DeadParameter), PARAMETER, "no value of mood changes anything"),
    Mistake("random", of_hardware(hardware.Random), SAME, "latency_us"),
    Mistake("first point for the batch", of_hardware(hardware.FirstPointForAll), BATCH, "energy_uj"),
    Mistake("energy x 1000", of_hardware(Nanojoules), PLAUSIBLE, "energy_pj of a product"),
    Mistake("us for ns", of_hardware(Nanoseconds), PLAUSIBLE, "latency_ns of a product"),
    Mistake("base under a delta free", of_hardware(FreeBase), QUANTITY, "which run under a delta"),
    Mistake("ADC energy 0", of_hardware(FreeConverters), "test_converters_cost_by_their_bits", "when adc_bits rises"),
    Mistake("attention free", of_hardware(FreeAttention), QUANTITY, "which attention multiplies"),
    Mistake("exits ignored", of_hardware(IgnoresExits), QUANTITY, "more head_sums cost nothing"),
    Mistake("exit heads free", of_hardware(FreeExitHeads), QUANTITY, "more head_bits cost nothing"),
    Mistake("skipped layers charged", of_hardware(ChargesSkippedLayers), "test_skipped_layers_cost_nothing", "skips is charged"),
    Mistake("dropped heads charged", of_hardware(ChargesDroppedHeads), QUANTITY, "kept attention heads"),
    Mistake("digital codes free", of_hardware(FreeDigitalCodes), QUANTITY, "more macs cost nothing"),
    Mistake("too few ADC bits never refused", of_hardware(CoarseConverters), "test_usual_design_keeps_its_limits", "conversions would clip"),
    Mistake("energy blind to input_bits", of_hardware(BlindToInputBits), QUANTITY, "bits of an input"),
    Mistake("parts not divided", of_hardware(WholeParts, PumaOptions, anchors=ANCHORS[1:]), "test_anchors_are_reproduced", "8.19 times the published"),
    Mistake("tokens2 for tokens_squared", of_hardware(SquaresTheMean), QUANTITY, "which attention multiplies"),
    Mistake("all area to the base", of_hardware(AllToTheBase), QUANTITY, "though the area of another owner does"),
    Mistake("ignored option", of_hardware(Isaac, Cooled), OPTION, "option cooling_w"),
    Mistake("ignored option", of_hardware(ForgetsLanes), OPTION, "option digital_lanes"),
    Mistake("ignored option", of_hardware(ForgetsEndurance), OPTION, "option endurance"),
)  # fmt: skip


class SmallCodes(Uncompressed):
    def footprint(self, *given: Any) -> dse.Footprint:
        whole = super().footprint(*given)
        return replace(whole, pieces=(replace(whole.pieces[0], magnitude=np.minimum(whole.pieces[0].magnitude, 63)),))


class SaysDelta(Uncompressed):
    def store(self, *given: Any) -> Any:
        return {key: replace(of, on_base=given[-1] != dse.BASE) for key, of in super().store(*given).items()}


class SaysParallel(LowRank):
    def footprint(self, *given: Any) -> dse.Footprint:
        whole = super().footprint(*given)
        return replace(whole, pieces=tuple(replace(piece, fed_by=None) for piece in whole.pieces))


class KeepsTheFirstDesign(TwoStage):
    def footprint(self, workload: Any, demand: Any, geometry: Any, params: dse.Params) -> dse.Footprint:
        if params.points == 1:
            self.first = getattr(self, "first", params)
            params = self.first
        return super().footprint(workload, demand, geometry, params)


class SilentBits(TwoStage):
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        return tuple(replace(item, scores=item.name != "max_bits") for item in super().parameters(workload))


class TwiceTheScale(Uncompressed):
    def store(self, *given: Any) -> Any:
        stored = super().store(*given)
        return {key: dse.Stored((replace(of.terms[0], scale=2 * of.terms[0].scale),)) for key, of in stored.items()}


class WithLevel(TwoStageOptions):
    level: int = Field(default=3, ge=1)


class Clips(Uncompressed):
    """Clips every matrix at a bound that `prepare` measured on the tasks, under a key of its own."""

    bound: Any = None

    def prepare(self, context: dse.Context) -> None:
        def measure() -> Any:
            return {"bound": np.array([float(weight.abs().max()) / 2 for weight in context.task_weights(0).values()])}

        self.bound = context.cached("bound", self.key(context), measure)["bound"].max()

    def key(self, context: dse.Context) -> dict[str, Any]:
        return {"task": context.workload.digests["task.task0"]}

    def store(self, weights: dse.Matrices, *others: Any) -> Any:
        if weights.demand is None or weights.demand.measured:
            for key in weights:
                weights = dse.Matrices(
                    {**weights, key: weights[key].clamp(-self.bound, self.bound)}, demand=weights.demand
                )
        return super().store(weights, *others)


class ForgetsTheTasks(Clips):
    def key(self, context: dse.Context) -> dict[str, Any]:
        return {"base": context.workload.base}


class LeansOnPrepare(Clips):
    def store(self, weights: dse.Matrices, *others: Any) -> Any:
        clipped = {key: weight.clamp(-self.bound, self.bound) for key, weight in weights.items()}
        return Uncompressed.store(self, dse.Matrices(clipped, demand=weights.demand), *others)


def of_compressor(build: type, options: type[dse.Options] = dse.Options) -> PluginRecord:
    return dse.Compressor(api=2, name="wrong", summary="wrong on purpose", build=build, options=options)


COMPRESSORS = (
    Mistake("random", of_compressor(compressors.Noisy), SAME, "two calls differ"),
    Mistake("geometry_fields", of_compressor(compressors.HidesAField, TwoStageOptions), "test_geometry_fields_are_complete", "not in geometry_fields"),
    Mistake("magnitude", of_compressor(SmallCodes), TERMS, "magnitude"),
    Mistake("scale bits", of_compressor(compressors.ForgetsScales), TERMS, "bits"),
    Mistake("on_base", of_compressor(SaysDelta), TERMS, "base"),
    Mistake("fed_by", of_compressor(SaysParallel), TERMS, "fed_by"),
    Mistake("state kept between points", of_compressor(KeepsTheFirstDesign, TwoStageOptions), SAME, "two builds differ"),
    Mistake("half of the columns", of_compressor(compressors.ChargesHalf), TERMS, "columns"),
    Mistake("scores=False on bits", of_compressor(SilentBits, TwoStageOptions), SCORES, "'max_bits' has scores=False"),
    Mistake("scale twice too large", of_compressor(TwiceTheScale), "test_rebuilt_matrices_have_the_size_of_the_weights", "2 times what they stand for; check scales"),
    Mistake("ignored option", of_compressor(TwoStage, WithLevel), OPTION, "option level"),
    Mistake("cache key without the tasks", of_compressor(ForgetsTheTasks), CACHE, "put workload.digests into their key"),
    Mistake("leaning on `prepare` under a joint generator", of_compressor(LeansOnPrepare), "test_joint_generators_need_no_measurement", "what prepare() measured"),
)  # fmt: skip


def mean_of(context: dse.Context) -> dict[Any, Any]:
    tasks = range(len(context.workload.tasks))
    return {key: sum(context.task_weights(task)[key] for task in tasks) / len(tasks) for key in context.base_weights()}


class MeanTrunk(SharedPrefix):
    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        return mean_of(context) if owner == dse.BASE else super().weights(context, params, owner)


class CentredTasks(Independent):
    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        own = super().weights(context, params, owner)
        mean = mean_of(context)
        return own if owner == dse.BASE else {key: (weight + mean[key]) / 2 for key, weight in own.items()}


class SilentDepth(SharedPrefix):
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        return tuple(replace(item, scores=False) for item in super().parameters(workload))


class ScaledOptions(dse.Options):
    factor: float = Field(default=1.5, gt=0)


class KeepsScaled(Independent):
    """Keeps what it made for the whole process, by owner alone."""

    joint = True
    made: dict[Any, Any] = {}  # noqa: RUF012  # that is the mistake

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        place = len(context.workload.tasks), owner
        if place not in self.made:
            factor = self.options.factor
            self.made[place] = {key: factor * weight for key, weight in super().weights(context, params, owner).items()}
        return self.made[place]


class OneLayerMore(SharedPrefix):
    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        own = dse.separate_models(workload, params.points).owner
        below = np.arange(workload.encoder.layers) <= params["depth"][:, :, None]
        return dse.Plan(np.where(below, dse.BASE, own))


class NextTask(Independent):
    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        return super().weights(context, params, owner and owner % len(context.workload.tasks) + 1)


class ScalesInPlace(Independent):
    joint = True

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        own = super().weights(context, params, owner)
        for weight in own.values():
            weight.mul_(0.5)
        return own


def of_generator(build: type, options: type[dse.Options] = dse.Options) -> PluginRecord:
    return dse.Generator(api=2, name="wrong", summary="wrong on purpose", build=build, options=options)


GENERATORS = (
    Mistake("random", of_generator(generators.Noisy), SAME, "two calls differ"),
    Mistake("joint forgotten: a merged base", of_generator(MeanTrunk), JOINT, "set joint = True"),
    Mistake("joint forgotten: tasks that mix", of_generator(CentredTasks), JOINT, "set joint = True"),
    Mistake("scores=False on depth", of_generator(SilentDepth), SCORES, "'depth' has scores=False"),
    Mistake("option out of the cache key", of_generator(KeepsScaled, ScaledOptions), OPTION, "option factor"),
    Mistake("ignored option", of_generator(Independent, ScaledOptions), OPTION, "option factor"),
    Mistake("plan off by one", of_generator(OneLayerMore), "test_each_number_of_layers_is_a_plan_of_its_own", "is it off by one"),
    Mistake("wrong task's weights", of_generator(NextTask), JOINT, "differs from the context's weights of task 0"),
    Mistake("cached weights changed in place", of_generator(ScalesInPlace), SAME, "changed in place"),
)  # fmt: skip


class LevelOptions(FixedOptions):
    level: float = 1.0


class ReverseOptions(FixedOptions):
    reverse: bool = False


def of_scheduler(build: type, options: type[dse.Options] = FixedOptions) -> PluginRecord:
    return dse.Scheduler(api=2, name="wrong", summary="wrong on purpose", build=build, options=options)


SCHEDULERS = (
    Mistake("rate", of_scheduler(schedulers.IgnoresRates), "test_every_task_is_served_by_its_rate", "rate"),
    Mistake("random", of_scheduler(schedulers.ChangesItsMind), SAME, "two calls differ"),
    Mistake("ignored parameter", of_scheduler(schedulers.DeadOrder, dse.Options), PARAMETER, "order changes anything"),
    Mistake("ignored option", of_scheduler(Fixed, LevelOptions), OPTION, "option level"),
    Mistake("ignored option", of_scheduler(Fixed, ReverseOptions), OPTION, "option reverse"),
)
MISTAKES = (*HARDWARE, *COMPRESSORS, *GENERATORS, *SCHEDULERS)
