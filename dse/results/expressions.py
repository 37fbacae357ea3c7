"""Expressions over columns, such as ``area_mm2 * energy_uj``: Python's parser reads them, and nothing compiles or runs them."""

import ast
import math
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from dse.errors import SpaceError

MOST_LETTERS, MOST_NODES, MOST_EXPONENT = 2000, 64, 8
"""Largest number of letters of an expression, largest number of numbers, columns and operations together, and the largest exponent."""


Operation: TypeAlias = tuple[Callable[..., Any], int]
"""A function and the number of its operands."""
Step: TypeAlias = float | str | Operation
_OPERATIONS: dict[type[ast.AST], Operation] = {
    ast.Add: (operator.add, 2),
    ast.Sub: (operator.sub, 2),
    ast.Mult: (operator.mul, 2),
    ast.Div: (operator.truediv, 2),
    ast.Pow: (operator.pow, 2),
    ast.UAdd: (operator.pos, 1),
    ast.USub: (operator.neg, 1),
}
_ALLOWED = 'numbers, columns such as area_mm2 or c["area.adc"], + - * / **, and parentheses'
_REASONS = {ZeroDivisionError: "it divides by zero", OverflowError: "its result is too large"}


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. Build it with `parse`.

    Attributes:
        text: the expression in one way of writing, so that equal expressions have equal texts.
        steps: numbers, names of columns and operations, operands before their operation.
    """

    text: str
    steps: tuple[Step, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it reads, each once, in order."""
        return tuple(dict.fromkeys(step for step in self.steps if isinstance(step, str)))

    def value(self, row: Mapping[str, Any]) -> float:
        """Return the value for a row.

        Raises:
            ValueError: a column is empty, or the result is not a finite real number; the text is the reason.
        """
        stack: list[Any] = []
        try:
            for step in self.steps:
                if isinstance(step, str):
                    stack.append(_read_number(row, step))
                elif isinstance(step, float):
                    stack.append(step)
                else:
                    function, count = step
                    stack[-count:] = [function(*stack[-count:])]
        except (ZeroDivisionError, OverflowError) as error:
            raise ValueError(_REASONS[type(error)]) from error
        (result,) = stack
        if isinstance(result, complex) or not math.isfinite(result):
            raise ValueError(f"its result is {result}, which is not a finite real number")
        return float(result)


def _read_number(row: Mapping[str, Any], column: str) -> float:
    value = row.get(column)
    if value is None or math.isnan(value):
        raise ValueError(f"the column {column} is empty")
    return float(value)


@lru_cache(maxsize=256)
def parse(text: str, where: str = "") -> Expression:
    """Read an expression.

    Raises:
        SpaceError: the text is not an expression, is too long, or holds what `_ALLOWED` does not list.
    """
    if len(text) > MOST_LETTERS:
        raise _refusal("is too long", where, f"at most {MOST_LETTERS} letters", len(text))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of text such as "1if x", which is refused below
            tree = ast.parse(text.strip(), mode="eval").body
    except (
        SyntaxError,
        ValueError,
        MemoryError,
        RecursionError,
    ) as error:  # brackets in brackets, numbers of many digits
        raise _refusal("cannot be read", where, _ALLOWED, f"{text!r:.80}") from error
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    nodes = len(parts) - 2 * sum(_dotted_name(node) is not None for node in parts)
    if nodes > MOST_NODES:
        raise _refusal("is too long", where, f"at most {MOST_NODES} numbers, columns and operations", nodes)
    steps = tuple(_order_steps(tree, where))
    return Expression(ast.unparse(tree), steps)


def _order_steps(node: ast.expr, where: str) -> Iterator[Step]:
    """Yield the steps of a node, those of its operands first.

    Raises:
        SpaceError: a node is not allowed.
    """
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        yield from _order_steps(node.left, where)
        if isinstance(node.op, ast.Pow):
            _check_exponent(node.right, where)
        yield from _order_steps(node.right, where)
        yield _OPERATIONS[type(node.op)]
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATIONS:
        yield from _order_steps(node.operand, where)
        yield _OPERATIONS[type(node.op)]
    elif isinstance(node, ast.Name):
        yield node.id
    elif (name := _dotted_name(node)) is not None:
        yield name
    elif (number := _finite_number(node)) is not None:
        yield number
    else:
        raise _refusal("holds something that is not allowed", where, _ALLOWED, _shorten(node))


def _check_exponent(node: ast.expr, where: str) -> None:
    number = _finite_number(node.operand if isinstance(node, ast.UnaryOp) else node)
    if number is None or number > MOST_EXPONENT:
        expected = f"a number from -{MOST_EXPONENT} to {MOST_EXPONENT} after **"
        raise _refusal("has an exponent that is not allowed", where, expected, _shorten(node))


def _dotted_name(node: ast.expr) -> str | None:
    """Return the name of a column that is written as ``c["area.adc"]``; None for any other node."""
    match node:
        case ast.Subscript(ast.Name("c"), ast.Constant(str(name))):
            return name
    return None


def _finite_number(node: ast.expr) -> float | None:
    """Return the value of a finite number; None for any other node."""
    number = node.value if isinstance(node, ast.Constant) else None
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    with suppress(OverflowError):
        return float(number) if math.isfinite(number) else None
    return None


def _shorten(node: ast.expr) -> str:
    return f"{type(node).__name__}: {ast.unparse(node)!r:.80}"


def _refusal(fault: str, where: str, expected: str, found: object) -> SpaceError:
    return SpaceError(f"the expression {fault}", where=where or None, expected=expected, found=found)
