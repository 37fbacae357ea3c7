"""A process for each core and a thread for each process, since torch processes with more threads get in each other's way; no model hub."""

from __future__ import annotations

import os

os.environ.setdefault(
    "HF_HUB_OFFLINE", "1"
)  # before huggingface_hub is imported: a base that is missing is not waited for
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

pytest_plugins = ("tests.support.once", "tests.support.pipeline_fixtures")
