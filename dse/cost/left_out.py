"""Costs without the tasks that do not count: their models cannot tell classes apart, so nothing is bought with them."""

from __future__ import annotations

from typing import TypeVar

Record = TypeVar("Record")
