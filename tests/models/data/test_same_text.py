from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.models.data.same_text import exact_form, loose_form, words_of


@settings(derandomize=True, max_examples=100)
@given(st.text())
def test_a_form_of_a_form_is_the_form_itself(text: str) -> None:
    for form in (words_of, exact_form, loose_form):
        once = form(text)
        assert form(once) == once
        assert once == once.strip()


@settings(derandomize=True, max_examples=100)
@given(st.text(min_size=1).filter(str.strip))
def test_a_text_has_a_form(text: str) -> None:
    assert exact_form(text)
    assert loose_form(text)


def test_alike_texts_differ_in_case_and_punctuation_alone() -> None:
    assert loose_form("It is, so it IS!") == loose_form("it is so it is")
    assert loose_form("caf\u00e9") == loose_form("cafe\u0301")
    assert loose_form("fine \U0001f600") != loose_form("fine \U0001f621")
    assert loose_form("\u0915\u093f") != loose_form("\u0915\u0940")
    assert loose_form("?!") == "?!"


@pytest.mark.parametrize("space", ["\t", "\u00a0", "\u3000", " \n "])
def test_the_width_of_white_space_does_not_count(space: str) -> None:
    assert exact_form(f" a{space}b ") == "a b"
