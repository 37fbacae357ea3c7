"""Between design points and flat parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import SpaceError
from dse.records.plugin import KINDS
from dse.results.points import point_of
from dse.samplers.encoding import Codec
from dse.samplers.fallback import unseen_point
from dse.space.domain import at, size, snap_value
from tests.support.fakes import TASKS, fake_space, raw_space, small_raw

SPACE = fake_space()
CODEC = Codec(SPACE)
DETERMINISTIC = settings(derandomize=True, deadline=None, max_examples=200)


@st.composite
def suggestions(draw: st.DrawFn) -> dict[str, Any]:
    """Flat parameters as a sampler may suggest them: anything within the distributions."""
    params: dict[str, Any] = {kind: draw(st.sampled_from(names)) for kind, names in CODEC.choices.items()}
    for name, item in CODEC.distributions().items():
        if name in CODEC.choices:
            continue
        if hasattr(item, "choices"):
            params[name] = draw(st.sampled_from(item.choices))
        elif isinstance(item.low, int):
            params[name] = draw(st.integers(item.low, item.high))
        else:
            params[name] = draw(st.floats(item.low, item.high))
    return params


@given(suggestions())
@DETERMINISTIC
def test_encoding_what_was_decoded_gives_the_same_point(params: dict[str, Any]) -> None:
    point = CODEC.decode(params)
    again = CODEC.decode(CODEC.encode(point))

    assert again == point
    assert again.key() == point.key()
    assert hash(point.key()) == hash(again.key())


@given(suggestions(), suggestions())
@DETERMINISTIC
def test_suggestions_that_differ_only_in_inactive_elements_are_one_design(
    params: dict[str, Any], other: dict[str, Any]
) -> None:
    prefixes = tuple(f"{kind}.{CODEC.decode(params).plugin(kind)}." for kind in KINDS)
    mixed = {
        name: value if name in CODEC.choices or name.startswith(prefixes) else other[name]
        for name, value in params.items()
    }

    assert CODEC.decode(mixed).key() == CODEC.decode(params).key()


@given(suggestions())
@DETERMINISTIC
def test_decoded_values_lie_in_the_declared_ranges_and_shapes(params: dict[str, Any]) -> None:
    point = CODEC.decode(params)
    for item in SPACE.parameters:
        name = item.declared.full_name
        active = point.plugin(item.declared.kind) == item.declared.plugin
        assert (name in point.values) == active
        if active:
            scalars = item.scalars(point.values[name])
            for element, scalar in zip(item.elements, scalars, strict=True):
                assert element.domain.check(scalar) == scalar


@given(suggestions())
@DETERMINISTIC
def test_a_row_gives_its_point_back(params: dict[str, Any]) -> None:
    point = CODEC.decode(params)
    row: dict[str, Any] = {kind: point.plugin(kind) for kind in KINDS}
    row |= {f"param.{name}": value for name, value in point.values.items()}
    row |= {"param.compressor.absent.x": None, "area_mm2": 1.0}

    assert point_of(row) == point


def test_element_names_say_task_layer_and_digit() -> None:
    names = list(CODEC.distributions())

    assert names[:3] == ["generator", "compressor", "scheduler"]
    assert {"compressor.two-stage.cosine", "generator.shared-prefix.depth[trec6]"} <= set(names)
    assert {"compressor.two-stage.drop[2]", "compressor.two-stage.mask[sst2,1]"} <= set(names)
    assert {"scheduler.searched.order#0", "scheduler.searched.order#1"} <= set(names)
    assert "hardware" not in names
    assert "hardware.isaac.rows" not in names
    assert "compressor.none.unused" not in names


def test_steps_leave_no_noise_of_binary_fractions() -> None:
    domain = CODEC.domains["compressor.two-stage.cosine"]
    values = [at(domain, index) for index in range(int(size(domain)))]

    assert values[:4] == [0.5, 0.51, 0.52, 0.53]
    assert values[-1] == 0.99
    assert snap_value(domain, 0.5 + 0.01 * 3 + 1e-9) == 0.53


@pytest.mark.parametrize(
    "change",
    [
        {"hardware": "neurosim"},
        {"values": {}},
        {"values": {"hardware.isaac.adc_bits": 8, "hardware.isaac.rows": 64}},
        {"values": {"hardware.isaac.adc_bits": 99, "hardware.isaac.rows": 128}},
        {"values": {"hardware.isaac.adc_bits": 8, "hardware.isaac.rows": 128, "hardware.isaac.x": 1}},
    ],
)
def test_points_outside_the_space_are_refused(change: dict[str, Any]) -> None:
    raw = raw_space()
    raw |= {kind: {"plugins": [name]} for kind, name in (("generator", "independent"), ("scheduler", "fixed"))}
    raw["compressor"] = {"plugins": ["none"], "none": {}}
    space = fake_space(raw)
    codec = Codec(space)
    point = codec.decode({"hardware.isaac.adc_bits": 8})
    assert codec.encode(point) == {"hardware.isaac.adc_bits": 8}
    values = change.get("values")
    if values is not None:
        change = {"values": values | {"compressor.none.unused": 0}} if values else change
    with pytest.raises(SpaceError, match="outside the space"):
        codec.encode(replace(point, **change))


def test_every_index_of_a_finite_space_is_another_design() -> None:
    raw = raw_space()
    raw["compressor"] = {"plugins": ["none"]}
    space = fake_space(raw)
    codec = Codec(space)
    keys = {codec.point_at(index).key() for index in range(int(space.size))}

    assert len(keys) == space.size
    assert all(codec.decode(codec.encode(codec.point_at(index))) == codec.point_at(index) for index in (0, 5, 979))


def test_the_last_unseen_design_is_found_and_then_none() -> None:
    codec = Codec(fake_space(small_raw()))
    points = [codec.point_at(index) for index in range(15)]
    seen = {point.key() for point in points if point is not points[11]}

    assert unseen_point(codec, seen, seed=1) == points[11]
    assert unseen_point(codec, {*seen, points[11].key()}, seed=1) is None


def test_orders_decode_to_every_permutation() -> None:
    orders = {
        CODEC.decode(
            CODEC.encode(CODEC.random_point(1))
            | {"scheduler": "searched", "scheduler.searched.order#0": first, "scheduler.searched.order#1": second}
        ).values["scheduler.searched.order"]
        for first in range(3)
        for second in range(2)
    }

    assert len(orders) == 6
    assert all(sorted(order) == list(range(len(TASKS))) for order in orders)  # type: ignore[arg-type]
