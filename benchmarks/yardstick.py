"""Attacks on the yardstick: numbers that an outside review bought without a method, and what each attack gives now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from benchmarks.costed import Chosen, InSram, Leaving, cost, shapes
from benchmarks.figures import Figure, measures
from benchmarks.shared import ROOT
from dse.charging import digital, tile
from dse.errors import PluginContractError
from dse.testing import CompressorTests, GeneratorTests

MINILM, BERT = (6, 384, 1536, 12), (12, 768, 3072, 12)
GAIN = 0.99
"""Ratios from here on are not a gain."""


class Outcome(NamedTuple):
    """What an attack gives: a sentence, and whether it is closed."""

    text: str
    closed: bool


class Attack(NamedTuple):
    """One attack of the review.

    Attributes:
        name: its number in the review.
        what: its means.
        before: what it gave in version 0.1.0.
        measure: function that runs it.
    """

    name: str
    what: str
    before: str
    measure: Callable[[], Outcome]


def refuse(suite: Any, record: Any, check: str) -> Outcome:
    """Run the check of a suite that must refuse a plugin."""
    try:
        getattr(suite(), check)(record)
    except (AssertionError, PluginContractError) as error:
        return Outcome(f"refused: {str(error).splitlines()[0]}", closed=True)
    return Outcome("accepted", closed=False)


def hide_in_scales() -> Outcome:
    """Weights as scales."""
    from tests.testing.wrong.compressors import HidesWeightsInScales, record

    return refuse(CompressorTests, record(HidesWeightsInScales), "test_stored_terms_rebuild_the_matrices")


def hide_in_heads() -> Outcome:
    """Weights as heads."""
    from tests.testing.wrong.generators import HidesWeightsInHeads, record

    return refuse(GeneratorTests, record(HidesWeightsInHeads), "test_weights_fit_the_plan")


def hide_in_vectors() -> Outcome:
    """Weights as biases and norms."""
    from tests.testing.wrong.generators import HidesWeightsInVectors, record

    return refuse(GeneratorTests, record(HidesWeightsInVectors), "test_weights_fit_the_plan")


KNOBS: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = (
    ({}, {"imas_per_tile": 1000}),
    ({"adcs_per_ima": 1}, {}),
    ({"arrays_per_ima": 32}, {}),
    ({"cell_bits": 2, "encoding": "offset-flip"}, {}),
    ({"array_size": 512, "adc_bits": 10}, {}),
    ({"array_size": 256, "cell_bits": 2, "encoding": "offset-flip", "adc_bits": 9}, {}),
    ({"array_size": 512, "cell_bits": 2, "encoding": "offset-flip", "adc_bits": 10}, {"imas_per_tile": 1000}),
)
"""Parameters and options of hardware that made separate models smaller than themselves."""


def turn_knobs() -> Outcome:
    """No compression on other hardware."""
    cases = [cost(shapes(8, MINILM), hardware=Chosen("isaac", values, options)) for values, options in KNOBS]
    least = min(min(case["area_ratio"], case["energy_ratio"]) for case in cases)
    broken = sum(bool(case.result.violations) for case in cases)
    return Outcome(f"area and energy at least {least:.3g}x; {broken} of {len(cases)} break a limit", least >= GAIN)


def worsen_reference() -> Outcome:
    """Another reference hardware."""
    case = cost(shapes(8, MINILM), reference={"array_size": 32})
    return Outcome(f"area {case['area_ratio']:.3g}x, energy {case['energy_ratio']:.3g}x", case["area_ratio"] >= GAIN)


TERNARY = Chosen("two-stage", {"max_bits": (1,) * 8})
"""Deltas of one magnitude bit on a shared base."""


def add_tasks_at_chance() -> Outcome:
    """Tasks whose models are no better than chance lose no points, and spread the base over more tasks."""
    few, many = (
        cost(shapes(tasks, MINILM), at_chance=tasks - 4, compressor=Chosen("two-stage", {"max_bits": (1,) * tasks}))
        for tasks in (4, 8)
    )
    text = (
        f"four tasks, and four more at chance: arrays {few['array_area_ratio']:.3g}x and {many['array_area_ratio']:.3g}x; "
        "`accuracy_drop_rated` weights drops as energy is"
    )
    same = all(math.isclose(few[name], many[name]) for name in ("area_ratio", "array_area_ratio", "energy_ratio"))
    return Outcome(text, same)


def leave_static_out() -> Outcome:
    """Dynamic energy alone."""
    perfect, tile = (
        cost(shapes(8, MINILM), compressor=TERNARY, hardware=Chosen("isaac", options={"gating": gating}))
        for gating in ("perfect", "tile")
    )
    share = perfect["static_break_even"]
    text = f"energy {perfect['energy_ratio']:.3g}x; equal from a static share of {100 * share:.2g} % on"
    return Outcome(f"{text}; {tile['energy_ratio']:.3g}x if tiles are gated", 0 < share < 1 and tile["static_w"] > 0)


def serialise_baseline() -> Outcome:
    """One encoder for eight tasks, on a shared input; and deltas on a shared base, by throughput."""
    shared = cost(shapes(8, MINILM, mode="shared"), generator=Chosen("shared-prefix", {"depth": (6,) * 8}))
    deltas = cost(shapes(8, MINILM), compressor=TERNARY)
    speed = deltas["throughput_ratio"] / deltas["area_ratio"]
    text = f"latency {shared['latency_ratio']:.3g}x; deltas on a shared base: throughput by area {speed:.3g}x"
    return Outcome(f"{text}, area at equal throughput {deltas['area_ratio_iso']:.3g}x", shared["latency_ratio"] >= GAIN)


def compute_digitally() -> Outcome:
    """All weights in SRAM."""
    case = cost(shapes(8, MINILM), compressor=Chosen(InSram()))
    row = case.baselines["digital-best"]
    area, energy = (case[name] / float(row[name] or 1) for name in ("area_mm2", "energy_uj"))
    text = f"{case['area_ratio_best']:.3g}x the area of `best`; {area:.3g}x area and {energy:.3g}x energy of `digital-best`"
    return Outcome(text, energy >= GAIN and case["area_ratio_best"] >= GAIN)


def quantise_after_training() -> Outcome:
    """Four bits and a sign per weight."""
    case = cost(shapes(8, MINILM), compressor=Chosen("ptq", {"bits": 4}))
    text = f"area {case['area_ratio']:.3g}x of `paper`, {case['area_ratio_best']:.3g}x of `best`"
    least = min(case["area_ratio_best"], case["energy_ratio_best"])
    return Outcome(f"{text}; energy {case['energy_ratio_best']:.3g}x of `best`", least >= GAIN)


def enlarge_arrays() -> Outcome:
    """Columns of 256 and 512 cells."""
    cases = [
        cost(shapes(8, MINILM), hardware=Chosen("isaac", {"array_size": size, "adc_bits": bits}))
        for size, bits in ((256, 9), (512, 10))
    ]
    broken = [case.result.violations[0].split(":")[0] for case in cases if case.result.violations]
    return Outcome(f"infeasible by {', '.join(sorted(set(broken)))}", len(broken) == len(cases))


def let_requests_wait() -> Outcome:
    """Batches of 2,048 at one request per second."""
    load = shapes(8, MINILM, batch=2048.0, requests_per_s=1.0)
    case = cost(load, compressor=Chosen("xma2", {"share": 0.1}, prepared=False))
    rival = case.baselines.get("time-shared", {})
    life, area = (float(rival.get(name) or 0) for name in ("lifetime_years", "area_mm2"))
    hours = case["wait_bound_us"] / 3.6e9
    text = f"{case['lifetime_years']:.3g} years in {case['area_mm2']:.3g} mm2, with a longest wait of {hours:.3g} h in the row"
    gone = life >= GAIN * case["lifetime_years"] and area <= case["area_mm2"]
    return Outcome(f"{text}; `time-shared` beside it: {life:.3g} years in {area:.3g} mm2", hours > 4.5 and gone)


def grow_without_dies() -> Outcome:
    """Eight BERT-base on one chip."""
    case = cost(shapes(8, BERT, 128.0), hardware=Chosen("isaac", options={"gating": "none"}))
    links = case.result.area["links"]
    text = f"{links / 22.88:.0f} dies with {links:.3g} mm2 of links, {case.result.area['digital'] / 1.108:.0f} digital units, {case['static_w']:.3g} W never gated"
    return Outcome(text, links > 0)


ONCE = 0.0024
"""Share of energy that buffers, buses and routers took when inputs went to a layer once."""


def hide_transport() -> Outcome:
    """Inputs fetched once per layer."""
    case = cost(shapes(8, BERT, 128.0))
    moved = sum(case.result.energy[name] for name in ("buffer", "bus", "router"))
    arrays = sum(case.result.energy[name] for name in ("arrays", "adc", "dac", "shift_add", "registers", "sample_hold"))
    return Outcome(
        f"inputs go to every tile that holds a part: {100 * moved / arrays:.2g} % of what arrays take", moved > 0
    )


def let_more_inputs_run() -> Outcome:
    """More inputs run than training rows did."""
    load, expected, ran = shapes(2, MINILM), (1.0, 1.0, 1.0, 1.0, 0.3, 0.15), (1.0, 1.0, 1.0, 1.0, 0.4, 0.21)
    leaving = Chosen(Leaving(expected))
    before, after = (
        cost(load, generator=leaving, reach=reach)["energy_uj"] for reach in ({}, dict.fromkeys(load.task_names, ran))
    )
    return Outcome(
        f"layers that ran in scoring are charged: energy {after / before:.3g}x of what was expected", after > before
    )


def multiply_narrowly() -> Outcome:
    """Products of attention in 8 bits."""
    load = shapes(1, MINILM)
    longer = replace(load, tasks=(replace(load.tasks[0], tokens_squared=2 * load.tasks[0].tokens_squared),))
    digital_uj = [cost(one).result.energy["digital"] for one in (load, longer)]
    pairs = load.encoder.layers * load.encoder.heads * load.tasks[0].tokens_squared
    softmax_pj = digital.SOFTMAX_OPS * tile.VECTOR_PJ / (2 * load.encoder.head_size)
    product_pj = 1e6 * (digital_uj[1] - digital_uj[0]) / (2 * load.encoder.head_size * pairs) - softmax_pj
    text = f"a product of attention costs {product_pj:.3g} pJ, a 16-bit multiply-add without memory {tile.VECTOR_PJ:.3g} pJ"
    return Outcome(text, product_pj >= tile.VECTOR_PJ)


def open_attack(text: str) -> Callable[[], Outcome]:
    """Give an attack that nothing closes yet."""
    return lambda: Outcome(text, closed=False)


ATTACKS = (
    Attack("H1", "weights hidden in scales", "0.063x area, 0.26 points lost, all checks passed", hide_in_scales),
    Attack("H1", "weights hidden in heads", "0.125x area, 0.22 points lost, all checks passed", hide_in_heads),
    Attack("H2", "options and parameters of hardware, no method", "0.043x area, 0.164x energy", turn_knobs),
    Attack("H2", "a worse reference", "0.068x area, 0.28x energy", worsen_reference),
    Attack("H3", "dynamic energy alone", "1.143x energy, without a word on static energy", leave_static_out),
    Attack("H4", "a baseline that answers one task at a time", "0.126x latency", serialise_baseline),
    Attack("H5", "8-bit weights in SRAM", "0.280x area, 0.210x energy", compute_digitally),
    Attack("H6", "4 bits and a sign per weight", "0.500x area, 0.525x energy", quantise_after_training),
    Attack("H9", "columns of 256 and 512 cells", "0.172x area", enlarge_arrays),
    Attack("M3", "a lifetime bought with the wait", "8.7 years; the wait read 2.6 s", let_requests_wait),
    Attack("M4", "exits charged on rows that were trained on", "4 to 5 % too little energy", let_more_inputs_run),
    Attack("M5", "a chip of any size", "2,586 mm2 on one die, one digital unit", grow_without_dies),
    Attack("M6", "rates and tasks that cost no accuracy", "energy 1.437x becomes 1.070x; a task at chance adds to 1/n", add_tasks_at_chance),
    Attack("L1", "transport fetched once per layer", "0.24 % of the energy", hide_transport),
    Attack("L2", "attention products charged in 8 bits, scored in 16", "not named", multiply_narrowly),
    Attack("L3", "one fit of a measured cell", "c0 extrapolates below 1 uS", open_attack("open: the fits of a cell model are not tabled")),
    Attack("L4", "biases and norms in float32", "free in bits", hide_in_vectors),
)  # fmt: skip
"""Attacks that must end refused, infeasible, or without a gain."""


def rows() -> list[tuple[str, str, str, str, str]]:
    """Run all attacks; return number, attack, gain before, outcome now, and whether it is closed."""
    outcomes = [(attack, attack.measure()) for attack in ATTACKS]
    return [
        (attack.name, attack.what, attack.before, outcome.text, "closed" if outcome.closed else "open")
        for attack, outcome in outcomes
    ]


@measures("yardstick.attacks_open")
def attacks() -> Iterator[Figure]:
    """Count the attacks that still buy a gain."""
    still = [row[0] for row in rows() if row[-1] == "open"]
    yield Figure(
        "yardstick.attacks_open", len(still), "attacks", "<= 0", f"of {len(ATTACKS)}; open: {', '.join(still)}"
    )


PAGE = ROOT / "docs" / "limits.md"
HEAD = "| attack | means | version 0.1.0 | outcome | |\n|---|---|---|---|---|\n"


def write_table() -> str:
    """Return the table of all attacks, as the page shows it."""
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows())


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(HEAD)], text[text.index("\n\n", text.index(HEAD)) + 1 :]
    PAGE.write_text(before + write_table() + after, encoding="utf-8")
