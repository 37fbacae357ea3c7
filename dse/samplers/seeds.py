"""Seeds per trial number, so that a resumed study repeats what an undisturbed one would do."""

from dse.files import hash_parts


def derive(*parts: object) -> int:
    """Return a seed below 2**32 that depends on all parts, the same on every machine and in every process."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hash_parts([text.encode()], size=4), "big")
