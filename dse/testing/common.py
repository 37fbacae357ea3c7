"""Checks that hold for a plugin of any kind."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from dse.errors import DseError
from dse.plugins.call import check_names
from dse.plugins.contract import PROTOCOLS
from dse.plugins.declared import check_parameters, is_given_input_bits
from dse.plugins.hooks import HOOKS
from dse.records.parameters import INPUT_BITS, Parameter
from dse.records.params import Params
from dse.records.plugin import API, OLDEST_API, RECORD_TYPES, Kind, Options, PluginRecord
from dse.records.workload import Workload
from dse.testing import _values as values
from dse.testing.options import vary_options
from dse.testing.outcomes import Check, NothingToTest, Outcome, after, once_each
from dse.testing.workloads import TinyContext, tiny_workload

HEAVY = ("torch", "transformers", "optuna")
_IMPORT = f"""
import importlib, importlib.util, sys
name, file = sys.argv[1:]
try:
    importable = importlib.util.find_spec(name) is not None
except (ImportError, ValueError):
    importable = False
if importable:
    module = importlib.import_module(name)
else:
    spec = importlib.util.spec_from_file_location("plugin_under_test", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
for hook in {tuple(HOOKS)!r}:
    list(getattr(module, hook, list)())
print("loaded:", *(heavy for heavy in {HEAVY!r} if heavy in sys.modules))
"""


@once_each
class PluginTests:
    """Checks that the suite of every kind begins with. A subclass gives a fixture ``record``.

    Attributes:
        kind: kind of the plugin.
        options: the plugin's options, as a space file would give them.
        scored: part of the answers of `evaluate` that scores depend on; empty: none.
    """

    kind: ClassVar[Kind]
    scored: ClassVar[slice | None] = None
    options: ClassVar[dict[str, Any]] = {}

    def on_check(self, outcome: Outcome, *, ended: bool) -> None:
        """Do nothing; this method is called before and after each check, and a check may run another check that it needs."""

    def workloads(self) -> tuple[Workload, ...]:
        """Return the workloads that the plugin is tried on; a subclass gives others where the plugin needs them."""
        return tiny_workload(), tiny_workload(2, mode="shared")

    def built(self, record: PluginRecord, workload: Workload) -> Any:
        """Build a fresh plugin, and prepare it for a workload."""
        return self.build_for(record, record.options.model_validate(self.options), TinyContext(workload))

    def received(self, record: PluginRecord, plugin: Any, workload: Workload) -> tuple[Parameter, ...]:
        """Return the parameters whose values the plugin receives: those that it declares, and input bits for hardware."""
        added = self.kind == "hardware" and is_given_input_bits(self.kind, record.api)
        return (*plugin.parameters(workload), *((INPUT_BITS,) if added else ()))

    def evaluate(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return everything that the plugin answers for one design, scores included."""
        return self.evaluate_batch(plugin, workload, params)

    def evaluate_batch(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return the plugin's answers for many designs at once."""
        raise NotImplementedError

    def answer(self, plugin: Any, context: TinyContext, params: Params) -> Any:
        """Return everything that the plugin answers for one design, with the weights of a context."""
        return self.evaluate(plugin, context.workload, params)

    def cases(self, record: PluginRecord) -> Iterator[tuple[Any, Workload, Params]]:
        """Yield the plugin on every workload, at its defaults and at some designs drawn from its ranges."""
        for plugin, workload, declared in self._each_workload(record):
            for params in values.some_points(declared, workload, 2 if declared else 0):
                yield plugin, workload, params

    def _each_workload(self, record: PluginRecord) -> Iterator[tuple[Any, Workload, tuple[Parameter, ...]]]:
        """Yield the plugin, prepared for every workload, with the parameters whose values it receives."""
        for workload in self.workloads():
            plugin = self.built(record, workload)
            yield plugin, workload, self.received(record, plugin, workload)

    def test_record_is_valid(self, record: PluginRecord) -> None:
        """The record has its kind's type, and the plugin that it builds has the kind's methods, none of them misspelt."""
        expected = RECORD_TYPES[self.kind]
        assert isinstance(record, expected), f"expected a dse.{expected.__name__}, found {type(record).__name__}"
        assert record.api in range(OLDEST_API, API + 1), f"made for api {record.api}, this is api {API}"
        for name in ("name", "summary", "version"):
            text = getattr(record, name)
            assert isinstance(text, str), f"{name} must be text, found {text!r}"
            assert text.strip() == text != "", f"{name} must be text without space around it, found {text!r}"
        assert not set(record.name) & set(". \t\n"), f"a name may hold neither dots nor spaces, found {record.name!r}"
        assert "\n" not in record.summary, "summary must be one line"
        assert issubclass(record.options, Options), "options must derive from dse.Options"
        plain = inspect.isclass(record.build) or inspect.isroutine(record.build)
        assert plain, f"build must be a class or a function, so that its file is known, found {record.build!r}"
        plugin = self.built(record, self.workloads()[0])
        check_names(f"{self.kind} {record.name!r}", plugin, PROTOCOLS[self.kind])

    def test_registration_loads_nothing_heavy(self, record: PluginRecord) -> None:
        """Importing the plugin's module and running its hooks loads no torch, transformers or optuna."""
        after(self.test_record_is_valid, record=record)
        file = inspect.getsourcefile(record.build) or ""
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT, record.build.__module__, file],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"the module does not import by itself:\n{done.stderr}"
        loaded = done.stdout.rsplit("loaded:", 1)[1].split()
        assert not loaded, f"importing {record.build.__module__} loads {', '.join(loaded)}; import it inside a method"

    def test_options_round_trip(self, record: PluginRecord) -> None:
        """Options written down and read again are the same options."""
        after(self.test_record_is_valid, record=record)
        options = record.options.model_validate(self.options)
        assert record.options.model_validate(options.model_dump()) == options, "dump and validate change the options"
        again = record.options.model_validate_json(options.model_dump_json())
        assert again == options, "options written as JSON and read again differ"

    def test_parameters_are_well_declared(self, record: PluginRecord) -> None:
        """Names are unique, ranges are not empty and defaults lie inside them."""
        after(self.test_record_is_valid, record=record)
        for workload in self.workloads():
            declared = self.built(record, workload).parameters(workload)
            given = is_given_input_bits(self.kind, record.api)
            check_parameters(f"{self.kind} {record.name!r}", declared, given_bits=given)

    def test_is_deterministic(self, record: PluginRecord) -> None:
        """The same call twice, and the same call on a second build, give the same result."""
        after(self.test_parameters_are_well_declared, record=record)
        for plugin, workload, params in self.cases(record):
            first = self.evaluate(plugin, workload, params)
            again = values.first_difference(first, self.evaluate(plugin, workload, params))
            assert not again, f"two calls differ at {again}"
            other = values.first_difference(first, self.evaluate(self.built(record, workload), workload, params))
            assert not other, f"two builds differ at {other}"

    def test_batch_equals_single(self, record: PluginRecord) -> None:
        """Designs that are evaluated together give the same results as each alone."""
        after(self.sound, record=record)
        for plugin, workload, declared in self._each_workload(record):
            points = values.some_points(declared, workload, 5)
            batch = self.evaluate_batch(plugin, workload, values.stack(points) if declared else Params(len(points)))
            for index, params in enumerate(points):
                one = values.point_of(batch, slice(index, index + 1))
                single = values.point_of(self.evaluate_batch(plugin, workload, params), ...)
                place = values.first_difference(one, single, exact=False)
                assert not place, f"design {index} of several differs from the same design alone at {place}"

    def test_every_parameter_changes_something(self, record: PluginRecord) -> None:
        """Each declared parameter changes a result somewhere in its range, on some workload."""
        after(self.test_batch_equals_single, record=record)
        if not any(declared for _, _, declared in self._each_workload(record)):
            raise NothingToTest("the plugin declares no parameter")
        dead: set[str] | None = None
        for plugin, workload, declared in self._each_workload(record):
            points = values.some_points(declared, workload, 3)
            open_items = [item for item in declared if dead is None or item.name in dead]
            dead = {item.name for item in open_items if self._is_dead(plugin, workload, points, item)}
        assert not dead, f"no value of {', '.join(sorted(dead or ()))} changes anything"

    def test_every_option_changes_something(self, record: PluginRecord) -> None:
        """Each option changes a result at one of its other values; an option that is text or a list names some as examples."""
        after(self.test_batch_equals_single, record=record)
        usual = record.options.model_validate(self.options)
        varied = list(vary_options(usual))
        if not varied:
            raise NothingToTest("no option has another value to try")
        dead = [name for name, others in varied if not self._options_matter(record, usual, others)]
        switched = [other for _, others in varied for other in others if self._is_switch(usual, other)] if dead else []
        for base in switched:  # some options only count where another one is switched on
            others = dict(vary_options(base))
            with suppress(DseError):
                dead = [name for name in dead if not self._options_matter(record, base, others.get(name, []))]
        assert not dead, f"no other value of the option {', '.join(dead)} changes anything; use it, or remove it"

    def test_scores_stand_still_where_parameters_say_so(self, record: PluginRecord) -> None:
        """A parameter with scores=False changes neither weights nor stored terms, since scores are kept without its value."""
        after(self.test_batch_equals_single, record=record)
        tried = False
        for plugin, workload, declared in self._each_workload(record):
            usual = values.default_point(declared, workload)
            for item in declared if self.scored else ():
                for value in () if item.scores else values.scalars(item):
                    tried, other = True, values.with_value(usual, item, workload, value)
                    before, now = (self.evaluate(plugin, workload, params)[self.scored] for params in (usual, other))
                    moved = values.first_difference(before, now)
                    assert not moved, f"parameter {item.name!r} has scores=False, but {value!r} changes {moved}"
        if not tried:
            raise NothingToTest("no parameter with scores=False can change what is scored")

    def test_cached_arrays_belong_to_the_tasks(self, record: PluginRecord) -> None:
        """Arrays that were cached for some tasks are not used for others: their key holds the digests of the weights."""
        after(self.test_batch_equals_single, record=record)
        first, cache = self.workloads()[0], dict[str, Any]()
        other = replace(first, digests={name: f"other {digest}" for name, digest in first.digests.items()})
        answers = []
        for workload, seed, shared in ((first, 0, cache), (other, 1, cache), (other, 1, {})):
            context = TinyContext(workload, seed=seed, cache=shared)
            plugin = self.build_for(record, record.options.model_validate(self.options), context)
            params = values.default_point(self.received(record, plugin, workload), workload)
            answers.append(self.answer(plugin, context, params))
        if not cache:
            raise NothingToTest("the plugin caches nothing")
        reused = values.first_difference(answers[1], answers[2])
        told = "arrays that context.cached made for other tasks are used again: put workload.digests into their key"
        assert not reused, f"{told} ({reused})"

    @property
    def sound(self) -> Check:
        """The check without which results cannot be compared."""
        return self.test_is_deterministic

    @staticmethod
    def _is_switch(usual: Options, other: Options) -> bool:
        """Return whether two records differ in an option that is text or yes and no."""
        changed = [
            getattr(other, name) for name in type(usual).model_fields if getattr(usual, name) != getattr(other, name)
        ]
        return all(isinstance(value, str | bool) for value in changed)

    def _options_matter(self, record: PluginRecord, usual: Options, others: list[Options]) -> bool:
        """Return whether one of the other options declares other parameters, changes an answer, or cannot be compared."""
        refused = True
        for workload in self.workloads():
            one = self.build_for(record, usual, TinyContext(workload))
            declared = self.received(record, one, workload)
            points = values.some_points(declared, workload, 1 if declared else 0)
            before = [self.evaluate(one, workload, params) for params in points]
            for other in others:
                with suppress(Exception):  # a plugin may refuse options that do not fit the workload
                    two = self.build_for(record, other, TinyContext(workload))
                    if self.received(record, two, workload) != declared:
                        return True
                    for params, first in zip(points, before, strict=True):
                        now, refused = self.evaluate(two, workload, params), False
                        if values.first_difference(first, now):
                            return True
        return refused

    def build_for(self, record: PluginRecord, options: Options, context: TinyContext) -> Any:
        """Build a plugin and prepare it for the workload of a context."""
        plugin = record.build(options)
        plugin.parameters(context.workload)
        plugin.prepare(context)
        return plugin

    def _is_dead(self, plugin: Any, workload: Workload, points: list[Params], item: Parameter) -> bool:
        options = values.scalars(item)
        if len(options) < 2:
            return False
        designs = [[values.with_value(params, item, workload, value) for value in options] for params in points]
        # What many designs are asked for at once is cheap, and most parameters change it.
        return not any(
            self._differ(ask, plugin, workload, some)
            for ask in (self.evaluate_batch, self.evaluate)
            for some in designs
        )

    def _differ(self, ask: Callable[..., Any], plugin: Any, workload: Workload, designs: list[Params]) -> bool:
        """Return whether an answer for one of the designs differs from that for the first."""
        first: Any = None
        for params in designs:
            with suppress(DseError):  # a plugin may refuse this combination, and the parameter change another one
                result = ask(plugin, workload, params)
                if first is None:
                    first = result
                elif values.first_difference(first, result):
                    return True
        return False
