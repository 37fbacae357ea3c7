"""A connection to a cluster, or to one that is started on this machine for as long as the connection lives."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

from dse.cluster.target import Target
from dse.errors import SetupError
from dse.worker.process import make_environment

CONNECT_LIMIT_S = 30
SETTINGS = ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")
"""Ends of the names of Dask's settings for the files of a client."""


class Connection:
    """A connection to the scheduler of a cluster; a cluster that is started for it ends with this process.

    Args:
        target: the cluster.

    Attributes:
        client: Dask's client.

    Raises:
        SetupError: the scheduler cannot be reached, or no credentials are named.
    """

    def __init__(self, target: Target) -> None:
        from distributed import Client

        self.client: Any = None
        self._local: subprocess.Popen[bytes] | None = None
        try:
            address, security = self._start(target.workers) if target.workers else find_security(target.address)
            self.client = Client(address, security=security, timeout=CONNECT_LIMIT_S, set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            if isinstance(error, SetupError):
                raise
            raise SetupError(
                f"the cluster cannot be reached: {type(error).__name__}: {error}",
                where=target.address or f"local:{target.workers}",
                expected=f"a scheduler of Dask that answers within {CONNECT_LIMIT_S} s",
                fix="look whether it runs, whether this machine reaches its port, and whether the credentials are its own",
            ) from error

    def close(self) -> None:
        """Close the connection, and end the cluster if it was started for it; safe to call again."""
        with suppress(OSError, RuntimeError):  # the cluster may be gone
            if self.client is not None:
                self.client.close(timeout=5)
        if self._local is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._local.pid, signal.SIGKILL)
            self._local.wait()

    def _start(self, workers: int) -> tuple[str, Any]:
        """Start a cluster on this machine; return the address of its scheduler, and its credentials."""
        from distributed.security import Security

        command, pipe = [sys.executable, "-P", "-m", "dse.cluster.local", str(workers)], subprocess.PIPE
        self._local = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=make_environment(), process_group=0)
        assert self._local.stdout is not None
        address, secrets = json.loads(self._local.stdout.readline() or b"it ended; its last words are above")
        return address, Security(require_encryption=True, **secrets)

    def list_workers(self) -> set[str]:
        """Return the addresses of the workers; raise if the scheduler is gone."""
        if self.client.status != "running":
            raise ConnectionError(f"the client is {self.client.status}")
        return set(self.client.nthreads())


def find_security(address: str) -> tuple[str, Any]:
    """Return an address and Dask's security for it: for TLS, the files that Dask's settings name."""
    from distributed.security import Security

    encrypts = address.startswith("tls://")
    security: Any = Security(require_encryption=encrypts)
    if encrypts and not all((security.tls_ca_file, security.tls_client_cert, security.tls_client_key)):
        names = ", ".join(f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name in SETTINGS)
        raise SetupError(
            "the cluster wants TLS, and Dask's settings do not name the certificates",
            where=address,
            expected=f"the paths of three files in {names}, or in a file of Dask's settings",
            fix="ask for the files of the cluster; docs/cluster.md shows how they are made",
        )
    return address, security
