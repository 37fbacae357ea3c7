"""Turn pydantic's findings into one error a person can act on."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dse.errors import DseError, PluginContractError, SpaceError, unknown_name

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a table",
    "list_type": "a list",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


@dataclass(frozen=True, slots=True)
class _Finding:
    """The first thing that pydantic found.

    Attributes:
        sort: pydantic's name for it.
        keys: path of the key below what was validated.
        message: words of pydantic, or of the validator that raised.
        expected: description of the valid values.
        value: what was found, as Python writes it.
        known: valid keys of the table that holds the key.
    """

    sort: str
    keys: tuple[int | str, ...]
    message: str
    expected: str
    value: str
    known: list[str]

    @classmethod
    def of(cls, error: ValidationError, model: type[BaseModel]) -> _Finding:
        """Read the first finding of an error that a model raised."""
        first = error.errors(include_url=False)[0]
        message, known = first["msg"].removeprefix("Value error, "), _keys(model, first["loc"][:-1])
        return cls(first["type"], first["loc"], message, _describe_expected(first), repr(first["input"]), known)


def read_error(error: ValidationError, model: type[BaseModel], path: Path | None, *prefix: object) -> DseError:
    """Build the error of a file for the first finding: file, key, expected and found value, nearest valid name.

    Args:
        error: error that pydantic raised.
        model: model of the validated table.
        path: path of the file, None without a file.
        prefix: keys above the validated table.
    """
    finding = _Finding.of(error, model)
    keys = (*prefix, *finding.keys)
    where = f"{path or 'space'}: {'.'.join(str(key) for key in keys)}" if keys else str(path or "space")
    if finding.sort == "extra_forbidden":
        return unknown_name("key", str(finding.keys[-1]), finding.known, where=where)
    if finding.sort == "missing":
        return SpaceError(f"the key {finding.keys[-1]!r} is missing", where=where)
    return SpaceError("this value is not usable", where=where, expected=finding.expected, found=finding.value)


def option_error(error: ValidationError, model: type[BaseModel], who: str, where: object) -> PluginContractError:
    """Build the error of a plugin's options for the first finding.

    Args:
        error: what pydantic raised.
        model: the plugin's options.
        who: the plugin, for the message.
        where: file and key, or other place the options came from.
    """
    finding = _Finding.of(error, model)
    key = ".".join(str(part) for part in finding.keys)
    unknown = finding.sort == "extra_forbidden"
    return PluginContractError(
        f"option {key!r} of {who} is not usable: {'there is no such option' if unknown else finding.message}",
        where=where,
        expected=f"options: {', '.join(model.model_fields) or '(none)'}",
        found=finding.value,
        fix=unknown_name("option", str(finding.keys[-1]), finding.known).fix if unknown else None,
    )


def _describe_expected(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    bounds = {
        "greater_than_equal": ("at least", "ge"),
        "less_than_equal": ("at most", "le"),
        "greater_than": ("greater than", "gt"),
    }
    if detail["type"] in bounds:
        words, key = bounds[detail["type"]]
        return f"{words} {context[key]}"
    if detail["type"] == "too_short":
        return f"at least {context['min_length']} item(s)"
    if detail["type"] == "literal_error":
        return str(context["expected"])
    if detail["type"] == "string_pattern_mismatch":
        return "letters, digits, '.', '_' and '-', beginning with a letter or digit"
    if detail["type"] == "value_error":
        return str(context["error"])
    return _EXPECTED.get(detail["type"], detail["msg"])


def _keys(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """Return the valid keys of the table at a path in a model."""
    current: Any = model
    for key in path:
        current = _below(current, key)
        if current is None:
            return []
    if not (isinstance(current, type) and issubclass(current, BaseModel)):
        return []
    return [field.alias or name for name, field in current.model_fields.items()]


def _below(annotation: Any, key: int | str) -> Any:
    """Return the type under a key of a model, dict or list, or of an optional one of these."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if key in (name, field.alias):
                return _plain(field.annotation)
        extra = annotation.__annotations__.get("__pydantic_extra__")
        if extra is None:
            return None
        module = __import__(annotation.__module__, fromlist=["_"])
        return _plain(get_args(eval(extra, vars(module)) if isinstance(extra, str) else extra)[1])  # noqa: S307  # own code
    arguments = [item for item in get_args(annotation) if item is not Ellipsis]
    return _plain(arguments[-1]) if arguments else None


def _plain(annotation: Any) -> Any:
    """Drop ``| None`` from a type."""
    if get_origin(annotation) in (Union, types.UnionType):
        left = [item for item in get_args(annotation) if item is not type(None)]
        return left[0]
    return annotation
