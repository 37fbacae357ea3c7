"""The page on limits shows what the attacks give."""

from __future__ import annotations

from benchmarks.yardstick import HEAD, PAGE, write_table


def test_the_page_has_the_outcome_of_every_attack() -> None:
    """Where it has not: `python -m benchmarks.yardstick` writes the table."""
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(HEAD) :].startswith(write_table() + "\n")
