"""Any Optuna sampler by name, made repeatable.

A sampler's random state is lost when a process ends. Each trial therefore gets a fresh sampler whose seed follows from
the study's seed and the trial's number, and finds all else it needs in the finished trials. Samplers that walk
through one fixed sequence keep the study's seed throughout.
"""

import importlib.util
import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from dse.errors import SpaceError, missing_package, raise_errors, unknown_name
from dse.records.design import DesignPoint
from dse.records.problem import Problem
from dse.samplers.encoding import Codec, Params
from dse.samplers.seeds import derive
from dse.space.domain import at, size
from dse.space.searchspace import SearchSpace

SHORT = {
    "random": "RandomSampler",
    "tpe": "TPESampler",
    "nsga2": "NSGAIISampler",
    "nsga3": "NSGAIIISampler",
    "cmaes": "CmaEsSampler",
    "gp": "GPSampler",
    "qmc": "QMCSampler",
    "grid": "GridSampler",
    "brute-force": "BruteForceSampler",
}
GRAYBOX = "graybox"
"""The sampler of this package, which looks at exact costs and at each task's score."""
SEQUENTIAL = ("QMCSampler", "GridSampler", "BruteForceSampler")
"""Samplers that walk through one sequence, whose seed must stay the same."""
JOINT = ("TPESampler", "NSGAIISampler", "NSGAIIISampler", "GPSampler", "QMCSampler")
"""Samplers that infer a joint space from past trials; they get the known one, which saves a pass over all trials."""
EXHAUSTIVE = ("GridSampler", "BruteForceSampler")
"""Samplers that propose every design once."""
GENETIC = ("NSGAIISampler", "NSGAIIISampler")
"""Samplers that look up generations."""
NOT_OURS = ("seed", "constraints_func", "search_space", "self")
"""Arguments that follow from the space file."""
UNUSABLE = ("BaseSampler", "BaseGASampler", "PartialFixedSampler")
"""Classes of Optuna that a study cannot name: other samplers build on them."""
NEEDS = {"CmaEsSampler": "cmaes"}
"""Packages of the extra `samplers` that Optuna imports only when a sampler is asked. A missing package would stop a running study."""
MAX_GRID = 1_000_000


@dataclass(frozen=True)
class SamplerFactory:
    """Makes the sampler of each trial.

    Attributes:
        name: name of Optuna's class.
        build: function that makes a sampler from a seed.
        seed: seed of the study.
        learn: callback for the design and row of every finished trial; None if Optuna's own record of trials is enough.
        plan: function that returns the designs of a trial and of the later ones of its group; None: the sampler has no groups.
    """

    name: str
    build: Callable[[int], Any]
    seed: int
    learn: Callable[[DesignPoint, Mapping[str, Any]], None] | None = None
    plan: Callable[[int], list[Params]] | None = None

    def of_trial(self, number: int) -> Any:
        """Return the sampler that proposes trial ``number``."""
        return self.build(self.seed if self.name in SEQUENTIAL else derive(self.seed, number))


def make_factory(
    space: SearchSpace, codec: Codec, problem: Problem | None = None, parallel: int | None = None
) -> SamplerFactory:
    """Check the sampler's name and options and return the factory that makes one sampler per trial.

    Args:
        space: the resolved search space.
        codec: translation of the space.
        problem: source of exact costs, for the sampler that uses them; None if no design will be asked for.
        parallel: number of designs in a group, for the sampler that makes groups itself.

    Raises:
        UnknownNameError: a sampler or an option has a name that does not exist.
        SpaceError: the sampler refuses an option's value, or cannot search this space.
        SetupError: a package that the sampler needs is not installed.
    """
    import optuna

    from dse.samplers.population import Generations

    search = space.file.search
    where = space.file.where("search", "sampler")
    named = [name for name in optuna.samplers.__all__ if name.endswith("Sampler") and name not in UNUSABLE]
    classes = {name: getattr(optuna.samplers, name) for name in named}
    if search.sampler == GRAYBOX:
        return _graybox(space, codec, problem, parallel)
    name = SHORT.get(search.sampler, search.sampler)
    if name not in classes:
        raise unknown_name("sampler", search.sampler, [GRAYBOX, *SHORT, *classes], where=where)
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        raise missing_package(f"sampler {search.sampler!r}", NEEDS[name], "samplers", where=where)
    options = _checked_options(classes[name], search.sampler, search.sampler_options, space)
    _check_fit(name, space, codec, where)
    if name == "GridSampler":
        options["search_space"] = _grid(codec, where)
    generations = Generations() if name in GENETIC else None

    def build(seed: int) -> Any:
        plain, grouped = _build_sampler(classes[name], options, seed, space), bool(options.get("group"))
        sampler = _adapt_sampler(plain, name, codec.distributions(), grouped=grouped)
        if generations is not None:
            generations.serve(sampler)
        return sampler

    # One sampler walks a sequence, so that a grid of a million designs is not laid out again at each trial.
    make = cache(build) if name in SEQUENTIAL else build
    make(search.seed)
    return SamplerFactory(name, make, search.seed)


def _graybox(space: SearchSpace, codec: Codec, problem: Problem | None, parallel: int | None) -> SamplerFactory:
    """Return the factory of the sampler that knows which objectives are cheap; one sampler serves the study, since it learns."""
    from dse.samplers.graybox.proposer import Proposer
    from dse.samplers.graybox.sampler import GrayboxSampler, options_of

    search = space.file.search
    options = options_of(search.sampler_options, space.file.where("search", "sampler_options"))
    if search.parallel not in ("auto", search.sampler_options.get("batch", search.parallel)):
        where, expected = space.file.where("search", "parallel"), f"{search.parallel}, or no `batch`"
        wrong = "`batch` of sampler 'graybox' is an older name of `parallel`, and the two differ"
        raise SpaceError(wrong, where=where, expected=expected, found=f"batch = {options.batch}")
    options = replace(options, batch=parallel or options.batch)
    cost = (lambda _: []) if problem is None else problem.cost
    proposer = Proposer(codec, cost, () if problem is None else problem.joint, options)
    searched = {name: item for name, item in codec.distributions().items() if not item.single()}
    sampler = GrayboxSampler(proposer, search.seed, searched)
    return SamplerFactory(
        GRAYBOX, lambda _: sampler, search.seed, proposer.learn, lambda number: proposer.plan(number, search.seed)
    )


def _checked_options(kind: Any, name: str, options: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    names = [item for item in inspect.signature(kind.__init__).parameters if item not in NOT_OURS]
    where = space.file.where("search", "sampler_options")
    wrong = [option for option in options if option not in names]
    raise_errors(unknown_name(f"option of sampler {name!r}", one, names, where=f"{where}.{one}") for one in wrong)
    return dict(options)


def _build_sampler(kind: Any, options: Mapping[str, Any], seed: int, space: SearchSpace) -> Any:
    import optuna

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return kind(**options, seed=seed)
    except Exception as error:
        raise SpaceError(
            f"sampler {space.file.search.sampler!r} refuses its options: {error}",
            where=space.file.where("search", "sampler_options"),
            found=dict(options),
        ) from error


def _check_fit(name: str, space: SearchSpace, codec: Codec, where: str) -> None:
    objectives = [item.name for item in space.file.search.objectives]
    if name == "CmaEsSampler" and len(objectives) > 1:
        raise SpaceError(
            "this sampler has one objective only", where=where, expected="one", found=", ".join(objectives)
        )
    if name in EXHAUSTIVE:
        for element, domain in codec.domains.items():
            if size(domain) == float("inf"):
                fix = f"give {element} a `step` or `choices`, or fix it"
                raise SpaceError("this sampler needs a finite space", where=where, found=f"{element} is real", fix=fix)


def _grid(codec: Codec, where: str) -> dict[str, list[Any]]:
    grid: dict[str, list[Any]] = {str(kind): list(names) for kind, names in codec.choices.items()}
    grid.update((name, [at(domain, i) for i in range(int(size(domain)))]) for name, domain in codec.domains.items())
    count = math.prod(map(len, grid.values()))
    if count > MAX_GRID:
        fix = "narrow the space, or use the sampler 'random' or 'qmc'"
        raise SpaceError("the grid is too large", where=where, expected=f"at most {MAX_GRID}", found=count, fix=fix)
    return grid


def _adapt_sampler(sampler: Any, name: str, distributions: Mapping[str, Any], *, grouped: bool) -> Any:
    """Give a sampler the joint space, and let the study decide when the space is exhausted."""
    if name in JOINT and not grouped:
        joint = {key: item for key, item in distributions.items() if not item.single()}
        sampler.infer_relative_search_space = lambda _study, _trial: dict(joint)
    if name in EXHAUSTIVE:
        sampler.after_trial = lambda _study, _trial, _state, _values: None
    return sampler
