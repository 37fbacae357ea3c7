"""Figures and the page come from one record, and the page is what the record says."""

from __future__ import annotations

import json

from reproductions.kang2021.others import DESIGNS
from reproductions.kang2021.page import PAGE, page
from reproductions.kang2021.run import NAMES, RECORD, SUITES, kang


def test_the_page_is_written_from_the_record() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(RECORD.read_text(encoding="utf-8")))


def test_every_figure_of_a_suite_is_in_the_record() -> None:
    found = {figure.name for figure in kang()}
    for suffix, (paper, _) in SUITES.items():
        if paper in json.loads(RECORD.read_text(encoding="utf-8")):
            assert {f"kang.{name}{suffix}" for name in NAMES} <= found


def test_drops_are_those_of_the_report_split_with_their_interval() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    for study in (found for found in record.values() if "modes" in found):
        rows = [*study["modes"].values(), *(row for row in study["choices"].values() if row)]
        for row in rows:
            assert row["report.accuracy_drop_low"] <= row["report.accuracy_drop"] <= row["report.accuracy_drop_high"]
        for target, row in study["choices"].items():
            if row is not None:
                kept = row["report.accuracy_drop"] <= float(target)
                assert row["met"] == (kept and row["report.accuracy_drop_high"] <= float(target) + 0.5)
                assert row["search.accuracy_drop_high"] <= float(target)


def test_every_other_way_is_charged_the_base_and_what_its_arrays_hold() -> None:
    rows = json.loads(RECORD.read_text(encoding="utf-8"))["others"]
    area = {(row["compressor"], *row["values"].values()): row["array_area_ratio"] for row in rows}

    assert [(row["compressor"], row["values"]) for row in rows] == [(name, values) for name, values in DESIGNS]
    assert area["ternary", 0.5] == area["dare", 1, 0.0] == area["dare", 1, 0.9] == 0.25
    assert area["bitdelta", "matrix"] == area["bitdelta", "channel"] == 0.1875
    assert all(row["latency_ratio"] > 1 for row in rows if row["compressor"] == "low-rank")
