"""Optuna as the suggester: an in-memory study that is rebuilt from the log and asked for one design after the other."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from dse.errors import StudyError, WorkerError
from dse.records.design import DesignPoint
from dse.records.problem import Problem
from dse.samplers.encoding import Codec, Params
from dse.samplers.factory import make_factory
from dse.space.searchspace import SearchSpace

_STUDY = "study"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A sampler's proposal.

    Attributes:
        params: flat parameters of the design.
        attributes: the sampler's notes on the trial.
        study_attributes: the sampler's new notes on the study.
    """

    params: Params
    attributes: Mapping[str, Any]
    study_attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A trial's result, as a sampler learns it.

    Attributes:
        values: objectives in the study's order, None for a failed trial.
        constraints: excess of each constraint by name, > 0 where it is violated.
    """

    values: Sequence[float] | None
    constraints: Mapping[str, float]


class Suggester:
    """Asks and tells one Optuna study.

    Args:
        space: the resolved search space.
        codec: translation of the space.
        problem: source of exact costs, for a sampler that looks at them; None if no design will be asked for.
        parallel: number of designs in a group, each of which follows from the trials before the group.
    """

    def __init__(
        self, space: SearchSpace, codec: Codec, problem: Problem | None = None, parallel: int | None = None
    ) -> None:
        import optuna

        self._factory = make_factory(space, codec, problem, parallel)
        self.parallel = parallel or 1
        self._distributions = codec.distributions()
        directions: list[Any] = ["maximize" if item.maximise else "minimize" for item in space.file.objectives]
        self._storage = optuna.storages.InMemoryStorage()
        with quiet_optuna():
            self._study = optuna.create_study(
                study_name=_STUDY, storage=self._storage, directions=directions, sampler=self._factory.of_trial(0)
            )
        self._study_id = self._storage.get_study_id_from_name(_STUDY)
        self._known: dict[str, Any] = {}
        self._open: Any = None

    def ask(self, number: int, params: Params | None = None) -> Suggestion:
        """Propose trial ``number``, or take the given parameters for it; the sampler records the trial in both cases.

        Raises:
            StudyError: the sampler cannot propose a design.
            WorkerError: the worker died twice while it costed designs for a proposal.
        """
        try:
            self._study.sampler = self._factory.of_trial(number)
            if params is not None:
                self._study.enqueue_trial(params)
            self._open = self._study.ask(self._distributions)
            # Reading these makes a genetic sampler place a given design in its population, as it places its own designs.
            with suppress(*(() if params is None else (WorkerError,))):  # a given design needs no cost of others
                _ = self._open.relative_params
        except WorkerError:
            self._forget_unfinished()
            raise
        except Exception as error:
            raise StudyError(
                f"sampler {self._factory.name} cannot propose trial {number}: {type(error).__name__}: {error}",
                fix="choose another sampler or other options in a new study",
            ) from error
        attributes = dict(self._storage.get_trial(self._open._trial_id).system_attrs)  # noqa: SLF001  # the id has no public name
        return Suggestion(dict(self._open.params), attributes, self._new_study_attributes())

    def _forget_unfinished(self) -> None:
        import optuna

        for trial in self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    def tell(self, told: Told) -> None:
        """Finish the trial that was asked last."""
        import optuna

        for name, value in told.constraints.items():
            self._open.set_constraint(name, value)
        if told.values is None:
            self._study.tell(self._open, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(self._open, [float(value) for value in told.values])
        self._open = None

    @property
    def learns(self) -> bool:
        """Whether the sampler learns more from designs than their objectives."""
        return self._factory.learn is not None

    def upcoming(self, number: int) -> list[Params]:
        """Return the sampler's designs for this trial and the later ones of its group, if the sampler makes groups."""
        return [] if self._factory.plan is None else self._factory.plan(number)

    def learn(self, point: DesignPoint, row: Mapping[str, Any]) -> None:
        """Show a finished trial, or a design that a profile measured, to a sampler that learns from it."""
        if self._factory.learn is not None:
            self._factory.learn(point, row)

    def restore(self, params: Params | None, attributes: Mapping[str, Any], told: Told) -> None:
        """Add a trial of the log with its result; a trial whose parameters lie outside the space is added without them."""
        trial = finished_trial(params, self._distributions, attributes, told)
        self._study.add_trial(trial)

    def restore_study_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Restore the samplers' notes on the study."""
        for name, value in attributes.items():
            self._storage.set_study_system_attr(self._study_id, name, value)
            self._known[name] = value

    def _new_study_attributes(self) -> dict[str, Any]:
        current = self._storage.get_study_system_attrs(self._study_id)
        new = {name: value for name, value in current.items() if self._known.get(name) != value}
        self._known.update(new)
        return new


def finished_trial(
    params: Params | None, distributions: Mapping[str, Any], attributes: Mapping[str, Any], told: Told
) -> Any:
    """Return a trial with its result as Optuna holds one; a trial without a result, or outside the space, has failed."""
    import optuna

    states = optuna.trial.TrialState
    failed = told.values is None or params is None
    now = dt.datetime.now()  # noqa: DTZ005  # as Optuna does
    trial = optuna.trial.FrozenTrial(
        number=-1,
        trial_id=-1,
        state=states.FAIL if failed else states.COMPLETE,
        value=None,
        # Whole numbers come back from JSON as int, which multi-objective TPE cannot take.
        values=None if failed else [float(value) for value in told.values or ()],
        datetime_start=now,
        datetime_complete=now,
        params=_Shared(params or {}),
        distributions=_Shared(distributions) if params else {},
        user_attrs={},
        system_attrs=_Shared(attributes),
        intermediate_values={},
    )
    for name, value in ({} if failed else told.constraints).items():
        trial.set_constraint(name, float(value))
    return trial


class _Shared(dict[str, Any]):
    """A dict that nobody changes once a trial of a log is added; Optuna would copy it deeply for each trial."""

    def __deepcopy__(self, memo: object) -> Self:
        return self


@contextmanager
def quiet_optuna(*, errors_only: bool = False) -> Iterator[None]:
    """Keep Optuna from announcing a study that exists in memory only; its warnings come through unless ``errors_only``."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.ERROR if errors_only else optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
