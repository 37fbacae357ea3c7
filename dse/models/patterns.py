"""Patterns that a space file or a checkpoint brings: matched within a time, since some take centuries on some texts."""

import re
import time
from collections.abc import Iterable
from typing import Any

import regex  # matches like re, and knows a time limit

LIMIT_S = 10.0
"""Time that one pattern may take over all texts, s."""


def find_each(pattern: str, texts: Iterable[str], *, anywhere: bool = False) -> list[Any]:
    """Return the match of a pattern at the beginning of each text, or ``anywhere`` in it; None where there is none.

    Raises:
        ValueError: the pattern is not a regular expression, or takes too long.
    """
    try:
        re.compile(pattern)
        compiled, end = regex.compile(pattern), time.monotonic() + LIMIT_S
        find = compiled.search if anywhere else compiled.match
        return [find(text, timeout=max(end - time.monotonic(), 1e-3)) for text in texts]
    except TimeoutError:
        raise ValueError(f"the pattern {pattern!r} takes longer than {LIMIT_S:g} s") from None
    except (re.error, regex.error) as error:
        raise ValueError(f"the pattern {pattern!r} is not a regular expression: {error}") from error


def find_group(pattern: str, texts: Iterable[str]) -> list[str]:
    """Return what the first group of a pattern matches anywhere in each text; empty where there is no match.

    Raises:
        ValueError: the pattern is not a regular expression, has no group, or takes too long.
    """
    matches = find_each(pattern, texts, anywhere=True)
    if not re.compile(pattern).groups:
        raise ValueError(f"the pattern {pattern!r} has no group in parentheses")
    return [(match[1] or "") if match else "" for match in matches]
