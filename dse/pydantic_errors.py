"""Turn pydantic's findings into one error that tells a person what to change."""

from __future__ import annotations

import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

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
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "greater_than": "greater than {gt}",
    "too_short": "at least {min_length} item(s)",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "letters, digits, '.', '_' and '-', beginning with a letter or digit",
    "value_error": "{error}",
}
"""Description of the valid values for each of pydantic's error types, with names from the context of the error."""


def read_error(error: ValidationError, model: type[BaseModel], path: Path | None, *prefix: object) -> DseError:
    """Build the error of a file for the first finding: file, key, expected and found value, nearest valid name.

    Args:
        error: error that pydantic raised.
        model: model of the validated table.
        path: path of the file, None without a file.
        prefix: keys above the validated table.
    """
    first = error.errors(include_url=False)[0]
    keys = (*prefix, *first["loc"])
    where = f"{path or 'space'}: {'.'.join(str(key) for key in keys)}" if keys else str(path or "space")
    if first["type"] == "extra_forbidden":
        return unknown_name("key", str(keys[-1]), _keys(model, first["loc"][:-1]), where=where)
    if first["type"] == "missing":
        return SpaceError(f"the key {keys[-1]!r} is missing", where=where)
    found = repr(first["input"])
    return SpaceError("this value is not usable", where=where, expected=_describe_expected(first), found=found)


def option_error(error: ValidationError, model: type[BaseModel], who: str, where: object) -> PluginContractError:
    """Build the error of a plugin's options for the first finding.

    Args:
        error: error that pydantic raised.
        model: type of the plugin's options.
        who: name of the plugin in the message.
        where: file and key, or another place that the options came from.
    """
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    fault, fix = first["msg"].removeprefix("Value error, "), None
    if first["type"] == "extra_forbidden":
        fault = "there is no such option"
        fix = unknown_name("option", str(first["loc"][-1]), _keys(model, first["loc"][:-1])).fix
    return PluginContractError(
        f"option {key!r} of {who} is not usable: {fault}",
        where=where,
        expected=f"options: {', '.join(model.model_fields) or '(none)'}",
        found=repr(first["input"]),
        fix=fix,
    )


def _describe_expected(detail: ErrorDetails) -> str:
    template = _EXPECTED.get(detail["type"])
    return detail["msg"] if template is None else template.format(**detail.get("ctx", {}))


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
        annotation = get_type_hints(annotation).get("__pydantic_extra__")  # type of the tables with a free name
    arguments = [item for item in get_args(annotation) if item is not Ellipsis]
    return _plain(arguments[-1]) if arguments else None


def _plain(annotation: Any) -> Any:
    """Drop ``| None`` from a type."""
    if get_origin(annotation) in (Union, types.UnionType):
        left = [item for item in get_args(annotation) if item is not type(None)]
        return left[0]
    return annotation
