from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any


def test_a_table_of_options_and_one_of_parameters(dse: Any) -> None:
    result = dse("plugins", "info", "isaac")
    assert result.exit_code == 0, result.output
    head, options, parameters = (part.splitlines() for part in result.stdout.split("\n\n"))
    assert head[:2] == ["kind          hardware", "name          isaac"]
    assert any(line.startswith("source        Shafiee et al.") for line in head)
    assert options[0].split() == ["option", "type", "default", "meaning"]
    line = next(line for line in options if line.split()[0] == "packing")
    assert "'none' | 'same-input'" in line
    assert "whether matrices of one owner" in line
    assert parameters[0].split() == ["parameter", "values", "default", "limits", "unit", "scope", "summary"]
    line = next(line for line in parameters if line.split()[0] == "adc_bits")
    assert line.split() == ["adc_bits", "6", "to", "10", "8", "4", "to", "10", "bit", "ADC", "resolution"]


def test_ranges_of_the_example_are_said_to_be_such(dse: Any) -> None:
    note = "ranges that follow from the encoder, tasks or traffic, here those of a small example: "
    assert dse("plugins", "info", "shared-prefix").stdout.endswith(f"\n{note}depth\n")
    assert note not in dse("plugins", "info", "isaac").stdout


def test_what_there_is_none_of_is_said(dse: Any) -> None:
    lines = dse("plugins", "info", "none").stdout.splitlines()
    assert lines[-3:] == ["no options", "", "no parameters"]


def test_an_order_has_no_range(dse: Any) -> None:
    assert "an order of the tasks   as listed" in dse("plugins", "info", "searched").stdout


def test_json_is_one_record_and_csv_the_parameters(dse: Any) -> None:
    record = json.loads(dse("plugins", "info", "two-stage", "--format", "json").stdout)
    assert (record["kind"], record["status"]) == ("compressor", "ok")
    assert record["options"][1] == {
        "name": "layer_groups",
        "type": "int >= 1",
        "required": False,
        "default": 1,
        "meaning": "number of groups of consecutive layers with their own hyper-parameters, whose names then end in ``_1``, "
        "``_2`` and so on.",
    }
    assert record["parameters"][0]["limits"] == [0.0, 1.0]
    rows = list(csv.DictReader(io.StringIO(dse("plugins", "info", "two-stage", "--format", "csv").stdout)))
    assert [row["parameter"] for row in rows] == ["cosine", "max_bits", "selective", "from_layer"]


def test_required_and_unset_options_and_parameters_that_cannot_be_asked_for(dse: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import dse\n\nclass Mine(dse.Options):\n    size: int\n    name: str | None = None\n\n"
        "@dse.hookimpl\ndef dse_schedulers():\n"
        "    yield dse.Scheduler(name='mine', summary='x', build=lambda options: None, options=Mine)\n",
        encoding="utf-8",
    )
    result = dse("plugins", "info", "mine", "--plugin", path)
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: " ".join(line.split()) for line in result.stdout.splitlines() if line.strip()}
    assert lines["size"] == "size int required"
    assert lines["name"] == "name str | None unset"
    assert lines["parameters:"].startswith(
        "parameters: unknown, since the plugin raised PluginContractError: option 'size'"
    )


def test_a_plugin_that_does_not_load_is_its_reason(dse: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def broken(:\n", encoding="utf-8")
    result = dse("plugins", "info", path, "--plugin", path)
    assert result.exit_code == 0
    assert "status        broken\nreason        SyntaxError: " in result.stdout
    assert "option" not in result.stdout


def test_an_unknown_plugin_or_kind(dse: Any) -> None:
    result = dse("plugins", "info", "issac")
    assert result.exit_code == 1
    assert "did you mean 'isaac'?" in result.stderr
    assert dse("plugins", "info", "isaac", "--kind", "chip").exit_code == 2
