"""What runs on a worker of the cluster: functions that take text and return text and bytes.

The worker starts the same process as a study on one machine does, and waits for its answers. It imports neither torch nor
plugins itself.
"""

import json
import socket
import threading
from typing import Any

from dse.cluster.request import unpack_job, unpack_request
from dse.files import sha256
from dse.records.callbacks import ignore_progress
from dse.score.canary import compute_canary
from dse.score.entries import Entry
from dse.study.provenance import machine, versions
from dse.threads import list_cores
from dse.worker.client import RemoteProblem
from dse.worker.process import Worker

PROBE_LIMIT_S = 300.0
"""Time that a worker has for the fixed computation; the import of torch from a network disk takes most of it."""
_problems: dict[str, RemoteProblem] = {}
"""Problems of the requests that this worker has opened, by the hash of the request."""
_one_at_a_time = threading.Lock()


def probe() -> str:
    """Return facts about this machine, and a hash of what it computes, as JSON."""
    with Worker(PROBE_LIMIT_S, ignore_progress, cores=list_cores()) as worker:
        return describe({}, worker.call(compute_canary))


def describe(digests: dict[str, str], outputs: str) -> str:
    """Return facts that must be the same wherever the scores of a study are computed, as JSON."""
    facts = {"versions": versions(), "machine": {"host": socket.gethostname(), **machine()}}
    return json.dumps({**facts, "digests": digests, "outputs": outputs})


def admit(text: str) -> str:
    """Open a request, and score a task whose outputs the study knows; without a request, probe. Return facts as JSON."""
    name = sha256(text.encode())
    with _one_at_a_time:
        try:
            if not text:
                return probe()
            if name not in _problems:  # Dask asks again where it lost sight of the worker
                _problems[name] = RemoteProblem(unpack_request(text), cores=list_cores())
                _problems[name].prepare(scores=False)
            problem = _problems[name]
            return describe(problem.digests, problem.digest_outputs())
        except Exception as error:
            release(name)
            return json.dumps({"error": f"{type(error).__name__}: {error}"})


def compute(name: str, job: str) -> Entry:
    """Measure one score for a request by the hash of it; return the score, or JSON with the key ``error``."""
    with _one_at_a_time:
        try:
            return _problems[name].compute(*unpack_job(job))
        except Exception as error:  # a design's own fault: the study's own worker evaluates it, and records the error
            return json.dumps({"error": f"{type(error).__name__}: {error}", "known": name in _problems}), b""


def release(name: str) -> None:
    """End the process of a request, whatever it is doing."""
    problem: Any = _problems.pop(name, None)
    if problem is not None:
        problem.close()
