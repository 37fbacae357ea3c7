"""Forms of a text: two texts with one form count as the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pandas as pd

from dse.space.data import SameText

SKIN_TONES = range(0x1F3FB, 0x1F400)
"""Characters that change the colour of an emoji; Unicode lists them as modifiers, and other emoji as symbols."""


def words_of(text: str) -> str:
    """Return the letters and digits of a text in lower case, with a space for every other character."""
    return re.sub(r"\W+", " ", text.lower()).strip()


def exact_form(text: str) -> str:
    """Return a text in which only the width of white space and the encoding of accents do not count."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def loose_form(text: str) -> str:
    """Return a text without case and punctuation, but with vowel signs, emoji and other symbols that stand for a word.

    A text that holds nothing else keeps its exact form.
    """
    exact = exact_form(text)
    return " ".join(exact.lower().translate(_LOOSE).split()) or exact


class _Loose(dict[int, str]):
    """Table of characters, filled on use: each that does not count is a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        counts = character.isalnum() or character == "_" or kind[0] == "M" or kind == "So" or code in SKIN_TONES
        self[code] = character if counts else " "
        return self[code]


_LOOSE = _Loose()
SAME: dict[SameText, Callable[[str], str]] = {"exact": exact_form, "words": words_of}
"""Form in which equal texts are duplicates."""
ALIKE: dict[SameText, Callable[[str], str]] = {"exact": loose_form, "words": words_of}
"""Form in which equal texts must not lie in two splits."""


def row_keys(frame: pd.DataFrame, form: Callable[[str], str]) -> pd.Series[Any]:
    """Return the form of each row's text, or pair of texts, shape (n,); no bar of a text passes for the bars between two texts."""
    first = frame["text"].map(form).str.replace("|", "|\n", regex=False)
    return first + "||" + frame["text_b"].map(form)
