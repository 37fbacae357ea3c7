"""Translation between designs and the flat parameters that a sampler sees.

One flat, fixed set of distributions holds every element of every named plugin, active or not, so that samplers which
model parameters jointly never fall back to independent sampling. `Codec.decode` drops the inactive elements: two
suggestions that differ only in these are the same design.
"""

import math
import random
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import SpaceError
from dse.records.arrays import Floats, Ints
from dse.records.design import DesignPoint, Value
from dse.records.parameters import Choice, Float, Int, Scalar
from dse.records.plugin import KINDS, Kind
from dse.space.domain import Domain, at, round_digits, size
from dse.space.searchspace import Element, SearchedParameter, SearchSpace, snap

Params = dict[str, Any]
"""A sampler's suggestion: values by element name, and the plugin by kind where a space file names several."""


class Codec:
    """Translates between designs and flat parameters.

    Args:
        space: the resolved search space.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.choices: dict[Kind, tuple[str, ...]] = {
            kind: names for kind, names in space.plugins.items() if len(names) > 1
        }
        elements = [element for item in space.parameters for element in item.elements]
        self.domains: dict[str, Domain] = {one.name: one.domain for one in elements if not one.is_fixed}
        self._fixed: dict[str, Scalar] = {one.name: at(one.domain, 0) for one in elements if one.is_fixed}
        self._fine: set[tuple[str, type, Any]] = set()

    def distributions(self) -> dict[str, Any]:
        """Return Optuna's distribution of every searched element, always all of them and in the same order."""
        return dict(self._all)

    @cached_property
    def _all(self) -> dict[str, Any]:
        from optuna.distributions import CategoricalDistribution

        plugins: dict[str, Any] = {kind: CategoricalDistribution(names) for kind, names in self.choices.items()}
        return plugins | {name: _distribution(domain) for name, domain in self.domains.items()}

    def refusal(self, params: Mapping[str, Any]) -> str:
        """Return why flat parameters do not belong to this space, as a sampler or `decode` would say; empty if they do."""
        from optuna.trial import TrialState, create_trial

        try:
            pairs = {(name, type(value), value) for name, value in params.items()}
            if params.keys() == self._all.keys() and pairs <= self._fine:  # elements do not depend on each other
                return ""
            create_trial(state=TrialState.FAIL, params=dict(params), distributions=self._all)
            self.decode(params)
            self._fine |= pairs
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            return str(error).splitlines()[0]
        return ""

    def decode(self, params: Mapping[str, Any]) -> DesignPoint:
        """Return the design that flat parameters stand for."""
        plugins: dict[str, str] = {kind: str(params.get(kind, self.space.plugins[kind][0])) for kind in KINDS}
        values: dict[str, Value] = {}
        for kind in KINDS:
            whole, searched = self._parts[kind, plugins[kind]]
            values |= whole
            for item in searched:
                chosen = [params.get(one.name, self._fixed.get(one.name)) for one in item.elements]
                values[item.declared.full_name] = snap(item, chosen)
        return DesignPoint(**plugins, values=values)

    @cached_property
    def _parts(self) -> dict[tuple[Kind, str], tuple[dict[str, Value], list[SearchedParameter]]]:
        """Values of each plugin's parameters, defaults where they are searched, and the parameters that are searched."""
        parts: dict[tuple[Kind, str], tuple[dict[str, Value], list[SearchedParameter]]] = {}
        for key, items in self.space.by_plugin.items():
            usual = {
                item.declared.full_name: snap(
                    item, [self._fixed.get(one.name, one.domain.default) for one in item.elements]
                )
                for item in items
            }
            parts[key] = usual, [item for item in items if not all(one.is_fixed for one in item.elements)]
        return parts

    def _build(self, plugins: Mapping[str, str], choose: Callable[[Element], Any]) -> DesignPoint:
        """Return the design of these plugins, with the value that ``choose`` gives to each element."""
        values: dict[str, Value] = {
            item.declared.full_name: snap(item, [choose(element) for element in item.elements])
            for kind in KINDS
            for item in self.space.by_plugin[kind, plugins[kind]]
        }
        return DesignPoint(**plugins, values=values)

    def encode(self, point: DesignPoint) -> Params:
        """Return flat parameters that stand for a design; inactive elements take their default.

        Raises:
            SpaceError: the design lies outside the space.
        """
        params: Params = {name: domain.default for name, domain in self.domains.items()}
        expected: set[str] = set()
        for kind in KINDS:
            plugin = point.plugin(kind)
            if plugin not in self.space.plugins[kind]:
                raise _outside(kind, ", ".join(self.space.plugins[kind]), plugin)
            if kind in self.choices:
                params[kind] = plugin
            for item in self.space.by_plugin[kind, plugin]:
                expected.add(item.declared.full_name)
                params.update(self._scalars(item, point.values.get(item.declared.full_name)))
        for name in point.values:
            if name not in expected:
                raise _outside(name, "no such parameter for these plugins", point.values[name])
        return {name: params[name] for name in (*self.choices, *self.domains)}

    def random_point(self, seed: int) -> DesignPoint:
        """Draw a design uniformly: first the plugins, then each of their elements."""
        source = random.Random(seed)  # noqa: S311  # a search, no secret
        plugins: dict[str, str] = {kind: source.choice(self.space.plugins[kind]) for kind in KINDS}
        return self._build(plugins, lambda element: draw(element.domain, source))

    def point_at(self, index: int) -> DesignPoint:
        """Return design number ``index`` of a finite space."""
        plugins: dict[str, str] = {}
        digits: dict[str, int] = {}
        for kind, names in self.space.plugins.items():
            index, digit = divmod(index, int(sum(self.space.plugin_size(kind, name) for name in names)))
            for name in names:
                plugins[kind], count = name, int(self.space.plugin_size(kind, name))
                if digit < count:
                    break
                digit -= count
            for item in self.space.by_plugin[kind, plugins[kind]]:
                for element in item.elements:
                    digit, digits[element.name] = divmod(digit, int(size(element.domain)))
        return self._build(plugins, lambda element: at(element.domain, digits[element.name]))

    def _scalars(self, item: SearchedParameter, value: Value | None) -> Params:
        name = item.declared.full_name
        if value is None:
            raise _outside(name, "a value", value)
        try:
            if len(scalars := item.scalars(value)) != len(item.elements):
                raise _outside(name, f"{len(item.elements) + item.is_order} values", value)
            pairs = zip(item.elements, scalars, strict=True)
            return {
                element.name: checked
                for element, scalar in pairs
                for checked in [element.domain.check(scalar)]
                if not element.is_fixed
            }
        except (ValueError, TypeError, AssertionError) as error:
            expected = error.expected if isinstance(error, SpaceError) else str(error)
            raise _outside(name, expected, value) from error


def _outside(name: str, expected: object, value: object) -> SpaceError:
    return SpaceError("the design lies outside the space", where=name, expected=expected, found=repr(value))


def _distribution(domain: Domain) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.choices)
    if isinstance(domain, Int):
        return IntDistribution(domain.low, domain.high, log=domain.log, step=domain.step)
    return FloatDistribution(domain.low, domain.high, log=domain.log, step=domain.step)


def draw(domain: Domain, source: random.Random) -> Scalar:
    """Draw a value evenly; the value's logarithm is drawn evenly if the range is logarithmic."""
    count = size(domain)
    if isinstance(domain, Float | Int) and domain.log:
        value = math.exp(source.uniform(math.log(domain.low), math.log(domain.high)))
        return value if isinstance(domain, Float) else min(max(round(value), domain.low), domain.high)
    if isinstance(domain, Float) and domain.step is None:
        return round_digits(source.uniform(domain.low, domain.high))
    return at(domain, source.randrange(int(count)))


def spread(domain: Domain, shares: Floats) -> NDArray[Any]:
    """Return the values at shares of the domain, each in [0, 1), as `draw` spreads them."""
    if isinstance(domain, Float | Int) and domain.log:
        low, high = math.log(domain.low), math.log(domain.high)
        values = np.exp(low + shares * (high - low)).tolist()
        if isinstance(domain, Float):
            return np.array([round_digits(value) for value in values])
        return np.array([min(max(round(value), domain.low), domain.high) for value in values])
    count = size(domain)
    if isinstance(domain, Float) and math.isinf(count):
        return np.array([round_digits(value) for value in (domain.low + shares * (domain.high - domain.low)).tolist()])
    return values_at(domain, np.floor(shares * count).astype(np.int64))


def values_at(domain: Domain, places: Ints) -> NDArray[Any]:
    """Return the values number ``places`` of a finite domain."""
    count = int(size(domain))
    if count > len(places):
        return np.array([at(domain, place) for place in places.tolist()])
    return np.array([at(domain, place) for place in range(count)])[places]
