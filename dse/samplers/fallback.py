"""A random design that has not been evaluated yet, for a sampler that only repeats itself."""

import math
import random
from collections.abc import Container

from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec
from dse.samplers.seeds import derive

DRAWS = 100


def unseen_point(codec: Codec, seen: Container[tuple[object, ...]], seed: int) -> DesignPoint | None:
    """Return a random design that is not in ``seen``, or None if no such design is left.

    A few draws nearly always find one. They fail in a small space that is nearly exhausted. Every design is then tried in
    order, starting from a random one; this takes at most one step more than the number of seen designs.
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
