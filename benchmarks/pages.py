"""Pages that are written from a template and a record, and the record itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.study.provenance import ACCOUNTING

DOCS = Path(__file__).parent.parent / "docs"
_FIELD = re.compile(r"\{\{([^#/{}]+)\}\}")
_PART = re.compile(r"^\{\{#([^{}]+)\}\}\n(.*?)^\{\{/\1\}\}\n", re.MULTILINE | re.DOTALL)


def fill(template: Path, values: Mapping[str, str | None]) -> str:
    """Return a page: the text of a template with a value in place of each ``{{name}}``.

    Args:
        template: Markdown that a writer edits.
        values: text by name. None leaves out the lines from ``{{#name}}`` to ``{{/name}}``, for what is not recorded yet.

    Raises:
        ValueError: the template names a value that does not exist, or leaves one out.
    """
    text = template.read_text(encoding="utf-8")
    named = set(_FIELD.findall(text))
    text = _PART.sub(lambda match: "" if values.get(match[1]) is None else match[2], text)
    if named != set(values):
        unknown, unused = sorted(named - set(values)), sorted(set(values) - named)
        raise ValueError(f"{template.name}: names unknown values {unknown} and leaves out {unused}")
    return _FIELD.sub(lambda match: values[match[1]] or "", text)


def say_edition(record: Mapping[str, Any]) -> str | None:
    """Return a line on the edition of the accounting that a record was measured in; None if that is today's."""
    edition = record.get("accounting", 1)
    if edition == ACCOUNTING:
        return None
    return f"Figures of accounting edition {edition}: [what has changed since](accounting.md#editions)."


def read_record(path: Path) -> dict[str, Any]:
    """Return the recorded measurements.

    Raises:
        FileNotFoundError: nothing is recorded yet.
    """
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write measurements, so that what was measured stays if the next part fails."""
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """Return a number of numpy as a number of Python, which JSON can hold."""
    return value.tolist() if hasattr(value, "tolist") else value


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def interval(row: Mapping[str, Any], prefix: str = "") -> str:
    """Return points lost, with their interval."""
    drop, low, high = (row[f"{prefix}accuracy_drop{end}"] for end in ("", "_low", "_high"))
    return f"{drop:.2f} [{low:.2f}, {high:.2f}]"
