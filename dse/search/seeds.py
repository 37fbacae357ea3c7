"""One seed for each trial number, so that a resumed study repeats what an undisturbed one would do."""

from __future__ import annotations

import hashlib


def derive(*parts: object) -> int:
    """Seed below 2**32 that depends on all parts, the same on every machine and in every process."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
