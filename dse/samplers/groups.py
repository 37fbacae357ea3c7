"""Designs in groups: every design of a group follows from the trials before the group, so all can be scored side by side."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dse.records.problem import Problem
from dse.samplers.encoding import Codec, Params
from dse.samplers.factory import GRAYBOX
from dse.samplers.suggester import Suggester, Suggestion, Told
from dse.space.search import SearchTable
from dse.space.searchspace import SearchSpace

GROUP = "dse:group"
"""Name, among the sampler's notes on the study, of the proposals of the group that was begun last."""


def choose_parallel(search: SearchTable, log: Path, usual: int) -> int:
    """Return the number of designs in a group: that of the space file, of the log's header, or the usual one.

    Args:
        search: table of the search; ``auto`` leaves the number to the session that began the study.
        log: path of the log, which may not exist.
        usual: number for a new study.
    """
    given: Any = search.sampler_options.get("batch") if search.sampler == GRAYBOX else None
    if search.parallel != "auto" or given is not None:
        return given if search.parallel == "auto" else search.parallel
    if not log.is_file():  # a pipe would wait for ever; reading the log tells what it is
        return usual
    try:
        with log.open(encoding="utf-8") as lines:
            parallel = json.loads(lines.readline()).get("parallel", 1)  # studies began without groups
    except (OSError, ValueError, AttributeError):  # reading the log tells what is wrong
        return usual
    return parallel if isinstance(parallel, int) and parallel > 0 else 1


def make_suggester(space: SearchSpace, codec: Codec, problem: Problem, parallel: int) -> Suggester:
    """Return the proposer of a study's designs, in groups of ``parallel``; the sampler `graybox` makes groups itself."""
    alone = parallel == 1 or space.file.search.sampler == GRAYBOX
    return (Suggester if alone else GroupSuggester)(space, codec, problem, parallel)


class GroupSuggester(Suggester):
    """Suggester of a sampler of Optuna that proposes all designs of a group before it learns any of their results.

    A group begins at every trial whose number ``parallel`` divides. The sampler is asked for a whole group at once, and sees
    its own proposals as running trials, which are then taken out of Optuna's study. The first trial of a group takes the
    group's proposals into the log, so a session that begins within a group has the same.
    """

    def __init__(self, space: SearchSpace, codec: Codec, problem: Problem | None, parallel: int) -> None:
        super().__init__(space, codec, problem, parallel)
        self._space = space.digest
        self._group: dict[str, Any] = {}
        self._notes: dict[str, Any] = {}
        self._asked: Suggestion | None = None

    def upcoming(self, number: int) -> list[Params]:
        """Return the sampler's designs for this trial and the later ones of its group."""
        about: dict[str, Any] = {
            "begins": number - number % self.parallel,
            "parallel": self.parallel,
            "space": self._space,
        }
        if any(self._group.get(name) != value for name, value in about.items()):
            numbers = range(about["begins"], about["begins"] + self.parallel)
            planned = self._try([(slot, None) for slot in numbers])
            self._group = about | {"planned": [[one.params, one.attributes] for one in planned]}
            self._notes[GROUP] = self._group
        return [params for params, _ in self._group["planned"][number % self.parallel :]]

    def ask(self, number: int, params: Params | None = None) -> Suggestion:
        """Propose trial ``number``, or take the given parameters for it; see `Suggester.ask`."""
        self.upcoming(number)
        planned = self._group["planned"][number % self.parallel]
        self._asked = Suggestion(planned[0], planned[1], {}) if params is None else self._try([(number, params)])[0]
        notes, self._notes = self._notes, {}
        return replace(self._asked, study_attributes=notes)

    def tell(self, told: Told) -> None:
        """Finish the trial that was asked last."""
        assert self._asked is not None
        self.restore(self._asked.params, self._asked.attributes, told)

    def restore_study_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Restore the group of proposals, and the sampler's notes on the study."""
        self._group = attributes.get(GROUP, {})
        super().restore_study_attributes({name: value for name, value in attributes.items() if name != GROUP})

    def _try(self, wanted: Sequence[tuple[int, Params | None]]) -> list[Suggestion]:
        """Ask for trials by number, with parameters where they are given, and leave none of them in Optuna's study."""
        count = len(self._study.get_trials(deepcopy=False))
        try:
            suggestions = [super(GroupSuggester, self).ask(number, params) for number, params in wanted]
        finally:
            _forget_after(count, self._storage, self._study_id)
        for suggestion in suggestions:
            self._notes.update(suggestion.study_attributes)
        return suggestions


def _forget_after(count: int, storage: Any, study_id: int) -> None:
    """Take the newest trials out of Optuna's storage in memory, so that later trials have their numbers and ids."""
    trials = storage._studies[study_id].trials  # noqa: SLF001  # no public method removes a trial
    for trial in trials[count:]:
        del storage._trial_id_to_study_id_and_number[trial._trial_id]  # noqa: SLF001  # as above
    storage._max_trial_id -= len(trials) - count  # noqa: SLF001  # as above
    storage._prev_waiting_trial_number[study_id] = count  # noqa: SLF001  # as above
    del trials[count:]
