"""Lines of a space file on which problems lie."""

import re
from collections.abc import Iterable
from pathlib import Path

from dse.errors import DseError, raise_errors

_HEADING = re.compile(r"\s*(\[\[?)([^]]+)\]")
_QUOTES = re.compile(r"[\s\"']")
_KEY = re.compile(r"\s*((?:[\w.-]+|\"[^\"]*\"|'[^']*')+)\s*=")


def raise_in_order(errors: Iterable[DseError], path: Path | None) -> None:
    """Raise the problems of a space file, if there are any, in the order of the file and with the line of each key.

    Args:
        errors: problems; the place of each ends with the file and a key.
        path: the file; None if there is none, which leaves the order as it is.
    """
    problems = list(errors)
    text = path.read_text(encoding="utf-8-sig", errors="replace") if problems and path else ""
    placed = []
    for error in (part for joined in problems for part in joined.problems or [joined]):
        file, _, key = str(error.where).rpartition(f"{path}: ")
        line = find_line(text, key.partition(", line ")[0]) if file or key != str(error.where) else 0
        if line and ", line " not in key:
            error.where = f"{error.where}, line {line}"
        placed.append((line, error))
    raise_errors(error for _, error in sorted(placed, key=lambda item: item[0]))


def find_line(text: str, key: str) -> int:
    """Return the line of a dotted key in TOML, or of the nearest table that holds it; 0 if there is none."""
    counts: dict[str, int] = {}
    table, best, line = "", "", 0
    for number, content in enumerate(text.split("\n"), 1):
        if match := _HEADING.match(content):
            table = _QUOTES.sub("", match[2])
            if match[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
            for name, count in counts.items():  # the heading of an item, or of a table in the last item
                if f"{table}.".startswith(f"{name}."):
                    table = f"{name}.{count}{table.removeprefix(name)}"
            full = table.removesuffix(".0") if match[1] == "[[" else table  # the first item stands for the whole list
        elif match := _KEY.match(content):
            full = ".".join(filter(None, (table, _QUOTES.sub("", match[1]))))
        else:
            continue
        if f"{key}.".startswith(f"{full}.") and len(full) > len(best):
            best, line = full, number
    return line
