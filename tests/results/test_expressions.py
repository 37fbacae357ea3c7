"""Expressions over columns are numbers, columns and arithmetic; any other text is refused and never run."""

from __future__ import annotations

import ast
import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import SpaceError
from dse.results.expressions import MOST_LETTERS, MOST_NODES, parse

ROW = {"a": 3.0, "b": 4.0, "area.adc": 0.5, "zero": 0.0, "lost": None, "nan": math.nan, "huge": 1e300}
CALLS: list[str] = []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a * b", 12.0),
        ('2 * c["area.adc"] - -a', 4.0),
        ("(a ** 2 + b ** 2) ** 0.5 / +1", 5.0),
        ("b ** -8", 4.0**-8),
        ("9" * 300 + " * zero", 0.0),
    ],
)
def test_an_expression_has_the_value_of_its_arithmetic(text: str, value: float) -> None:
    assert parse(text).value(ROW) == pytest.approx(value)


def test_an_expression_knows_its_columns_and_has_one_text() -> None:
    assert parse('b*a + c["area.adc"] - a').columns == ("b", "a", "area.adc")
    assert parse("a*b") == parse(" (a) * b ")
    assert parse("a*b") != parse("b*a")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a / zero", "it divides by zero"),
        ("zero ** -1", "it divides by zero"),
        ("huge ** 8", "its result is too large"),
        ("huge * huge", "its result is inf, which is not a finite real number"),
        ("huge * huge - huge * huge", "its result is nan, which is not a finite real number"),
        ("(a - b) ** 0.5", "which is not a finite real number"),
        ("a * lost", "the column lost is empty"),
        ("a * nan", "the column nan is empty"),
        ("a * absent", "the column absent is empty"),
    ],
)
def test_a_row_without_a_finite_value_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        parse(text).value(ROW)


@pytest.mark.parametrize(
    ("text", "fault", "part"),
    [
        ("CALLS.append('ran')", "not allowed", "Call"),
        ("__import__('os').system('true')", "not allowed", "Call"),
        ("a.real", "not allowed", "Attribute"),
        ("(lambda: a)()", "not allowed", "Call"),
        ("lambda: a", "not allowed", "Lambda"),
        ("[a for a in b]", "not allowed", "ListComp"),
        ("sum(a for _ in b)", "not allowed", "Call"),
        ("(a := 1)", "not allowed", "NamedExpr"),
        ("f'{a}'", "not allowed", "JoinedStr"),
        ("a if b else 1", "not allowed", "IfExp"),
        ("a < b", "not allowed", "Compare"),
        ("a // b", "not allowed", "BinOp"),
        ("a @ b", "not allowed", "BinOp"),
        ("not a", "not allowed", "UnaryOp"),
        ("c[a]", "not allowed", "Subscript"),
        ('d["area.adc"]', "not allowed", "Subscript"),
        ("True * a", "not allowed", "Constant"),
        ("2j * a", "not allowed", "Constant"),
        ("a * 1e999", "not allowed", "1e309"),
        ("9" * 1900, "not allowed", "99999"),
        ("1" + "0" * 10**6, "too long", "1000001"),
        ("10 ** 1000000000", "exponent", "1000000000"),
        ("10 ** 10 ** 9", "exponent", "10 ** 9"),
        ("a ** 9", "exponent", "9"),
        ("a ** -9", "exponent", "-9"),
        ("a ** b", "exponent", "Name"),
        ("a" + " + a" * 32, "too long", "65"),
        ("a" + "[0]" * 600, "too long", "1201"),
        ("-" * 1999 + "a", "too long", "2000"),
        ("(" * 1900, "cannot be read", "((("),
        ("(" * 900 + "a" + ")" * 900, "cannot be read", "((("),
        ("-" * 10**6 + "a", "too long", "1000001"),
        ("a +", "cannot be read", "'a +'"),
        ("a = 1", "cannot be read", "'a = 1'"),
        ("a\0", "cannot be read", "a"),
        ("\ud800", "cannot be read", "ud800"),
        ("", "cannot be read", "''"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(text: str, fault: str, part: str) -> None:
    with pytest.raises(SpaceError, match=fault) as caught:
        parse(text, "space: search.objectives.0.of")
    assert caught.value.what.startswith("the expression ")
    assert caught.value.where == "space: search.objectives.0.of"
    assert part in str(caught.value.found)
    assert len(str(caught.value)) < 500
    assert not CALLS


PIECES = st.sampled_from(
    [
        *("a", "b", 'c["area.adc"]', "1", "2.5", "0", "1e308", "1e-320", "zero", "huge", "lost", "8", "9"),
        *("+", "-", "*", "/", "**", "(", ")", " ", "//", ".", ",", "[", "]", "lambda:", "if", "else", ":=", "f''"),
        *("'", '"', "\\", "\n", "#", "{", "}", "e", "j", "_", "@", "~", "not ", "for", "in", "0x", "..."),
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=40).map("".join), st.lists(PIECES).map(" ".join))


@given(TEXTS)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except SpaceError:
        return
    assert len(text) <= MOST_LETTERS
    assert len(expression.steps) <= MOST_NODES
    assert parse(expression.text) == expression
    with suppress(ValueError):
        assert math.isfinite(expression.value(ROW))


@st.composite
def arithmetic(draw: st.DrawFn, depth: int = 4) -> str:
    """Draw an expression that is allowed."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["a", "b", 'c["area.adc"]', "2", "0.5", "zero"]))
    sides = [draw(arithmetic(depth - 1)) for _ in range(2)]
    kind = draw(st.sampled_from(["+", "-", "*", "/", "**", "u"]))
    if kind == "**":
        return f"({sides[0]}) ** {draw(st.integers(-8, 8))}"
    return f"-({sides[0]})" if kind == "u" else f"({sides[0]}) {kind} ({sides[1]})"


@given(arithmetic())
@settings(derandomize=True, deadline=None, max_examples=80)
def test_a_value_is_that_of_python(text: str) -> None:
    names = {"a": 3.0, "b": 4.0, "c": {"area.adc": 0.5}, "zero": 0.0}
    try:
        value = parse(text).value(ROW)
    except ValueError:
        with pytest.raises((ZeroDivisionError, OverflowError, AssertionError)):
            assert math.isfinite(_compute(text, names))
        return
    assert value == _compute(text, names)


def _compute(text: str, names: dict[str, object]) -> float:
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            node.value = float(node.value)
    result: float = eval(compile(tree, "test", "eval"), {"__builtins__": {}}, names)
    return result
