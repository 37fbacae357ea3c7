"""Candidates for the next design: random ones, neighbours of good ones, and mixtures of measured ones."""

import random
from collections.abc import Sequence

from dse.records.parameters import Choice, Scalar
from dse.samplers.encoding import Codec, Params, draw
from dse.space.domain import Domain, at, size

STEPS = 4
"""Largest step of a number to a neighbour, in steps of its range, or in sixteenths of a range without steps."""


class Candidates:
    """Makes new flat parameters, at random or from known ones.

    Args:
        codec: translation of the space.
        tasks: task names, in order.
        seed: seed of all draws.
    """

    def __init__(self, codec: Codec, tasks: Sequence[str], seed: int) -> None:
        self._codec = codec
        self._source = random.Random(seed)  # noqa: S311  # a search, no secret
        self._domains = codec.domains
        self._names = [*codec.choices, *codec.domains]
        self._by_task = {task: [name for name in codec.domains if _of_task(name, task)] for task in tasks}

    def anywhere(self) -> Params:
        """Draw a design, each element by itself."""
        params: Params = {kind: self._source.choice(names) for kind, names in self._codec.choices.items()}
        params.update((name, draw(domain, self._source)) for name, domain in self._domains.items())
        return params

    def alike(self) -> Params:
        """Draw a design with the same setting for every task."""
        params = self.anywhere()
        first, *others = self._by_task.values()
        for names in others:
            for of_first, name in zip(first, names, strict=True):
                if self._domains[name] == self._domains[of_first]:
                    params[name] = params[of_first]
        return params

    def near(self, params: Params) -> Params:
        """Change one to three elements of a design; a number mostly becomes a neighbouring one."""
        changed = dict(params)
        for name in self._source.sample(self._names, min(self._source.choice((1, 1, 2, 3)), len(self._names))):
            if name in self._codec.choices:
                changed[name] = self._source.choice(self._codec.choices[name])
            else:
                changed[name] = self._neighbour(self._domains[name], changed[name])
        return changed

    def mix(self, one: Params, other: Params) -> Params:
        """Return the first design with the elements of some tasks taken from the other one."""
        mixed = dict(one)
        for names in self._by_task.values():
            if self._source.random() < 0.5:  # toss a coin
                mixed.update((name, other[name]) for name in names)
        if self._source.random() < 0.2:  # now and then take the elements that belong to no task
            of_tasks = {name for names in self._by_task.values() for name in names}
            mixed.update((name, other[name]) for name in self._names if name not in of_tasks)
        return mixed

    def settings(self, base: Params, good: Sequence[Params], most: int) -> list[list[Params]]:
        """Return settings of each task: first of the base, then of good designs, then a third with one element changed."""
        options = []
        for names in self._by_task.values():
            distinct = dict.fromkeys(tuple(params[name] for name in names) for params in (base, *good))
            some = [dict(zip(names, values, strict=True)) for values in list(distinct)[: most - most // 3]]
            if names:
                some += [self._one_changed(self.one_of(some), names) for _ in range(most - len(some))]
            options.append(some)
        return options

    def number(self) -> int:
        """Draw a seed."""
        return self._source.getrandbits(63)

    def one_of(self, given: Sequence[Params]) -> Params:
        """Draw one of the given designs."""
        return given[self._source.randrange(len(given))]

    def _one_changed(self, params: Params, names: Sequence[str]) -> Params:
        name = self._source.choice(names)
        return {**params, name: self._neighbour(self._domains[name], params[name])}

    def _neighbour(self, domain: Domain, value: Scalar) -> Scalar:
        count = size(domain)
        if isinstance(domain, Choice) or self._source.random() < 0.2:  # now and then draw from the whole domain
            return draw(domain, self._source)
        step = self._source.choice((-1, 1)) * self._source.randint(1, STEPS if count > 2 * STEPS else 1)
        if count == float("inf"):
            moved = float(value) + step / 16 * (float(domain.high) - float(domain.low))
            return min(max(moved, float(domain.low)), float(domain.high))
        here = round((float(value) - float(domain.low)) / float(domain.step or 1))
        return at(domain, min(max(here + step, 0), int(count) - 1))


def _of_task(name: str, task: str) -> bool:
    """Return whether an element belongs to one task: ``kind.plugin.parameter[task]`` or ``[task,layer]``."""
    return f"[{task}]" in name or f"[{task}," in name
