"""The workers of a cluster that a study accepts, and the scores that they measure."""

import json
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dse.cluster import remote
from dse.cluster.connect import Connection
from dse.errors import SetupError, StudyError
from dse.files import sha256
from dse.records.callbacks import ProgressCallback
from dse.score.entries import Entry

POLL_S = 0.5
"""Time between two looks at which workers the cluster has."""
ATTEMPTS = 3
"""Number of workers that may leave during a score before the study's own worker measures it."""


@dataclass(eq=False)
class Crew:
    """Workers of a cluster that compute what this machine computes.

    A worker is accepted once it has opened the request and its outputs for a known task equal those of this machine. Each
    worker has one score at a time, so a worker that leaves takes one with it, which another worker measures again.

    Args:
        connection: connection to the cluster.
        request: the request, as `dse.cluster.request.pack_request` writes it; empty: workers compute a fixed thing.
        expected: facts of this machine, as `dse.cluster.remote.describe` writes them.
        report: callback for what happens.

    Attributes:
        accepted: addresses of the accepted workers.
        refused: reason by address of each worker that was refused.
    """

    connection: Connection
    request: str
    expected: str
    report: ProgressCallback
    accepted: set[str] = field(default_factory=set, init=False)
    refused: dict[str, str] = field(default_factory=dict, init=False)
    _present: set[str] = field(default_factory=set, init=False)
    _asked: dict[str, Any] = field(default_factory=dict, init=False)  # futures by address
    _finished: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue, init=False)
    _submitted: int = field(default=0, init=False)
    _looked_at: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._name = sha256(self.request.encode())

    def close(self) -> None:
        """End the study's processes on all workers."""
        with suppress(Exception):  # the cluster may be gone
            self.connection.list_workers()  # raises at once where the client would wait
            self.connection.client.run(remote.release, self._name, on_error="ignore")

    def gather(self, *, every: bool = False) -> None:
        """Wait until a worker is accepted, or, with ``every``, until all workers that are there were accepted or refused.

        Raises:
            SetupError: all workers were refused, unless ``every``.
        """
        told = -1
        while True:
            self._look()
            judged = bool(self._present) and self._present <= self.accepted | set(self.refused)
            if judged if every else self.accepted:
                return
            if judged:
                reasons = "\n".join(f"{address}: {reason}" for address, reason in self.refused.items())
                raise SetupError("no worker of the cluster can be used", where="--cluster", found=reasons)
            if told != (told := len(self._asked)):
                self.report(f"{told} workers of the cluster get ready", None)
            self._wait()

    def compute(self, jobs: Mapping[str, str], take: Callable[[str, Entry], None]) -> None:
        """Measure scores; those that no worker could measure are left out.

        Args:
            jobs: scores to measure by cache key, as `dse.cluster.request.pack_job` writes them.
            take: callback for the key of each score, and the score.

        Raises:
            StudyError: the scheduler is gone.
            SetupError: all workers were refused.
        """
        left, leavers, running = list(jobs), Counter[str](), dict[Any, tuple[str, str]]()
        try:
            while left or running:
                self.gather()
                for address in sorted(self.accepted - {address for _, address in running.values()})[: len(left)]:
                    key = left.pop(0)
                    running[self._submit(address, remote.compute, self._name, jobs[key])] = key, address
                self._wait()
                self._look()
                for key, entry in self._collect(running):
                    if entry is not None:
                        take(key, entry)
                        continue
                    leavers[key] += 1
                    left += [key] if leavers[key] < ATTEMPTS else []
                done = len(jobs) - len(left) - len(running)
                self.report(f"{done} of {len(jobs)} scores, {len(self.accepted)} workers", done / len(jobs))
        finally:
            for future in running:
                future.cancel()

    def _collect(self, running: dict[Any, tuple[str, str]]) -> Iterator[tuple[str, Entry | None]]:
        """Yield the scores that have been measured, and None for those whose worker has left; drop those that failed."""
        for future, (key, address) in list(running.items()):
            if address in self._present and not future.done():
                continue
            del running[future]
            entry, facts = self._read(future)
            if "error" not in facts:
                yield key, entry
            elif facts.get("known"):
                self.report(f"WARNING: a worker could not measure a score, so this machine does: {facts['error']}", 1.0)
            else:  # the worker has left, or began again and does not know the request
                self.report(f"worker {address} left during a score: {facts['error']}", 1.0)
                self.accepted.discard(address)
                yield key, None

    def _look(self) -> None:
        """Find which workers the cluster has, ask new ones what they compute, and accept or refuse those that answered."""
        if time.monotonic() - self._looked_at >= POLL_S:
            self._present, self._looked_at = self._list_present(), time.monotonic()
            self.accepted &= self._present
            self._asked = {address: future for address, future in self._asked.items() if address in self._present}
            for address in sorted(self._present - self.accepted - set(self._asked) - set(self.refused)):
                self._asked[address] = self._submit(address, remote.admit, self.request)
        for address in [address for address, future in self._asked.items() if future.done()]:
            reason = compare(json.loads(self.expected), self._read(self._asked.pop(address))[1])
            if reason:
                self.refused[address] = reason
                self.report(f"WARNING: worker {address} is not used: {reason}", 1.0)
            else:
                self.accepted.add(address)

    def _list_present(self) -> set[str]:
        try:
            return self.connection.list_workers()
        except Exception as error:  # Dask's own
            fix = "nothing is lost: run the same command again, on this cluster, on another one or on one machine"
            gone = f"the scheduler of the cluster is gone: {type(error).__name__}: {error}"
            raise StudyError(gone, where="--cluster", fix=fix) from error

    def _submit(self, address: str, function: Callable[..., Any], *arguments: str) -> Any:
        self._submitted += 1  # for a key that it has seen before, Dask would answer with what it answered then
        where: dict[str, Any] = {"workers": [address], "allow_other_workers": False, "retries": 0, "pure": False}
        key = f"dse-{function.__name__}-{self._name[:12]}-{id(self):x}-{self._submitted}"
        future = self.connection.client.submit(function, *arguments, key=key, **where)
        future.add_done_callback(self._finished.put)
        return future

    def _read(self, future: Any) -> tuple[Any, dict[str, Any]]:
        """Return what a worker answered, and the facts in it: ``error`` if there is no answer."""
        try:
            if not future.done():
                future.cancel()
                return None, {"error": "the worker has left the cluster"}
            answer = future.result(timeout=60)
            return answer, dict(json.loads(answer if isinstance(answer, str) else answer[0]))
        except Exception as error:  # Dask's own, or an answer of another form
            return None, {"error": f"{type(error).__name__}: {error}"}

    def _wait(self) -> None:
        """Wait until something has finished, or it is time to look again."""
        with suppress(queue.Empty):
            self._finished.get(timeout=POLL_S)
            while True:
                self._finished.get_nowait()


def compare(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """Return why a worker with these facts cannot be used; an empty text if it can."""
    forms = [{name: type(fact) for name, fact in facts.items()} for facts in (expected, answer)]
    if "error" in answer or forms[0] != forms[1]:
        return str(answer.get("error", "it answers in another form"))
    differing = [
        (part, name, f"{name} is {answer[part].get(name)} there and {ours} here")
        for part in ("digests", "versions", "machine")
        for name, ours in expected[part].items()
        if answer[part].get(name, ours) != ours
    ]
    told = ", ".join(text for _, _, text in differing)
    if any(part == "digests" or name == "dse" for part, name, _ in differing):
        return f"its content differs: {told}"
    return "" if expected["outputs"] == answer["outputs"] else f"its digits differ from those of this machine: {told}"
