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
    note = "ranges that follow from the encoder, tasks or traffic, here those of a small example (--space FILE shows yours): "
    assert dse("plugins", "info", "shared-prefix").stdout.endswith(f"\n{note}depth\n")
    assert note not in dse("plugins", "info", "isaac").stdout


def test_ranges_of_a_space_file_are_those_of_its_encoder_tasks_and_options(
    tiny_space: Path, tmp_path: Path, dse: Any
) -> None:
    """The encoder of the space file has two layers, that of the example four."""
    words = ("plugins", "info", "shared-prefix", "--format", "csv")
    (example,) = csv.DictReader(io.StringIO(dse(*words).stdout))
    result = dse(*words, "--space", tiny_space)
    assert result.exit_code == 0, result.output
    (own,) = csv.DictReader(io.StringIO(result.stdout))
    assert (example["limits"] or example["values"], own["limits"] or own["values"]) == ("0 to 4", "0 to 2")
    assert "small example" not in dse("plugins", "info", "shared-prefix", "--space", tiny_space).stdout
    optional = tmp_path / "options.toml"
    text = tiny_space.read_text(encoding="utf-8") + "[compressor.two-stage.options]\nlayer_groups = 2\n"
    optional.write_text(text, encoding="utf-8")
    words = (*words[:2], "two-stage", *words[3:])
    few, many = (dse(*words, "--space", space) for space in (tiny_space, optional))
    assert few.exit_code == many.exit_code == 0, many.output
    assert len(few.stdout.splitlines()) < len(many.stdout.splitlines())
    missing = dse(*words, "--space", "nowhere.toml")
    assert missing.exit_code == 1
    assert "the space file does not exist" in missing.stderr


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
