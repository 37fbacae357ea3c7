"""Other values of a plugin's options, from their types, limits and examples."""

from collections.abc import Iterator
from contextlib import suppress
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from dse.records.plugin import Options

_FACTORS = (2, 0.001, 0.5, 1000, 10, 0.1)
"""Factors of a number, those first that most often matter."""


def vary_options(usual: Options) -> Iterator[tuple[str, list[Options]]]:
    """Yield each option that has other values, with the options that differ there alone.

    Args:
        usual: the options of which one at a time gets other values. Text, lists and mappings have none but their examples
            (``Field(examples=[...])``).
    """
    for name, item in type(usual).model_fields.items():
        others: list[Options] = []
        for value in _list_values(item, getattr(usual, name)):
            with suppress(ValidationError):  # a value beyond a limit
                other = type(usual).model_validate({**usual.model_dump(), name: value})
                if getattr(other, name) != getattr(usual, name):
                    others.append(other)
        if others:
            yield name, others


def _list_values(item: FieldInfo, usual: Any) -> list[Any]:
    if item.examples:
        return list(item.examples)
    kinds = get_args(item.annotation) if get_origin(item.annotation) is not Literal else (item.annotation,)
    for kind in [one for one in kinds if one is not NoneType] or [item.annotation]:
        if get_origin(kind) is Literal:
            return list(get_args(kind))
        if kind is bool:
            return [True, False]
        if kind in (int, float):
            start = usual or 1
            return [kind(value) for value in (1, *(start * factor for factor in _FACTORS), start + 1, start - 1, 0)]
    return []
