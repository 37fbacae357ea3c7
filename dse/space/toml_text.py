"""Write TOML as space files are laid out."""

from collections.abc import Callable, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import ConvertError


def toml_text(table: Mapping[str, Any]) -> str:
    """Return the text of a table; sub-tables get a heading each, tables of scalars below these stay inline."""
    document = tomlkit.document()
    _fill(document, table, _is_table)
    return tomlkit.dumps(document).strip() + "\n"


def toml_value(value: Any) -> str:
    """Return the text of a value; tables are inline, and what they do not set is left out."""
    return str(_inline(value).as_string())


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_deep(value: Any) -> bool:
    """Whether a value is a table that holds tables: short tables of scalars read better inline."""
    return isinstance(value, Mapping) and any(map(_is_table, value.values()))


def _fill(target: Any, table: Mapping[str, Any], has_heading: Callable[[Any], bool] = _is_deep) -> None:
    """Put entries into a table: plain ones first, since a heading ends the table above it."""
    for key, value in table.items():
        if not has_heading(value):
            target.add(key, _inline(value))
    for key, value in table.items():
        if has_heading(value):
            inner = tomlkit.table(is_super_table=False)
            _fill(inner, value)
            target.add(key, inner)


def _inline(value: Any) -> Any:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update({key: _inline(item) for key, item in value.items() if item is not None})
        return table
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        array.extend(_inline(item) for item in value)
        return array
    try:
        return tomlkit.item(value)
    except ConvertError:
        return tomlkit.item(str(value))
