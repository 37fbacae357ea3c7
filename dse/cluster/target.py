"""The cluster that a user names: whether the way to it is safe."""

import ipaddress
import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dse.errors import SetupError, missing_package

FORMS = "local:N, tls://HOST:PORT, or the path of a scheduler file"
NEEDED = ("distributed", "cryptography")


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster.

    Attributes:
        address: address of a scheduler that runs; empty: workers are started on this machine.
        workers: number of workers to start on this machine.
    """

    address: str = ""
    workers: int = 0


def read_target(text: str, *, insecure: bool = False) -> Target:
    """Return the cluster that a text names.

    Args:
        text: what ``--cluster`` names.
        insecure: whether a connection without encryption may leave this machine.

    Raises:
        SetupError: a package is not installed, the text names no cluster, or the connection would not be encrypted.
    """
    for package in NEEDED:
        if find_spec(package) is None:
            raise missing_package("--cluster", package, "cluster")
    if local := re.fullmatch(r"local:([1-9]\d{0,2})", text):
        return Target(workers=int(local[1]))
    return Target(check_address(text if "://" in text else read_scheduler_file(Path(text)), text, insecure=insecure))


def check_address(address: str, where: str, *, insecure: bool) -> str:
    """Return a scheduler's address; refuse one that is not encrypted and leaves this machine, unless ``insecure``."""
    parts = re.fullmatch(r"(tls|tcp)://(\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}", address, re.ASCII)
    if not parts:
        raise SetupError("this is not a cluster", where=where, expected=FORMS, found=address)
    if parts[1] == "tcp" and not insecure and not _is_loopback(parts[2].strip("[]")):
        raise SetupError(
            "the connection to the cluster is not encrypted: whoever reaches it can run programs on every worker",
            where=where,
            expected="tls://, or tcp:// on this machine alone",
            found=address,
            fix="start scheduler and workers with TLS, or, in a network that you trust, add --insecure-cluster",
        )
    return address


def read_scheduler_file(path: Path) -> str:
    """Return the address in a scheduler file; refuse a file that other users may write."""
    try:
        mode = path.stat().st_mode & 0o777
        address = str(json.loads(path.read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{path}, which cannot be read: {type(error).__name__}: {error}"
        raise SetupError("this is not a cluster", where="--cluster", expected=FORMS, found=reason) from error
    if mode & 0o022:
        fix = f"look at the address in it, then: chmod 600 {path}"
        wrong = "other users may write this scheduler file, and so choose the cluster"
        raise SetupError(wrong, where=path, expected="mode 600", found=f"mode {mode:o}", fix=fix)
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
