"""Residency by events: what the visits of a turn write on a chip that is smaller than its weights.

A visit loads the arrays that it runs and that are not on the chip, and nothing else. The turn is cyclic, so the next use of
every array is known. When room is needed, the arrays whose next use is latest are overwritten (Belady's rule), which writes the
fewest arrays. The order among arrays with the same next use changes no number: what is lost of them is loaded at one
visit. A chip therefore is described by how many arrays it holds for the next visit, the one after it, and so on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dse.cost.runs import find_leaders
from dse.records.arrays import Bools, Floats, Ints
from dse.records.charges import Components
from dse.records.residency import Residency

CHARGES = ("switch_energy_uj", "switch_latency_us", "switch_writes", "cell_writes")
"""Charges of a switch."""


class Replayed(NamedTuple):
    """Arrays written in K turns from an empty chip on, and the weight of each turn in the mean over the steady state.

    Attributes:
        written: (K, N, n) arrays that each visit writes.
        weight: (K, N) weight of a turn: 0 before the steady state; the turns of one period share 1.
    """

    written: Floats
    weight: Floats


def charge_switches(components: Components, visits: Ints, points: Ints | None = None) -> dict[str, Floats]:
    """Return each charge of the switch before each visit, (N, n): the mean over the turns of the steady state.

    A hardware model without `Components.residency` charges a switch by its two tasks alone.

    Args:
        components: charges of P designs.
        visits: (N, n) task of each visit of a turn.
        points: (N,) design of each turn; None: one turn for each design.

    Returns:
        The fields ``switch_energy_uj``, ``switch_latency_us``, ``switch_writes`` and ``cell_writes``, and ``image_mb``, the
        megabytes that the images of written arrays take off-chip.
    """
    designs = np.arange(len(visits)) if points is None else points
    at, last = designs[:, None], np.roll(visits, 1, axis=1)
    held, nothing = components.residency, np.zeros(visits.shape)
    if held is None:
        return {name: getattr(components, name)[at, last, visits] for name in CHARGES} | {"image_mb": nothing}
    resident = held.charge(at, last, visits, nothing) | {"image_mb": nothing}
    charges = {name: np.array(np.broadcast_to(values, visits.shape)) for name, values in resident.items()}
    total = (held.need[designs].any(axis=1) * held.arrays[designs]).sum(axis=1)
    small = np.flatnonzero(total > held.capacity[designs])
    if not small.size:
        return charges
    replayed, images = _replay_turns(held, visits[small], designs[small])
    turns = [held.charge(at[small], last[small], visits[small], written) for written in replayed.written]
    for name in CHARGES:
        values = np.broadcast_to([turn[name] for turn in turns], replayed.written.shape)
        charges[name][small] = np.einsum("kv,kvn->vn", replayed.weight, values)
    charges["image_mb"][small] = images * held.image_mb[at[small]]
    return charges


def replay(need: Bools, arrays: Floats, capacity: Floats) -> Replayed:
    """Serve turns from an empty chip on, until every design has begun a turn as it began an earlier one.

    Args:
        need: (N, n, S) whether each visit needs a segment.
        arrays: (N, S) number of arrays of each segment.
        capacity: (N,) number of arrays of the chip.
    """
    needed = np.einsum("vns,vs->vn", need.astype(float), arrays)
    later, room = _count_next_uses(need, arrays), capacity[:, None] - needed
    ready = np.zeros(needed.shape)  # arrays on the chip for the next visit, the one after it, ...
    begin, end = np.zeros((2, len(need)), dtype=int)
    starts: list[Floats] = []
    turns: list[Floats] = []
    while not end.all():
        starts.append(ready)
        turns.append(np.empty(needed.shape))
        for visit in range(needed.shape[1]):
            turns[-1][:, visit] = needed[:, visit] - ready[:, 0]
            sooner = np.cumsum(ready[:, 1:], axis=1) - ready[:, 1:]
            stays = np.minimum(np.maximum(room[:, visit, None] - sooner, 0.0), ready[:, 1:])
            ready = later[:, visit].copy()
            ready[:, :-1] += stays
        repeats = np.stack([(np.abs(ready - start) < 0.5).all(axis=1) for start in starts])  # numbers are whole
        found = repeats.any(axis=0) & (end == 0)
        begin[found], end[found] = repeats.argmax(axis=0)[found], len(turns)
    turn = np.arange(len(turns))[:, None]
    return Replayed(np.stack(turns), ((turn >= begin) & (turn < end)) / np.maximum(end - begin, 1))


def _replay_turns(held: Residency, visits: Ints, points: Ints) -> tuple[Replayed, Floats]:
    """Replay the turns of small chips; return the arrays, too, whose images each visit reads, (N, n)."""
    need, moving = held.need[points], held.arrays[points] * ~held.pinned[points]
    if held.same is not None:
        leads = find_leaders(held.same[points], visits) == np.arange(need.shape[1])[:, None]
        need = need & np.tile(leads, need.shape[2] // leads.shape[2])
    room = held.capacity[points] - (held.arrays[points] * held.pinned[points]).sum(axis=1)
    each = np.take_along_axis(need, visits[..., None], axis=1)
    replayed = replay(each, moving, room)
    most = (replayed.written * (replayed.weight > 0)[..., None]).max(axis=0)
    different = (each.any(axis=1) * moving).sum(axis=1) / np.maximum(most.sum(axis=1), 1.0)
    return replayed, most * np.minimum(different, 1.0)[:, None]


def _count_next_uses(need: Bools, arrays: Floats) -> Floats:
    """Count the arrays (N, n, n) of each visit (axis 1) whose next use is 1, 2, ... visits later (axis 2)."""
    visits = need.shape[1]
    counted = np.zeros((len(need), visits, visits))
    for visit in range(visits):
        left = need[:, visit]
        for distance in range(visits):
            used = left & need[:, (visit + 1 + distance) % visits]
            counted[:, visit, distance] = (used * arrays).sum(axis=1)
            left = left & ~used
    return counted
