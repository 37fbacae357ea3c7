"""The problem of a space file whose scores the workers of a cluster measure."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from dse.cluster.connect import Connection
from dse.cluster.crew import Crew
from dse.cluster.remote import describe
from dse.cluster.request import pack_job, pack_request
from dse.cluster.target import Target
from dse.errors import DataError
from dse.files import make_folder
from dse.records.callbacks import ProgressCallback
from dse.records.design import DesignPoint
from dse.score.entries import Entry
from dse.study.load import Request
from dse.worker.ahead import ExpectingProblem


class ClusterProblem(ExpectingProblem):
    """The problem of a space file, in a worker of this machine and the workers of a cluster.

    The worker of this machine answers every call, prepares, and keeps the cache. Before a design is scored, the workers of the
    cluster measure its missing scores, and those of the designs expected next. The worker of this machine checks each score
    and stores it, and measures what no worker could measure. So a study has the same trials as without a cluster.

    Args:
        request: space file and options of the problem to load.
        activity: callback for downloads, fine-tuning and scores.
        target: the cluster.

    Raises:
        SetupError: the cluster cannot be reached.
    """

    def __init__(self, request: Request, activity: ProgressCallback | None = None, *, target: Target) -> None:
        self._crew: Crew | None = None
        self._mark: Path | None = None
        self._told = False
        self._connection = Connection(target)  # before anything heavy: a cluster out of reach must not cost an hour
        try:
            super().__init__(request, activity)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """End the worker of this machine and the study's processes on the cluster; safe to call again."""
        super().close()
        if self._crew is not None:
            self._crew.close()
        if self._mark is not None:
            self._mark.unlink(missing_ok=True)
        self._connection.close()

    def prepare(self, *, scores: bool = True) -> None:
        """Do every plugin's heavy work on this machine, and wait for a worker of the cluster if ``scores`` are needed."""
        super().prepare(scores=scores)
        if not scores:
            return
        folder = make_folder(self._request.cache.resolve(), "the cache folder", "--cache")
        self._mark = folder / f"shared-{secrets.token_hex(8)}"
        self._mark.touch(mode=0o600)
        expected = describe(self.digests, self.digest_outputs())
        request = pack_request(self._request, self.space, self._mark)
        self._crew = Crew(self._connection, request, expected, self._activity)
        self._crew.gather()

    def _measure(self, points: Sequence[DesignPoint], split: str) -> None:
        """Bring the scores of designs into the cache, except those that no worker could measure."""
        lacks = zip(points, self.find_missing(points, split), strict=True)
        wanted = {one.key: (point, one.task, split, one.chip) for point, missing in lacks for one in missing}
        if not wanted or self._crew is None:
            return
        most, workers = len(points) * len(self.tasks), len(self._crew.accepted)
        if len(points) > 1 and most < workers and not self._told:
            self._told = True
            fix = "a new study with a larger `parallel` in [search] can use more"
            self._activity(f"WARNING: at most {most} of {workers} workers have work at a time: {fix}", 1.0)

        def take(key: str, entry: Entry) -> None:
            point, task, _, chip = wanted[key]
            try:
                self.accept(point, task, split, chip, entry)
            except DataError as error:
                self._activity(f"WARNING: {error}", 1.0)
                return
            measured.add((point.key(), task))

        measured: set[tuple[tuple[object, ...], int]] = set()
        self._crew.compute({key: pack_job(*one) for key, one in wanted.items()}, take)
        for design, _ in measured:  # a task counts once, however many chips were drawn
            self._evaluated[design] = self._evaluated.get(design, 0) + 1
