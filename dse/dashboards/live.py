"""An Optuna study in memory that follows a study's log."""

import datetime as dt
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState, create_trial

from dse.dashboards.domains import Domains
from dse.errors import StudyError
from dse.results.files import LOG, SPACE, TRIALS
from dse.results.objectives import read_objectives
from dse.results.points import PREFIX
from dse.results.read import table_file
from dse.results.status import Status
from dse.samplers.suggester import quiet_optuna
from dse.study.log.file import read_events
from dse.study.log.history import History, Trial, read_history


class Live:
    """Study that the dashboard shows. Changes to it never reach the log.

    Args:
        folder: folder of the study.

    Attributes:
        storage: Optuna's storage that holds the study.

    Raises:
        StudyError: there is no study with a log, or its log is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / LOG
        self._lock = threading.Lock()
        self._size = -1
        self._shown = 0
        self._clock: dt.datetime | None = None
        self._begun: tuple[Any, ...] = ()
        self._study: Any = None
        self.storage = optuna.storages.InMemoryStorage()
        self.refresh()

    def refresh(self) -> int:
        """Add the trials that the log gained since the last call; return the number of trials.

        Raises:
            StudyError: the log is damaged.
        """
        with self._lock:
            size = self._log.stat().st_size if self._log.is_file() else 0
            if size != self._size:
                self._size = size  # a log that cannot be read is read again after it has grown
                history = self._read()
                if self._study is None or _read_begun(history) != self._begun:
                    self._begin(history)
                for trial in history.finished[self._shown :]:
                    self._add(trial, history)
            return self._shown

    def _read(self) -> History:
        events, _ = read_events(self._log)
        if not events:
            table_file(self._log.parent, TRIALS)  # raises if there is no study at all
            raise StudyError(
                "there is no log to show",
                where=self._log,
                expected=f"the folder of a study that `dse run` began, with its {LOG}",
                fix="`dse report` shows a study that has only its tables left",
            )
        return read_history(events, self._log)

    def _begin(self, history: History) -> None:
        """Create the Optuna study, again if another study begins in the folder or the space file changes."""
        last = history.sessions[-1]
        self._domains = Domains(self._log.with_name(SPACE))
        if self._study is not None:
            self.storage.delete_study(self.storage.get_study_id_from_name(self._study.study_name))
        chosen = read_objectives(last["objectives"])
        self._columns = [item.column for item in chosen]
        directions: list[Any] = ["maximize" if item.maximise else "minimize" for item in chosen]
        with quiet_optuna():
            self._study = optuna.create_study(storage=self.storage, study_name=last["study"], directions=directions)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study.set_metric_names(self._columns)
        for name in ("space_hash", "seed", "reference_point", "versions", "plugins"):
            self._study.set_user_attr(name, last[name])
        self._begun, self._shown, self._clock = _read_begun(history), 0, None

    def _add(self, trial: Trial, history: History) -> None:
        """Add a finished trial. A trial outside the space of the last session is added without parameters.

        A trial that a limit or screening stopped counts as pruned: else the dashboard might show it as a best design.
        """
        done = trial.done or {}
        row = first = done["row"]
        original = row.get("duplicate_of")
        if row["status"] == Status.DUPLICATE and original in range(trial.number):
            first = history.finished[original].done["row"]
        values = [first.get(column) for column in self._columns]
        state = getattr(TrialState, Status(first["status"]).optuna_state)
        if state == TrialState.COMPLETE and None in values:
            state = TrialState.FAIL
        params, domains, attributes = self._split_chosen(trial.asked["params"])
        cells = {name: value for name, value in row.items() if value is not None and not name.startswith(PREFIX)}
        made = create_trial(
            state=state,
            values=values if state == TrialState.COMPLETE else None,
            params=params,
            distributions=domains,
            user_attrs={**cells, "constraints": done["constraints"], **attributes},
            system_attrs={"constraints": list(done["constraints"].values())},  # as the dashboard reads them
        )
        began = self._time(history.sessions[trial.session]["time"])
        made.datetime_start = max(self._clock or began, began)
        self._clock = made.datetime_start + dt.timedelta(seconds=row.get("duration_s") or 0.0)
        made.datetime_complete = self._clock
        self._study.add_trial(made)
        self._shown += 1

    def _time(self, text: str) -> dt.datetime:
        """Return the local time at which a session began: Optuna's times have no zone."""
        try:
            return dt.datetime.fromisoformat(text).astimezone().replace(tzinfo=None)
        except (ValueError, OverflowError) as error:
            raise StudyError(
                "the log is damaged", where=self._log, expected="the time of a session as ISO 8601", found=text
            ) from error

    def _split_chosen(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return parameters and their distributions, or else attributes that hold parameters outside the space."""
        try:
            values, domains = self._domains.of(params)
            create_trial(state=TrialState.FAIL, params=values, distributions=domains)
        except ValueError as error:
            return {}, {}, {"params": dict(params), "outside the space": str(error)}
        return values, domains, {}


def _read_begun(history: History) -> tuple[Any, ...]:
    """Return the values that identify a study's beginning, its space and its objectives."""
    last = history.sessions[-1]
    return history.sessions[0]["time"], last["space_hash"], last["objectives"]
