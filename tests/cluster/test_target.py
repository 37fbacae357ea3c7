"""Clusters that a user names: each is understood, or refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dse.cluster import target
from dse.cluster.target import Target, read_target
from dse.errors import SetupError

pytest.importorskip("distributed")


def test_each_form_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": "tls://10.0.0.7:8786", "workers": {}}))
    file.chmod(0o600)
    assert read_target("local:12") == Target(workers=12)
    assert read_target("tls://node-1.site:8786") == Target("tls://node-1.site:8786")
    assert read_target(str(file)) == Target("tls://10.0.0.7:8786")
    for here in ("tcp://127.0.0.1:1", "tcp://127.8.0.1:1", "tcp://localhost:1", "tcp://[::1]:1"):
        assert read_target(here) == Target(here)


@pytest.mark.parametrize(
    "text",
    [
        "local:0",
        "local:-1",
        "local:1000",
        "local:",
        "http://host:1",
        "tls://host",
        "tls://host:port",
        "tls://a b:1",
        "no.json",
    ],
)
def test_what_names_no_cluster_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match=r"(?s)this is not a cluster.*expected: local:N, tls://HOST:PORT, or the path"):
        read_target(text)


def test_a_scheduler_file_must_hold_an_address_and_be_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    for content in ("", "[]", '{"workers": {}}', '{"address": 7}'):
        file.write_text(content)
        with pytest.raises(SetupError, match="this is not a cluster"):
            read_target(str(file))
    file.write_text('{"address": "tls://10.0.0.7:8786"}')
    file.chmod(0o622)
    with pytest.raises(SetupError, match=r"(?s)other users may write this scheduler file.*mode 622.*chmod 600"):
        read_target(str(file))


def test_nothing_leaves_the_machine_unencrypted_unless_asked(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text('{"address": "tcp://10.0.0.7:8786"}')
    file.chmod(0o600)
    for text in ("tcp://10.0.0.7:8786", "tcp://localhost.site:8786", "tcp://0.0.0.0:8786", str(file)):
        with pytest.raises(SetupError, match=r"(?s)not encrypted.*--insecure-cluster"):
            read_target(text)
        assert read_target(text, insecure=True).address.startswith("tcp://")


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "find_spec", lambda name: None if name == "cryptography" else object())
    with pytest.raises(SetupError, match=r"(?s)--cluster needs cryptography.*\[cluster\]"):
        read_target("local:2")
