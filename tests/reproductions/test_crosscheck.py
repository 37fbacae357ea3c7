"""The cross-check: macros as models charge them, pairs that are ranked differently, and what the record comes to."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import numpy as np
import pytest

from benchmarks.figures import SETTINGS
from reproductions.crosscheck import comparisons, macros, pairs
from reproductions.crosscheck import run as crosscheck
from reproductions.crosscheck.macros import PARTS, POINTS, Macros
from reproductions.crosscheck.page import PAGE, TEMPLATE, causes, page


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(crosscheck.RECORD.read_text(encoding="utf-8"))
    return found


def test_the_page_is_what_the_record_and_our_models_say(record: dict[str, Any]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(record)


def test_the_page_explains_every_cause_of_a_disagreement_and_no_other(record: dict[str, Any]) -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (.*?): .*?$(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL))
    explained = {title: re.findall(r"^- \*(.*?)\*: ", section, re.MULTILINE) for title, section in sections.items()}

    assert explained == causes(record)


def test_figures_are_the_lower_of_the_models_that_take_nothing_from_the_peer(record: dict[str, Any]) -> None:
    assert not SETTINGS.full
    figures = {figure.name: figure.value for figure in crosscheck.crosscheck()}

    assert set(figures) >= {
        f"crosscheck.{peer}.{what}_spearman" for peer in comparisons.PEERS for what in ("area", "energy")
    }
    for item in comparisons.COMPARISONS:
        for what, column in comparisons.QUANTITIES.items():
            name = f"crosscheck.{item.peer}.{what}_spearman"
            own = comparisons.spearman(item, record, column)
            assert figures[name] <= own if item.independent else figures[f"{name}.{item.model}"] == own


def test_rank_correlation_is_of_totals(record: dict[str, Any]) -> None:
    item = comparisons.COMPARISONS[0]
    mine, theirs = (macros.total("area_mm2") for macros in item.both(record))
    ranks = [
        [sum(other < one for other in all_) + (list(all_).count(one) + 1) / 2 for one in all_]
        for all_ in (np.round(mine, 12), np.round(theirs, 12))
    ]

    assert comparisons.spearman(item, record, "area_mm2") == pytest.approx(np.corrcoef(ranks)[0, 1], abs=1e-9)


@pytest.mark.parametrize("name", ["isaac", "neurosim"])
def test_a_macro_is_what_the_model_charges_an_array(name: Any) -> None:
    shared, own = macros.ours(name, "array"), macros.ours(name, "bitline")
    size = np.array([point["size"] for point in POINTS])

    np.testing.assert_allclose(own.area_mm2["digital"], size * shared.area_mm2["digital"])
    np.testing.assert_allclose(own.area_mm2["array"], shared.area_mm2["array"])
    for part in PARTS:
        np.testing.assert_allclose(own.energy_pj[part], shared.energy_pj[part])
    if name == "isaac":
        at = POINTS.index({"size": 128, "adc_bits": 8, "cell_bits": 2})
        assert shared.area_mm2["converters"][at] == pytest.approx(1200e-6, rel=0.01)
        assert shared.energy_pj["converters"][at] == pytest.approx(8 * 128 * 1.5625, rel=0.01)


def made(rng: np.random.Generator) -> Macros:
    parts = {part: np.round(rng.uniform(1, 4, len(POINTS)), 1) for part in PARTS}
    return Macros(parts, parts)


def test_every_pair_that_is_ranked_differently_has_one_cause_that_explains_it() -> None:
    rng = np.random.default_rng(3)
    ours, peer = made(rng), made(rng)
    groups = pairs.disagreements(ours, peer, "area_mm2")

    def sign(values: Any, one: int, two: int) -> int:
        return int(np.sign(np.round(values[one] - values[two], 6)))

    differ = tied = array_enough = 0
    for one, two in itertools.combinations(range(len(POINTS)), 2):
        mine, theirs = (sign(macros.total("area_mm2"), one, two) for macros in (ours, peer))
        if mine == theirs:
            continue
        differ += 1
        tied += 0 in (mine, theirs)
        swapped = ours.total("area_mm2") - ours.area_mm2["array"] + peer.area_mm2["array"]
        array_enough += 0 not in (mine, theirs) and sign(swapped, one, two) == theirs
    counted = pairs.by_cause(groups)

    assert sum(counted.values()) == differ
    assert counted[pairs.TIED] == tied
    assert sum(number for cause, number in counted.items() if "array" in cause.split(" or ")) == array_enough
    assert not pairs.disagreements(ours, ours, "area_mm2")
