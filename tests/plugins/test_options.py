from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

import dse
from dse.plugins.options import OptionInfo, attributes_section, option_infos
from dse.plugins.registry import Registry
from dse.records.plugin import KINDS


class Base(dse.Options):
    """Options of several.

    Attributes:
        seed: of what is drawn.
    """

    seed: int = 0


class Mine(Base):
    """Options of mine.

    Attributes:
        mode: how; a text that goes on
            in a second line.
        rates (list of float): shares: one a task.
        seed, level: as in `Base`.

    Not part of it: though it looks so.
    """

    mode: Literal["fast", "exact"] = "fast"
    rates: list[Annotated[float, Field(gt=0)]] = Field(default_factory=list)
    level: int = Field(ge=1, le=8)
    folder: Path | None = None
    bare: dict[str, int] = Field(default={"a": 1}, description="said where it is declared")


def test_names_types_defaults_and_meanings() -> None:
    assert option_infos(Mine) == (
        OptionInfo("seed", "int", False, 0, "of what is drawn."),
        OptionInfo("mode", "'fast' | 'exact'", False, "fast", "how; a text that goes on in a second line."),
        OptionInfo("rates", "list[float > 0]", False, [], "shares: one a task."),
        OptionInfo("level", "int >= 1, <= 8", True, None, ""),
        OptionInfo("folder", "Path | None", False, None, ""),
        OptionInfo("bare", "dict[str, int]", False, {"a": 1}, "said where it is declared"),
    )


def test_a_plugin_without_options_has_none() -> None:
    assert option_infos(dse.Options) == ()


@pytest.mark.parametrize("text", ["", "One line.", "One.\n\nAttributes:", "One.\n\n    Attributes of this: many"])
def test_a_docstring_without_the_section_says_nothing(text: str) -> None:
    assert attributes_section(text) == {}


def test_every_option_of_every_built_in_plugin_is_explained() -> None:
    registry = Registry().discover()
    found = {
        (name, option.name): option.meaning
        for kind in KINDS
        for name, record in registry.records(kind).items()
        for option in option_infos(record.options)
    }
    assert len(found) > 30
    assert [where for where, meaning in found.items() if not meaning] == []
