"""Design-space exploration of several BERT models served together on a ReRAM accelerator.

Everything a plugin author or a script needs is listed here; nothing else is supported. Importing this package loads
neither torch, transformers nor optuna.
"""

from typing import TYPE_CHECKING, Any

from dse.contract import (
    Context,
    Hardware,
    ModelGenerator,
    NonidealHardware,
    TaskScheduler,
    WeightCompressor,
    Weights,
    hookimpl,
)
from dse.cost.baseline import separate_models, whole_footprint
from dse.cost.counts import FULL_MAGNITUDE, slices
from dse.cost.demand import kept_inputs, kept_outputs
from dse.cost.reprogramming import Reprogramming, reprogramming
from dse.cost.schedule import batch_parameter, in_turn, listed_order, requests_per_visit
from dse.errors import (
    CheckpointError,
    DataError,
    DseError,
    ExportError,
    OutputError,
    PackageError,
    PluginContractError,
    PluginLoadError,
    QueryError,
    SetupError,
    SourceError,
    SpaceError,
    StudyError,
    TimeLimitError,
    UnknownNameError,
    WorkerError,
)
from dse.records.charges import Alternative, Components, Violation
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.exits import ExitHead, Exits
from dse.records.footprint import Footprint, Piece, Reprogrammed
from dse.records.geometry import ENCODINGS, Geometry
from dse.records.model import Model
from dse.records.nonideality import Nonideality
from dse.records.observation import Observation
from dse.records.parameters import Choice, Float, Int, Parameter, Permutation
from dse.records.params import Params
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.plugin import API, ComponentTable, Compressor, Generator, HardwareModel, Options, Scheduler
from dse.records.schedule import Schedule
from dse.records.stored import SCALE_BITS, Image, Matrices, Scaling, Stored, Term
from dse.records.training import Adapted, Adaption, Training
from dse.records.workload import Encoder, Matrix, Task, Traffic, Workload
from dse.registry import Registry
from dse.score.decompose import Decomposition, decompose
from dse.score.exit_heads import fit_exits
from dse.score.grid import WEIGHT_BITS, best_scale, quantise, store_whole

if TYPE_CHECKING:
    from dse.api import check, deltas, plugins_list, run, validate
    from dse.authoring.check import plugins_check
    from dse.authoring.info import plugins_info
    from dse.authoring.new import plugins_new
    from dse.components import components_build
    from dse.exporting import export
    from dse.exports.load import load_export
    from dse.profiling import profile
    from dse.reading import dashboard, hypervolume, pareto, plot, query, report, sections, show
    from dse.redundant import redundancy

__version__ = "0.1.0"

__all__ = [
    "API",
    "BASE",
    "DROPPED",
    "ENCODINGS",
    "FULL_MAGNITUDE",
    "SCALE_BITS",
    "WEIGHT_BITS",
    "Adapted",
    "Adaption",
    "Alternative",
    "CheckpointError",
    "Choice",
    "ComponentTable",
    "Components",
    "Compressor",
    "Context",
    "Counts",
    "DataError",
    "Decomposition",
    "Demand",
    "DseError",
    "Encoder",
    "ExitHead",
    "Exits",
    "ExportError",
    "Float",
    "Footprint",
    "Generator",
    "Geometry",
    "Hardware",
    "HardwareModel",
    "Image",
    "Int",
    "Matrices",
    "Matrix",
    "Model",
    "ModelGenerator",
    "NonidealHardware",
    "Nonideality",
    "Observation",
    "Options",
    "OutputError",
    "PackageError",
    "Parameter",
    "Params",
    "Permutation",
    "Piece",
    "Plan",
    "PluginContractError",
    "PluginLoadError",
    "QueryError",
    "Registry",
    "Reprogrammed",
    "Reprogramming",
    "Scaling",
    "Schedule",
    "Scheduler",
    "SetupError",
    "SourceError",
    "SpaceError",
    "Stored",
    "StudyError",
    "Task",
    "TaskScheduler",
    "Term",
    "TimeLimitError",
    "Traffic",
    "Training",
    "UnknownNameError",
    "Violation",
    "WeightCompressor",
    "Weights",
    "WorkerError",
    "Workload",
    "__version__",
    "batch_parameter",
    "best_scale",
    "check",
    "components_build",
    "dashboard",
    "decompose",
    "deltas",
    "export",
    "fit_exits",
    "hookimpl",
    "hypervolume",
    "in_turn",
    "kept_inputs",
    "kept_outputs",
    "listed_order",
    "load_export",
    "pareto",
    "plot",
    "plugins_check",
    "plugins_info",
    "plugins_list",
    "plugins_new",
    "profile",
    "quantise",
    "query",
    "redundancy",
    "report",
    "reprogramming",
    "requests_per_visit",
    "run",
    "sections",
    "separate_models",
    "show",
    "slices",
    "store_whole",
    "validate",
    "whole_footprint",
]

_API = {
    **dict.fromkeys(("check", "deltas", "plugins_list", "run", "validate"), "dse.api"),
    **dict.fromkeys(
        ("dashboard", "hypervolume", "pareto", "plot", "query", "report", "sections", "show"), "dse.reading"
    ),
    "components_build": "dse.components",
    "export": "dse.exporting",
    "load_export": "dse.exports.load",
    "plugins_check": "dse.authoring.check",
    "plugins_info": "dse.authoring.info",
    "plugins_new": "dse.authoring.new",
    "profile": "dse.profiling",
    "redundancy": "dse.redundant",
}


def __getattr__(name: str) -> Any:
    """Load the commands when they are first used: they pull in pandas and more."""
    if name in _API:
        from importlib import import_module

        return getattr(import_module(_API[name]), name)
    raise AttributeError(f"module 'dse' has no attribute {name!r}")
