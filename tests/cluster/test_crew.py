"""Workers of a cluster that come, differ, fail and leave: each score is measured once, or left to the study's own worker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dse.cluster import crew as crews
from dse.cluster.crew import Crew, compare
from dse.cluster.remote import admit, compute, describe
from dse.errors import SetupError, StudyError

FACTS = describe({"base": "b"}, "digits")
JOBS = {f"key{number}": f"job{number}" for number in range(5)}


class FakeFuture:
    """A future that is finished, or is never finished."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.cancelled = answer, False

    def done(self) -> bool:
        return self.answer is not None

    def result(self, timeout: float) -> Any:
        del timeout
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def cancel(self) -> None:
        self.cancelled = True

    def add_done_callback(self, told: Callable[[Any], None]) -> None:
        if self.done():
            told(self)


class FakeCluster:
    """A connection whose workers answer at once; `scores` says what a worker answers to a job."""

    def __init__(self, *workers: str, facts: dict[str, str] | None = None) -> None:
        self.workers, self.facts = set(workers), facts or {}
        self.scores: Callable[[str, str], Any] = lambda _worker, job: (json.dumps({"key": job}), b"arrays")
        self.asked: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.futures: list[FakeFuture] = []

    @property
    def client(self) -> Any:
        return self

    def list_workers(self) -> set[str]:
        return set(self.workers)

    def submit(self, function: Any, *arguments: str, key: str, workers: list[str], **options: Any) -> FakeFuture:
        assert options == {"allow_other_workers": False, "retries": 0, "pure": False}
        self.keys.append(key)
        if function is admit:
            answer = self.facts.get(workers[0], FACTS)
        else:
            assert function is compute
            self.asked.append((workers[0], arguments[1]))
            answer = self.scores(workers[0], arguments[1])
        self.futures.append(FakeFuture(answer))
        return self.futures[-1]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "POLL_S", 0.0)


def measure(cluster: FakeCluster, told: list[str] | None = None) -> dict[str, Any]:
    made = Crew(cluster, "request", FACTS, lambda text, _share: (told if told is not None else []).append(text))  # type: ignore[arg-type]
    entries: dict[str, Any] = {}
    made.compute(JOBS, entries.__setitem__)
    return entries


def test_every_score_is_measured_once_and_no_key_is_used_twice() -> None:
    cluster = FakeCluster("a", "b")
    entries = measure(cluster)
    assert {key: json.loads(text)["key"] for key, (text, _) in entries.items()} == JOBS
    assert sorted(job for _, job in cluster.asked) == sorted(JOBS.values())
    assert {worker for worker, _ in cluster.asked} == {"a", "b"}
    assert max(Counter(cluster.keys).values()) == 1


def test_a_worker_that_leaves_takes_nothing_with_it() -> None:
    cluster, lost = FakeCluster("a", "b"), list[str]()

    def leave_once(worker: str, job: str) -> Any:
        if job == "job2" and not lost:
            lost.append(worker)
            cluster.workers.discard(worker)
            return None  # never an answer
        return json.dumps({"key": job}), b""

    cluster.scores = leave_once
    told: list[str] = []
    assert set(measure(cluster, told)) == set(JOBS)
    assert any(f"worker {lost[0]} left during a score" in text for text in told)
    assert [future.cancelled for future in cluster.futures].count(True) == 1


def test_a_score_at_which_workers_leave_is_left_to_the_studys_own_worker() -> None:
    cluster, number = FakeCluster("w0"), [0]

    def die(worker: str, job: str) -> Any:
        if job != "job3":
            return json.dumps({"key": job}), b""
        cluster.workers.discard(worker)
        number[0] += 1
        cluster.workers.add(f"w{number[0]}")
        return RuntimeError("lost")

    cluster.scores = die
    assert set(measure(cluster)) == set(JOBS) - {"key3"}
    assert number == [crews.ATTEMPTS]


def test_a_design_that_a_worker_cannot_score_is_left_to_the_studys_own_worker() -> None:
    cluster, told = FakeCluster("a"), list[str]()
    refusal = json.dumps({"error": "ValueError: odd", "known": True}), b""
    cluster.scores = lambda _worker, job: refusal if job == "job1" else (json.dumps({"key": job}), b"")
    assert set(measure(cluster, told)) == set(JOBS) - {"key1"}
    assert [job for _, job in cluster.asked].count("job1") == 1
    assert any("so this machine does: ValueError: odd" in text for text in told)


def test_a_worker_that_began_again_opens_the_request_again() -> None:
    cluster, known = FakeCluster("a"), list[str]()

    def forget_first(_worker: str, job: str) -> Any:
        known.append(job)
        forgot = json.dumps({"error": "KeyError: 'request'", "known": False}), b""
        return forgot if len(known) == 1 else (json.dumps({"key": job}), b"")

    cluster.scores = forget_first
    assert set(measure(cluster)) == set(JOBS)
    assert sum("-admit-" in key for key in cluster.keys) == 2


def test_an_answer_of_another_form_counts_as_a_worker_that_left() -> None:
    cluster, told = FakeCluster("a"), list[str]()
    odd = {"job0": 7, "job2": ("[1]", b""), "job4": ()}
    cluster.scores = lambda _worker, job: odd.get(job, (json.dumps({"key": job}), b""))
    assert set(measure(cluster, told)) == {"key1", "key3"}


def test_a_worker_that_computes_otherwise_is_not_used() -> None:
    odd = {"b": describe({"base": "b"}, "other digits"), "c": json.dumps({"error": "SpaceError: no plugin"})}
    cluster, told = FakeCluster("a", "b", "c", facts=odd), list[str]()
    assert set(measure(cluster, told)) == set(JOBS)
    assert {worker for worker, _ in cluster.asked} == {"a"}
    assert any("worker b is not used: its digits differ" in text for text in told)
    assert any("worker c is not used: SpaceError: no plugin" in text for text in told)
    with pytest.raises(SetupError, match=r"(?s)no worker of the cluster can be used.*b: its digits.*c: SpaceError"):
        measure(FakeCluster("b", "c", facts=odd))


def test_a_scheduler_that_is_gone_ends_the_study_with_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster("a")

    def refuse() -> set[str]:
        raise ConnectionError("the client is closed")

    monkeypatch.setattr(cluster, "list_workers", refuse)
    with pytest.raises(StudyError, match=r"(?s)the scheduler of the cluster is gone.*run the same command again"):
        measure(cluster)


def test_what_differs_is_named() -> None:
    facts = json.loads(FACTS)
    assert compare(facts, facts) == ""
    assert compare(facts, {"error": "x"}) == "x"
    assert compare(facts, {}) == "it answers in another form"
    assert compare(facts, {**facts, "digests": []}) == "it answers in another form"
    other = {**facts, "versions": facts["versions"] | {"torch": "1.0"}}
    assert compare(facts, other) == ""  # the same digits
    assert "digits differ from those of this machine: torch is 1.0 there" in compare(facts, {**other, "outputs": "0"})
    assert "its content differs: dse is 9 there" in compare(facts, {**facts, "versions": {"dse": "9"}})
    assert compare(facts, {**facts, "digests": {"base": "c"}}) == "its content differs: base is c there and b here"
    assert compare(facts, {**facts, "digests": {"more": "c"}}) == ""
