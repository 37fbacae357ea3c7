"""Whatever is allowed in a space file passes `dse check`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.robustness.conftest import SPACE, Home, Run

SWAPS = {
    'sampler = "random"': (
        'sampler = "random"',
        'sampler = "graybox"',
        'sampler = "nsga2"',
        'sampler = "tpe"',
        'sampler = "qmc"',
    ),
    '["area", "energy"]': ('["area"]', '["latency", "energy"]', '["area", "energy", "accuracy"]'),
    '["shared-prefix"]': ('["shared-prefix"]', '["independent", "shared-prefix"]'),
    '["two-stage"]': ('["two-stage"]', '["none", "graded", "two-stage"]'),
    '["fixed"]': ('["fixed"]', '["searched", "fixed"]'),
}
TABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "generator.shared-prefix.parameters": {
        "depth": ("0", "{ low = 0, high = 1 }", "{ tasks = { rating = { low = 0, high = 1 } } }"),
    },
    "compressor.two-stage.options": {"per_channel": ("true", "false")},
    "compressor.two-stage.parameters": {
        "selective": (
            "0.5",
            "{}",
            "{ value = 0.3 }",
            "{ low = 0.1, high = 0.4 }",
            "{ low = 0, high = 1, step = 0.25 }",
        ),
        "max_bits": ("1", "{ low = 1, high = 3 }", "{ choices = [1, 2] }", "{ tasks = { verdict = 2 } }"),
    },
    "hardware.isaac.parameters": {"adc_bits": ("8", "{}", "{ low = 8, high = 9 }")},
    "search.constraints": dict.fromkeys(
        ("area_mm2", "score.verdict", "energy.adc", "lifetime_years"), ("{ min = 0 }", "{ max = 1e9 }")
    ),
}


@st.composite
def valid_spaces(draw: st.DrawFn) -> str:
    """A space file with plugins, options, ranges, values of single tasks, and limits, all of them allowed."""
    text = SPACE
    for old, new in SWAPS.items():
        assert old in text
        text = text.replace(old, draw(st.sampled_from(new)))
    for table, entries in TABLES.items():
        chosen = draw(st.sets(st.sampled_from(sorted(entries))))
        text += f"[{table}]\n" + "".join(f"{key} = {draw(st.sampled_from(entries[key]))}\n" for key in sorted(chosen))
    return (
        text.replace('"score.', "score.")
        .replace("score.verdict", '"score.verdict"')
        .replace("energy.adc", '"energy.adc"')
    )


@settings(
    derandomize=True,
    deadline=None,
    max_examples=12,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=valid_spaces())
def test_any_valid_space_file_passes_the_check(home: Home, dse: Run, text: str) -> None:
    home.space.write_text(text, encoding="utf-8")
    result = dse("check", home.space)

    assert result.exit_code == 0, f"{text}\n{result.output}"
    assert "designs     " in result.stdout


def test_an_old_key_is_told_once(home: Home, dse: Run) -> None:
    """The file is resolved several times: to list its problems, and for the search."""
    space = home.change("", "[hardware.isaac.parameters]\ninput_bits = 6\n")
    with pytest.warns(FutureWarning) as told:
        assert dse("check", space).exit_code == 0
    assert len([one for one in told if one.category is FutureWarning]) == 1
