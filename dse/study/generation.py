"""The loop of a study whose sampler works in generations: many designs are asked, costed in one call, and shown to it together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from dse.records.design import DesignPoint
from dse.results.status import Status
from dse.samplers.encoding import Params
from dse.samplers.seeds import derive
from dse.samplers.suggester import Told
from dse.space.constraints import LIMITS
from dse.study.log.generation import Member, SamplerState, pack
from dse.study.log.history import History
from dse.study.loop import NONE_LEFT, Loop
from dse.study.progress import Patience
from dse.study.stages import Outcome, make_row

if TYPE_CHECKING:
    from dse.samplers.generations import GenerationSampler

MOST_REFUSED = 1000
"""Proposals for each feasible design that are refused. Where fewer are feasible, designs beyond limits are trials as well."""
Key = tuple[object, ...]
Result = tuple[Params | None, Told]
"""Flat parameters of a trial, None if they lie outside the space, and what a sampler learns of the trial."""


@dataclass
class Proposal:
    """A new design, with its source, and with its outcome once it is costed."""

    source: str
    params: Params
    point: DesignPoint
    outcome: Outcome | None = None


@dataclass
class Generation:
    """Designs that were asked together.

    Attributes:
        patience: patience with the sampler after these designs.
        new: new designs by key.
        order: what was proposed: the key of a new design, or the number of an earlier trial.
        attributes: the sampler's notes on each of the designs.
        study_attributes: the sampler's new notes on the study.
    """

    patience: Patience
    new: dict[Key, Proposal] = field(default_factory=dict)
    order: list[Key | int] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    study_attributes: dict[str, Any] = field(default_factory=dict)

    def take(self, key: Key, earlier: int | None, proposal: Proposal) -> None:
        """Add a proposal, which may be a design of an earlier trial or of this generation."""
        self.order.append(key if earlier is None else earlier)
        if earlier is None and key not in self.new:
            self.new[key] = proposal
            self.patience.see_new(proposal.source)
        else:
            self.patience.in_a_row += 1

    def drop(self, key: Key) -> int:
        """Remove a design that becomes no trial; return how often it was proposed."""
        del self.new[key]
        before = len(self.order)
        self.order = [item for item in self.order if item != key]
        return before - len(self.order)


@dataclass
class GenerationLoop(Loop):
    """One session of a study on costs alone, a generation at a time.

    The sampler learns the result of a known design at once: the proposal makes no trial, and the log counts it. A proposal that
    breaks a limit of the hardware is refused before it is a trial, and the sampler proposes another design.
    """

    _results: list[Result] = field(default_factory=list, init=False)
    _refused: set[Key] = field(default_factory=set, init=False)
    _reason: str = field(default="", init=False)  # of the design that was refused last

    @property
    def _sampler(self) -> GenerationSampler:
        return cast("GenerationSampler", self.suggester)  # `run` chooses both

    def _restore_sampler(self, history: History, results: Sequence[Result]) -> None:
        super()._restore_sampler(history, results)
        state, sampler = history.sampler_state, self._sampler
        self._results = list(results) if sampler.learns_results else []
        if state is None:  # its trials were asked one at a time
            sampler.asked = len(history.learnt) if sampler.learns_results else 0
            return
        self.ledger.patience = Patience(*state.patience)
        self.ledger.repeat(len(history.learnt) - len(history.finished))
        self.ledger.refused, sampler.asked = state.refused, state.asked

    def _advance(self, _total: int) -> str:
        started = time.perf_counter()
        generation = Generation(replace(self.ledger.patience))
        most, room, goes_on = _total - self.ledger.evaluated, self._sampler.room, True
        while goes_on and len(generation.new) < most and len(generation.order) < room:
            goes_on = self._ask(generation, most, room)
            self._cost(generation)
        if not generation.order:
            return self._describe_end()
        self._tell(generation, time.perf_counter() - started)
        self.check_failures()
        return ""

    def _ask(self, generation: Generation, most: int, room: int) -> bool:
        """Ask for a generation of at most so many new designs; return whether any design is left to ask for."""
        while len(generation.new) < most and len(generation.order) < room:
            number = self.ledger.trials + len(generation.new)
            source, point = self._choose(generation.patience, number, self._refused | generation.new.keys())
            if source != "sampler" and point is None:
                return False
            suggestion = self._sampler.ask(None if point is None else self.codec.encode(point))
            if suggestion is None:
                return False
            generation.attributes = dict(suggestion.attributes)
            generation.study_attributes.update(suggestion.study_attributes)
            point = self.codec.decode(suggestion.params)
            key = point.key()
            if key in self._refused:
                self.ledger.refused += 1
                generation.patience.in_a_row += 1
                continue
            self.observer.on_ask(number, source)
            generation.take(key, self.ledger.seen.get(key), Proposal(source, dict(suggestion.params), point))
        return True

    def _cost(self, generation: Generation) -> None:
        """Cost the designs that were asked last, in one call, and refuse those beyond a limit of the hardware."""
        fresh = {key: one for key, one in generation.new.items() if one.outcome is None}
        outcomes = self.evaluator.evaluate_together([one.point for one in fresh.values()]) if fresh else []
        for (key, one), outcome in zip(fresh.items(), outcomes, strict=True):
            one.outcome = outcome
            limits = outcome.result.constraints.get(LIMITS, 0.0)
            feasible = 1 + self.ledger.progress().counts[Status.DONE]
            if limits > 0 and one.source != "enqueued" and self.ledger.refused < MOST_REFUSED * feasible:
                self.ledger.refused += generation.drop(key)
                self._refused.add(key)
                self._reason = str(outcome.cells["reason"])

    def _tell(self, generation: Generation, seconds: float) -> None:
        """Log a generation, and show it to the sampler and to all that follow the study."""
        first, each = self.ledger.trials, seconds / max(len(generation.new), 1)
        numbers: dict[Any, int] = {key: first + place for place, key in enumerate(generation.new)}
        told = [item if isinstance(item, int) else numbers[item] for item in generation.order]
        seed, events = self.space.file.search.seed, []
        for number, one in zip(numbers.values(), generation.new.values(), strict=True):
            assert one.outcome is not None
            asked = {"trial": number, "source": one.source, "seed": derive(seed, number), "params": one.params}
            events.append((asked, make_row(asked, one.point, one.outcome, each), one, one.outcome.result))
        members = [Member(one.params, row, result.constraints) for _, row, one, result in events]
        state = SamplerState(
            told,
            generation.attributes,
            generation.study_attributes,
            self._sampler.asked,
            astuple(generation.patience),
            self.ledger.refused,
        )
        self.log.append(pack(first, members, state))
        for asked, row, one, result in events:
            done = {"row": row, "values": result.values, "constraints": result.constraints}
            self._record(asked, done, result, one.point)
        self.ledger.patience = generation.patience
        self.ledger.repeat(len(told) - len(events))
        if self._sampler.learns_results:
            self._results += [(one.params, result) for _, _, one, result in events]
            for number in told:
                params, result = self._results[number]
                self._sampler.restore(params, generation.attributes, result)

    def _describe_end(self) -> str:
        refused = f"; {self.ledger.refused} were refused, the last one since {self._reason}"
        return NONE_LEFT + (refused if self._reason else "")
