"""One HTML file that holds figures, tables and all code and data that show them without a network."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<h1>{title}</h1>
{parts}
<script>
{library}
</script>
<script>
{code}</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a page.

    Attributes:
        key: identifier of the part in the page.
        title: heading of the part.
        html: content under the heading.
        note: sentence that explains the part.
    """

    key: str
    title: str
    html: str
    note: str = ""


def page(title: str, parts: Iterable[Part]) -> str:
    """Put parts into one page, with one copy of plotly's code."""
    here = files("dse.reports")
    return _PAGE.format(
        title=escape(title),
        style=here.joinpath("page.css").read_text(encoding="utf-8"),
        parts="\n".join(_section(part) for part in parts),
        library=get_plotlyjs(),
        code=here.joinpath("page.js").read_text(encoding="utf-8"),
    )


def figure_part(key: str, title: str, figure: go.Figure | str, note: str = "") -> Part:
    """Turn a figure, or the reason why there is none, into a part."""
    if isinstance(figure, str):
        return Part(key, title, f'<p class="note">{escape(figure)}</p>')
    figure.update_layout(template="plotly_white")
    box = f'<div class="figure" style="min-height: {figure.layout.height or 450:.0f}px"></div>'
    return Part(key, title, f"{box}\n{_embed(figure.to_json(), 'figure')}", note)


def facts_part(key: str, title: str, facts: Iterable[tuple[str, Any]], note: str = "") -> Part:
    """Turn names and values into a part with a table."""
    lines = "\n".join(f'<tr><th>{escape(name)}</th><td class="long">{_words(value)}</td></tr>' for name, value in facts)
    return Part(key, title, f"<table>\n{lines}\n</table>", note)


def choice_part(key: str, title: str, rows: Sequence[Sequence[Any]], columns: Sequence[str], note: str = "") -> Part:
    """Turn rows into a part with a table: a click on a column's name sorts, the field below the name filters."""
    data = _embed({"columns": list(columns), "rows": rows}, "table")
    return Part(key, title, f'<p class="note"></p>\n<div class="scroll"></div>\n{data}', note)


def _embed(value: Any, kind: str) -> str:
    """Embed data for the page's code. No tag can begin in the data: a task may have any name."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    safe = text.replace("<", "\\u003c")
    return f'<script type="application/json" class="{kind}">{safe}</script>'


def _section(part: Part) -> str:
    note = f'<p class="note">{escape(part.note)}</p>\n' if part.note else ""
    return f'<section id="{part.key}">\n<h2>{escape(part.title)}</h2>\n{note}{part.html}\n</section>'


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "<br>".join(f"{escape(str(name))}: {_words(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        flat = all(isinstance(item, int | float | str) for item in value)
        return escape(", ".join(map(str, value)) if flat else json.dumps(value))
    return "" if value is None else escape(str(value))
