"""A process for each core, and a thread for each process: two torch processes with two threads each get in each other's way."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

pytest_plugins = ("tests.support.once", "tests.support.pipeline_fixtures")
