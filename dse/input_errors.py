"""Turn pydantic's findings into errors that tell a person what to change."""

import types
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from dse.errors import DseError, PluginContractError, SpaceError, join_errors, unknown_name

_Model = TypeVar("_Model", bound=BaseModel)
_Keys: TypeAlias = tuple[int | str, ...]
MOST_TRIED = 5
"""Largest number of times that a table is validated again without its wrong entries."""

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "dict_type": "a table",
    "list_type": "a list",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "greater_than": "greater than {gt}",
    "too_short": "at least {min_length} item(s)",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "letters, digits, '.', '_' and '-', beginning with a letter or digit",
}
"""Description of the valid values for each of pydantic's error types, with names from the context of the error."""


def validate_rest(
    model: type[_Model], raw: Any, path: Path | None, *prefix: object
) -> tuple[_Model | None, Any, list[DseError]]:
    """Validate a table, and once more without its wrong entries, which may hide what is wrong with the others.

    Args:
        model: model of the table.
        raw: the table.
        path: path of the file, None without a file.
        prefix: keys above the table.

    Returns:
        The validated table, or None if the right entries alone are not usable; these entries; and every problem.
    """
    problems: list[DseError] = []
    gone: list[_Keys] = []
    for _ in range(MOST_TRIED):
        try:
            return model.model_validate(raw), raw, problems
        except ValidationError as error:
            pairs = zip(error.errors(include_url=False), read_errors(error, model, path, *prefix), strict=True)
            problems += [one for detail, one in pairs if not any(_follows(detail["loc"], keys) for keys in gone)]
            raw, more = _drop_entries(raw, error)
            if not more:
                break
            gone += more
    return None, raw, problems


def _follows(keys: _Keys, gone: _Keys) -> bool:
    """Return whether a finding may follow from an entry that is gone: it is about a table of it, or about its list."""
    return gone[: len(keys)] == keys or (isinstance(gone[-1], int) and keys[: len(gone) - 1] == gone[:-1])


def _drop_entries(raw: Any, error: ValidationError) -> tuple[Any, list[_Keys]]:
    """Return a table without its wrong entries and without the items of lists that lack a key; and what is gone."""
    rest = deepcopy(raw)
    gone = []
    for detail in reversed(error.errors(include_url=False)):
        keys, level = detail["loc"], rest
        if detail["type"] == "missing":
            keys = keys[: max((at + 1 for at, key in enumerate(keys) if isinstance(key, int)), default=0)]
        keys = keys[:-1] if keys[-1:] == ("[key]",) else keys
        with suppress(LookupError, TypeError):  # the entry is gone already, or the loc names no entry
            for key in keys[:-1]:
                level = level[key]
            del level[keys[-1]]
            gone.append(keys)
    return rest, gone


def tell(error: DseError) -> PydanticCustomError:
    """Wrap an error for a validator, so that pydantic reports it beside its own findings."""
    return PydanticCustomError("told", "{error}", {"error": error})


def read_errors(error: ValidationError, model: type[BaseModel], path: Path | None, *prefix: object) -> list[DseError]:
    """Build the errors of a file, one per finding: file, key, expected and found value, nearest valid name.

    Args:
        error: error that pydantic raised.
        model: model of the validated table.
        path: path of the file, None without a file.
        prefix: keys above the validated table.
    """
    return [_read_detail(detail, model, path, prefix) for detail in error.errors(include_url=False)]


def _read_detail(
    detail: ErrorDetails, model: type[BaseModel], path: Path | None, prefix: tuple[object, ...]
) -> DseError:
    keys = (*prefix, *detail["loc"])
    where = f"{path or 'space'}: {'.'.join(str(key) for key in keys)}" if keys else str(path or "space")
    if detail["type"] == "told":
        error: DseError = detail["ctx"]["error"]
        error.where = where
        return error
    if detail["type"] == "extra_forbidden":
        return unknown_name("key", str(keys[-1]), _keys(model, detail["loc"][:-1]), where=where)
    if detail["type"] == "missing":
        return SpaceError(f"the key {keys[-1]!r} is missing", where=where)
    value = detail["input"]
    found = str(value).lower() if isinstance(value, bool) else repr(value)  # TOML's true is not True
    if detail["type"] == "value_error":  # a validator of ours: its sentence says what is wrong
        return SpaceError(f"this value is not usable: {detail['ctx']['error']}", where=where, found=found)
    return SpaceError("this value is not usable", where=where, expected=_describe_expected(detail), found=found)


def option_error(error: ValidationError, model: type[BaseModel], who: str, where: object) -> DseError:
    """Build the error of a plugin's options, which holds every finding.

    Args:
        error: error that pydantic raised.
        model: type of the plugin's options.
        who: name of the plugin in the message.
        where: file and key, or another place that the options came from.
    """
    return join_errors(_read_option(detail, model, who, where) for detail in error.errors(include_url=False))


def _read_option(detail: ErrorDetails, model: type[BaseModel], who: str, where: object) -> PluginContractError:
    key = ".".join(str(part) for part in detail["loc"])
    fault, fix = detail["msg"].removeprefix("Value error, "), None
    if detail["type"] == "extra_forbidden":
        fault = "there is no such option"
        fix = unknown_name("option", str(detail["loc"][-1]), _keys(model, detail["loc"][:-1])).fix
    return PluginContractError(
        f"option {key!r} of {who} is not usable: {fault}",
        where=where,
        expected=f"options: {', '.join(model.model_fields) or '(none)'}",
        found=repr(detail["input"]),
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
