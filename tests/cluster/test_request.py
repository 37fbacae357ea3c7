"""Requests and scores to measure travel as text, and are the same behind the wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dse.cluster.request import pack_job, pack_request, unpack_job, unpack_request
from dse.errors import SetupError
from dse.records.design import DesignPoint
from dse.space.file import load
from dse.space.resolve import resolve
from dse.space.searchspace import default_point
from dse.study.load import Request
from tests.support.fakes import LAYERS, PARAMETERS, fake_space

SPACE = """
schema = 1
name = "sent"
plugin_files = ["own.py"]
[workload]
base = "minilm-l6"
tasks = ["trec6", "tweet_sent", "sms_spam"]
[search]
parallel = 4
objectives = ["area", {name = "worst", of = "100 * accuracy_drop_worst", goal = "min"}]
[generator]
plugins = ["independent", "shared-prefix"]
[compressor]
plugins = ["none", "two-stage"]
[scheduler]
plugins = ["fixed", "searched"]
[hardware]
plugins = ["isaac"]
isaac = { parameters = { adc_bits = {} } }
"""


def test_a_design_is_the_same_behind_the_wire() -> None:
    points = [default_point(fake_space()), default_point(fake_space(), compressor="two-stage", scheduler="searched")]
    for point in points:
        assert unpack_job(pack_job(point, 1, "search:64", 3)) == (point, 1, "search:64", 3)
    odd = DesignPoint("a", "b-c", "d", "e", {"compressor.b-c.x": ((1, 0.1 + 0.2), (True, "y")), "hardware.e.z": 1e-300})
    assert unpack_job(pack_job(odd, 0, "report", 0))[0] == odd


def test_a_request_brings_its_plugin_files_to_a_worker_that_sees_the_cache(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("# a plugin\n")
    (tmp_path / "more.py").write_text("# another\n")
    (tmp_path / "space.toml").write_text(SPACE)
    file = load(tmp_path / "space.toml")
    space = resolve(file, PARAMETERS, ("trec6", "tweet_sent", "sms_spam"), LAYERS)
    asked = Request(file, "cpu", tmp_path / "ours", (tmp_path / "more.py",))
    mark = tmp_path / "ours" / "shared-1"
    text = pack_request(asked, space, mark)
    assert set(json.loads(text)) == {"space", "device", "mark", "plugins"}

    with pytest.raises(SetupError, match=r"(?s)does not see the cache folder of the study.*ours.*--cache"):
        unpack_request(text)
    mark.parent.mkdir()
    mark.touch()
    far = unpack_request(text)
    assert (far.cache, far.device, far.space.plugin_files) == (tmp_path / "ours", "cpu", [])
    assert [path.read_text() for path in far.plugins] == ["# a plugin\n", "# another\n"]
    assert all(path.is_relative_to(tmp_path / "ours" / "sent") for path in far.plugins)
    again = resolve(far.space, PARAMETERS, ("trec6", "tweet_sent", "sms_spam"), LAYERS)
    assert again.digest == space.digest
