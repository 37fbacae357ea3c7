"""Everything that a plugin uses: the contract, the records that flow through it, and helpers.

Nothing else of `dse` is supported in a plugin, except its errors in `dse.errors` and the conformance suites in
`dse.testing`. Importing this module loads neither torch, transformers nor optuna.
"""

from dse.charging.options import TiledOptions
from dse.charging.tile import DigitalUnit, Event, Part, Tile
from dse.charging.tiled import TiledHardware
from dse.cost.baseline import separate_models, whole_footprint
from dse.cost.counts import FULL_MAGNITUDE, slices
from dse.cost.demand import kept_inputs, kept_outputs
from dse.cost.reprogramming import Reprogramming, reprogramming
from dse.cost.residency import charge_switches
from dse.cost.schedule import batch_parameter, in_turn, listed_order, requests_per_visit
from dse.plugins.base import Base
from dse.plugins.contract import (
    AdapterWithBegin,
    AdapterWithRates,
    Context,
    Hardware,
    HardwareWithAlternatives,
    HardwareWithLevels,
    JointGenerator,
    LearningCompressor,
    ModelGenerator,
    NonidealHardware,
    TaskScheduler,
    WeightCompressor,
    Weights,
    hookimpl,
)
from dse.plugins.registry import Registry
from dse.records.cells import CellLaw, Conductances
from dse.records.charges import Alternative, Components, Violation
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.exits import ExitHead, Exits
from dse.records.footprint import Footprint, Piece, Reprogrammed
from dse.records.geometry import ENCODINGS, Geometry
from dse.records.model import Model
from dse.records.nonideality import Nonideality
from dse.records.observation import Observation
from dse.records.occupancy import Gating, Occupancy, Power
from dse.records.parameters import Choice, Float, Int, Parameter, Permutation
from dse.records.params import Params
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.plugin import (
    API,
    Anchor,
    CellModel,
    ComponentTable,
    Compressor,
    Generator,
    HardwareModel,
    Options,
    Scheduler,
)
from dse.records.residency import Residency
from dse.records.schedule import Schedule
from dse.records.stored import SCALE_BITS, VECTOR_BITS, Image, Matrices, Scaling, Stored, Term
from dse.records.training import Adapted, Adaption, Training
from dse.records.workload import Encoder, Matrix, Task, Traffic, Workload
from dse.score.decompose import Decomposition, decompose
from dse.score.exit_heads import fit_exits
from dse.score.grid import WEIGHT_BITS, best_scale, quantise, store_in_bits, store_whole

__all__ = [
    "API", "BASE", "DROPPED", "ENCODINGS", "FULL_MAGNITUDE", "SCALE_BITS", "VECTOR_BITS",
    "WEIGHT_BITS", "Adapted",
    "AdapterWithBegin", "AdapterWithRates", "Adaption", "Alternative", "Anchor", "Base", "CellLaw", "CellModel", "Choice", "ComponentTable",
    "Components", "Compressor", "Conductances", "Context", "Counts", "Decomposition", "Demand", "DigitalUnit", "Encoder", "Event", "ExitHead", "Exits",
    "Float", "Footprint", "Gating", "Generator", "Geometry", "Hardware", "HardwareModel", "HardwareWithAlternatives",
    "HardwareWithLevels", "Image", "Int", "JointGenerator", "LearningCompressor", "Matrices", "Matrix", "Model",
    "ModelGenerator", "NonidealHardware", "Nonideality", "Observation", "Occupancy", "Options", "Parameter", "Params", "Part",
    "Permutation", "Piece", "Plan", "Power", "Registry", "Reprogrammed", "Reprogramming", "Residency", "Scaling", "Schedule", "Scheduler",
    "Stored", "Task", "TaskScheduler", "Term", "Tile", "TiledHardware", "TiledOptions", "Traffic", "Training", "Violation", "WeightCompressor", "Weights",
    "Workload", "batch_parameter", "best_scale", "charge_switches", "decompose", "fit_exits", "hookimpl", "in_turn", "kept_inputs",
    "kept_outputs", "listed_order", "quantise", "reprogramming", "requests_per_visit", "separate_models", "slices",
    "store_in_bits", "store_whole", "whole_footprint",
]  # fmt: skip
