"""The slowest check of the compressors' suites is a long proof."""

from __future__ import annotations

import pytest

from dse.testing import CompressorTests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        suite = item.getparent(pytest.Class)
        tried = isinstance(item, pytest.Function) and item.originalname == "test_every_option_changes_something"
        if tried and suite is not None and issubclass(suite.obj, CompressorTests):
            item.add_marker(pytest.mark.slow)
