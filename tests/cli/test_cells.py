"""`dse cells ...`: the cell models there are, and their levels as they read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dse as package

FILE = 'source = "lab"\ntarget_us = [2, 20, 40]\nsigma_us = [0.5, 2, 3]\n'


def test_list_names_every_cell_model(dse: Any) -> None:
    shown = dse("cells", "list")
    assert shown.exit_code == 0, shown.output
    for name in ("cmo-hfox", "lognormal", "pcm", "wan22"):
        assert name in shown.stdout
    assert "isaac" not in shown.stdout
    assert {one.name for one in package.cells_list()} == {"cmo-hfox", "lognormal", "pcm", "wan22"}


def test_info_draws_the_levels_and_their_overlap(dse: Any) -> None:
    shown = dse("cells", "info", "wan22", "--cell-bits", 2, "--option", "stuck_on=0.25")
    assert shown.exit_code == 0, shown.output
    assert "stuck_on    0.25" in shown.stdout
    assert "█" in shown.stdout
    levels = json.loads(dse("cells", "info", "wan22", "--format", "json", "--cell-bits", 3).stdout)["levels"]
    assert len(levels) == 8
    assert levels[1]["target_us"] == pytest.approx(1 + 39 / 7)
    few = package.cells_info("wan22", cell_bits=1).levels
    assert few[0]["overlap"] < 1e-3 < max(level["overlap"] for level in levels)
    early, late = (package.cells_info("pcm", age=age).levels[3]["mean_us"] for age in ("1 h", "30 d"))
    assert late < early < 25


def test_check_draws_a_device_file_and_names_what_is_wrong_with_it(dse: Any, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(FILE, encoding="utf-8")
    shown = dse("cells", "check", file, "--format", "csv")
    assert shown.exit_code == 0, shown.output
    header, *rows = shown.stdout.splitlines()
    assert header == "level,target_us,mean_us,sigma_us,read_sigma_us,overlap,drawing"
    assert len(rows) == 4
    file.write_text(FILE.replace("sigma_us", "sigma"), encoding="utf-8")
    refused = dse("cells", "check", file)
    assert refused.exit_code == 1
    assert "option 'sigma' of a device file is not usable" in refused.stderr
    assert "did you mean 'sigma_us'" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "wan23"), "did you mean 'wan22'"),
        (("info", "ideal"), "ideal cells have nothing to draw"),
        (("info", "wan22", "--age", "soon"), "option 'cell_age'"),
        (("info", "wan22", "--age", "1 y"), "no data at this age"),
        (("info", "wan22", "--option", "scal=2"), "did you mean 'scale'"),
        (("check", "no.csv"), "the device file cannot be read"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments: tuple[str, ...], message: str, dse: Any) -> None:
    refused = dse("cells", *arguments)
    assert refused.exit_code == 1
    assert message in refused.stderr
    with pytest.raises(package.DseError, match="1 to 6 bits"):
        package.cells_info("wan22", cell_bits=7)
