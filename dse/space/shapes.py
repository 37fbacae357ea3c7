"""Shapes in a `[workload]` table: an encoder without weights, and tasks with numbers of tokens."""

import math
from pathlib import Path
from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from dse.errors import SpaceError
from dse.space.data import Strict

_Length = Annotated[float, Field(ge=1)]
Tokens: TypeAlias = _Length | Annotated[tuple[_Length, ...], Field(min_length=1)] | str | None
"""Numbers of tokens of a task: one, several, or a file that holds them."""
_LENGTHS = "a text file with a number of tokens, 1 or more, on each line"


class EncoderSpec(Strict):
    """Shape of an encoder without weights: layers of BERT, in these sizes.

    Attributes:
        layers, hidden, heads, ffn: number of layers, width, attention heads, and width of the feed-forward layer.
        words: number of words that have an embedding.
        positions: largest number of tokens of an input.
    """

    layers: Annotated[int, Field(ge=1, le=1000)]
    hidden: Annotated[int, Field(ge=1, le=65_536)]
    heads: Annotated[int, Field(ge=1)]
    ffn: Annotated[int, Field(ge=1, le=1_048_576)]
    words: Annotated[int, Field(ge=1, le=10_000_000)] = 30_522
    positions: Annotated[int, Field(ge=8, le=10_000_000)] = 512

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.hidden % self.heads:
            raise ValueError(f"hidden = {self.hidden} is not a multiple of heads = {self.heads}")
        return self


def read_lengths(path: Path) -> tuple[float, ...]:
    """Read numbers of tokens, one per line.

    Raises:
        SpaceError: the file cannot be read, or holds anything but numbers from 1 on.
    """
    try:
        lengths = tuple(float(line) for line in path.read_text(encoding="utf-8").split())
    except (OSError, ValueError) as error:
        raise SpaceError("numbers of tokens cannot be read", where=path, expected=_LENGTHS, found=error) from None
    if not lengths or not all(1 <= length < math.inf for length in lengths):
        wrong = [length for length in lengths if not 1 <= length < math.inf]
        raise SpaceError("a number of tokens is below 1", where=path, expected=_LENGTHS, found=wrong[:1] or "no number")
    return lengths
