"""Every built-in plugin passes the suite of its kind, through the snippet of docs/testing.md."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

import pytest

import dse
from dse.plugins.registry import Registry
from dse.records.plugin import Kind, PluginRecord
from dse.testing import CellModelTests, CompressorTests, GeneratorTests, HardwareTests, SchedulerTests
from dse.testing.workloads import GEOMETRY

FOUND = Registry().discover()


def names(kind: Kind) -> list[str]:
    return [name for name, record in FOUND.records(kind).items() if record.build.__module__.startswith("dse_plugins.")]


class TestGenerators(GeneratorTests):
    @pytest.fixture(scope="class", params=[name for name in names("generator") if name != "mgen"])
    @classmethod
    def record(cls, request: pytest.FixtureRequest) -> PluginRecord:
        return FOUND.get("generator", request.param)


class TestOneTrunk(GeneratorTests):
    options: ClassVar[dict[str, Any]] = {"block": 16}  # a layer of the tiny workload has fewer columns than an array

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("generator", "mgen")


class TestOneTrunkWithExits(TestOneTrunk):
    options: ClassVar[dict[str, Any]] = {"block": 16, "exits": True}


class TestTwoTrunks(GeneratorTests):
    test_every_option_changes_something = None  # type: ignore[assignment]  # tiny weights come without rows to measure on

    options: ClassVar[dict[str, Any]] = {"trunks": 2}

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("generator", "mgen")


class TestTheRouteFreeOfTraining(GeneratorTests):
    test_every_option_changes_something = None  # type: ignore[assignment]  # trunks are trained, and there are no rows

    options: ClassVar[dict[str, Any]] = {"route": "free", "block": 16}

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("generator", "mgen")


class TestTheRouteFreeOfTrainingWithExits(TestTheRouteFreeOfTraining):
    options: ClassVar[dict[str, Any]] = {"route": "free", "block": 16, "exits": True}


class TestCompressors(CompressorTests):
    @pytest.fixture(scope="class", params=names("compressor"))
    @classmethod
    def record(cls, request: pytest.FixtureRequest) -> PluginRecord:
        return FOUND.get("compressor", request.param)


class TestTwoStagePerChannel(CompressorTests):
    options: ClassVar[dict[str, Any]] = {"per_channel": True}

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("compressor", "two-stage")


class TestXma2Trained(CompressorTests):
    options: ClassVar[dict[str, Any]] = {
        "route": "trained", "shares": [0.4, 0.6], "factors": "shift", "tile_rows": 16, "tile_columns": 16,
    }  # fmt: skip

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("compressor", "xma2")

    def plans(self, workload: dse.Workload) -> tuple[dse.Plan, ...]:
        """Without trunks, which it refuses: what was learnt was learnt from the base."""
        return super().plans(workload)[:3]


class TestPiggybackTrained(TestXma2Trained):
    options: ClassVar[dict[str, Any]] = {"route": "trained", "tile_rows": 16, "tile_columns": 16}

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("compressor", "piggyback")


class TestLoraTrained(TestXma2Trained):
    options: ClassVar[dict[str, Any]] = {"route": "trained", "ranks": [2, 3]}

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("compressor", "lora")


class TestSchedulers(SchedulerTests):
    @pytest.fixture(scope="class", params=names("scheduler"))
    @classmethod
    def record(cls, request: pytest.FixtureRequest) -> PluginRecord:
        return FOUND.get("scheduler", request.param)


class TestCellModels(CellModelTests):
    @pytest.fixture(scope="class", params=names("cell_model"))
    @classmethod
    def record(cls, request: pytest.FixtureRequest) -> PluginRecord:
        return FOUND.get("cell_model", request.param)


class TestHardware(HardwareTests):
    @pytest.fixture(scope="class", params=names("hardware"))
    @classmethod
    def record(cls, request: pytest.FixtureRequest) -> PluginRecord:
        return FOUND.get("hardware", request.param)


class TestIsaacWithEverythingOn(HardwareTests):
    options: ClassVar[dict[str, Any]] = {
        "gating": "tile",
        "die_mm2": 0.5,
        "tiles_per_digital_unit": 1,
        "packing": "none",
    }

    @pytest.fixture
    def record(self) -> PluginRecord:
        return FOUND.get("hardware", "isaac")


def test_every_number_of_a_geometry_has_another_value_to_try() -> None:
    assert set(GEOMETRY) == {field.name for field in fields(dse.Geometry)} - {"packing"}
    assert all(usual != other for usual, other in GEOMETRY.values())
