"""Write TOML: the standard library only reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")


def toml_text(table: Mapping[str, Any]) -> str:
    """Text of a table; sub-tables get a heading each, tables inside lists and of scalars only stay inline."""
    lines: list[str] = []
    _write(table, (), lines)
    return "\n".join(lines).strip() + "\n"


def _write(table: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping) and _has_heading(value, path)}
    if path:
        lines.extend(["", f"[{'.'.join(_key(part) for part in path)}]"])
    lines.extend(f"{_key(key)} = {toml_value(value)}" for key, value in table.items() if key not in inner)
    for key, value in inner.items():
        _write(value, (*path, key), lines)


def _has_heading(value: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Short tables of scalars below the first level read better inline."""
    return not path or any(isinstance(item, Mapping) for item in value.values())


def _key(key: str) -> str:
    return key if _BARE.match(key) else json.dumps(key, ensure_ascii=False)


def toml_value(value: Any) -> str:
    """Text of a value; tables are inline, and what they do not set is left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but DEL must be escaped in TOML only.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {toml_value(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, int | float):
        return repr(value)
    return value.isoformat() if hasattr(value, "isoformat") else toml_value(str(value))
