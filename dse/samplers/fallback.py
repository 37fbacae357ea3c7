"""A random design that has not been evaluated yet, for when a sampler only repeats itself."""

from __future__ import annotations

import math
import random
from collections.abc import Container

from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec
from dse.samplers.seeds import derive

DRAWS = 100


def unseen_point(codec: Codec, seen: Container[tuple[object, ...]], seed: int) -> DesignPoint | None:
    """Return a random point that is not in ``seen``, or None if there is none left.

    A few draws nearly always find one. In a small space that is nearly exhausted they do not; then every point from a
    random one on is tried, which ends after at most one more step than there are points seen.
    """
    for attempt in range(DRAWS):
        point = codec.random_point(derive(seed, attempt))
        if point.key() not in seen:
            return point
    size = codec.space.size
    if math.isinf(size):
        return None
    count = int(size)
    start = random.Random(seed).randrange(count)  # noqa: S311  # a search, no secret
    for step in range(count):
        point = codec.point_at((start + step) % count)
        if point.key() not in seen:
            return point
    return None
