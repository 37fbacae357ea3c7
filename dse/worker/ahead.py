"""A problem that measures the scores of several designs side by side, if it knows which designs come next."""

from collections.abc import Sequence
from dataclasses import replace

from dse.records.callbacks import ProgressCallback
from dse.records.design import DesignPoint
from dse.records.scored import ScoreResult
from dse.study.load import Request
from dse.worker.client import RemoteProblem


class ExpectingProblem(RemoteProblem):
    """A problem whose worker answers every call, after others have brought missing scores into its cache.

    Nothing is evaluated twice, and the answer equals that of a single worker.
    """

    def __init__(
        self, request: Request, activity: ProgressCallback | None = None, *, cores: Sequence[int] = ()
    ) -> None:
        self._expected: dict[tuple[object, ...], DesignPoint] = {}
        self._expected_on = ""
        self._evaluated: dict[tuple[object, ...], int] = {}
        super().__init__(request, activity, cores=cores)

    def expect(self, points: Sequence[DesignPoint], split: str = "search") -> None:
        """Announce the designs that are scored on a split next: the first call measures all missing scores."""
        self._expected, self._expected_on = {point.key(): point for point in points}, split

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """Score one design on a split."""
        together = [point]
        if split == self._expected_on and point.key() in self._expected:
            del self._expected[point.key()]
            together += self._expected.values()
            self._expected = {}
        self._measure(together, split)
        result = super().score(point, split)
        return replace(result, evaluated=result.evaluated + self._evaluated.pop(point.key(), 0))

    def _measure(self, points: Sequence[DesignPoint], split: str) -> None:
        """Bring the scores of designs into the cache; raise only errors of the first design."""
        raise NotImplementedError
