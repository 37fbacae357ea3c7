"""Look ahead in a group of designs, so that a problem can score them side by side."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from dse.errors import WorkerError
from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec
from dse.samplers.generations import GenerationSampler
from dse.samplers.suggester import Suggester
from dse.study.progress import Ledger
from dse.study.stages import Evaluator


@dataclass
class Announcer:
    """Tells a problem which designs of a group are scored.

    Args:
        codec: translation of the space.
        suggester: proposer of designs.
        evaluator: evaluator of designs, which knows the problem.
        ledger: designs seen.
    """

    codec: Codec
    suggester: Suggester | GenerationSampler
    evaluator: Evaluator
    ledger: Ledger
    _until: int = 0  # trials before this number are announced

    def announce(self, number: int, queue: Sequence[tuple[str, DesignPoint]]) -> None:
        """Announce the rest of a trial's group, at the first trial of a group or of a session.

        Args:
            number: number of the trial.
            queue: designs to evaluate before the sampler is asked, each with its source.
        """
        suggester = self.suggester
        if not isinstance(suggester, Suggester) or not self.evaluator.looks_ahead or number < self._until:
            return  # generations are not scored, and later trials of a group are announced with its first
        left = suggester.parallel - number % suggester.parallel
        if left == 1:
            return
        self._until = number + left
        points = self._keep_unseen([point for _, point in queue])[:left]
        if len(points) < left:
            with suppress(WorkerError):  # the sampler costs designs itself, and raises again when it is asked
                points += map(self.codec.decode, suggester.upcoming(number + len(points)))
        self.evaluator.announce(self._keep_unseen(points))

    def _keep_unseen(self, points: Sequence[DesignPoint]) -> list[DesignPoint]:
        """Return each design once, without those that were evaluated."""
        return list({point.key(): point for point in points if point.key() not in self.ledger.seen}.values())
