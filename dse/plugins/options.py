"""A plugin's options as its author declared them: types, defaults, and meanings from the docstring."""

import inspect
import re
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined, to_jsonable_python

from dse.records.plugin import Options

_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?:\s*(.*)")


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """One option of a plugin.

    Attributes:
        name: key of the plugin's table ``options`` in a space file.
        type: type as Python writes it, with its bounds.
        required: whether the option has no default.
        default: default as JSON holds it; None also where the option may be left unset.
        meaning: text of the section ``Attributes:`` of the options class's docstring.
    """

    name: str
    type: str
    required: bool
    default: Any
    meaning: str


def option_infos(options: type[Options]) -> tuple[OptionInfo, ...]:
    """Return every option of a class, in the order of its declaration."""
    meanings: dict[str, str] = {}
    for part in reversed(options.__mro__):
        meanings |= attributes_section(vars(part).get("__doc__") or "")
    infos = []
    for name, field in options.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        plain = None if default is PydanticUndefined else to_jsonable_python(default, fallback=str)
        meaning = meanings.get(name) or field.description or ""
        text = _type(field.annotation) + _bounds(field.metadata)
        infos.append(OptionInfo(name, text, field.is_required(), plain, meaning))
    return tuple(infos)


def attributes_section(docstring: str) -> dict[str, str]:
    """Return the texts by name of the section ``Attributes:`` of a docstring in Google's style.

    A line of several names (``a, b: as in ...``) refers to another place and explains none of these names.
    """
    lines = inspect.cleandoc(docstring).splitlines()
    if "Attributes:" not in lines:
        return {}
    texts: dict[str, str] = {}
    name, indent = "", 0
    for line in lines[lines.index("Attributes:") + 1 :]:
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if text and depth == 0:
            break  # the next section
        indent = indent or depth
        if text and depth == indent:
            entry = _ENTRY.fullmatch(text)
            name, text = (entry[1], entry[2]) if entry else ("", "")
        if name and text:
            texts[name] = f"{texts[name]} {text}" if name in texts else text
    return texts


def _type(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inside[0]) + _bounds(inside[1:])
    if origin is Literal:
        return " | ".join(repr(value) for value in inside)
    if origin in (Union, types.UnionType):
        return " | ".join(_type(part) for part in inside)
    if origin is not None:
        return f"{origin.__name__}[{', '.join(_type(part) for part in inside)}]"
    if annotation is None or annotation is type(None):
        return "None"
    return "..." if annotation is Ellipsis else getattr(annotation, "__name__", str(annotation))


def _bounds(metadata: Iterable[Any]) -> str:
    """Return the limits of a number as text, such as `` >= 1``."""
    parts = [part for item in metadata for part in getattr(item, "metadata", [item])]  # a pydantic Field holds several
    texts = [f"{sign} {getattr(part, name)}" for part in parts for name, sign in _BOUNDS.items() if hasattr(part, name)]
    return f" {', '.join(texts)}" if texts else ""
