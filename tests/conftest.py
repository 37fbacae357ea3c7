"""A process for each core and a thread for each process, since torch processes with more threads get in each other's way; no model hub."""

from __future__ import annotations

import os
import signal

os.environ.setdefault(
    "HF_HUB_OFFLINE", "1"
)  # before huggingface_hub is imported: a base that is missing is not waited for
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

# A shell starts what runs in its background with Ctrl-C ignored, and processes of the tests inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ("tests.support.once", "tests.support.pipeline_fixtures")
