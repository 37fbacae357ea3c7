"""Finds what breaks the rules of `tests/docs/words.py`: `python -m tests.docs.scanners PATH ...` prints it."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.words import ARGUMENT, CELL, CONDITION, DIARY, NOTE, PROSE, RULES, TOO_LONG, Rule

ROOT = Path(__file__).resolve().parents[2]
CODE = ("dse", "plugins", "benchmarks", "reproductions", "scripts")
HEADS = ("Args:", "Attributes:", "Raises:", "Returns:", "Yields:")


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule.

    Attributes:
        path: file, relative to the root.
        line: line number, from 1.
        text: words that were found.
        rule: the rule they break.
    """

    path: str
    line: int
    text: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r} ({self.rule.kind}): write {self.rule.better}"


@dataclass(frozen=True)
class Piece:
    """A paragraph, a table's cell, a comment or an argument's line.

    Attributes:
        text: words, code spans masked; line ends as spaces.
        lines: line number of each character.
        where: the kind of text.
    """

    text: str
    lines: tuple[int, ...]
    where: str


_SENTENCE = re.compile(r"[^.!?;]*(?:[.!?;](?!\s|$)[^.!?;]*)*(?:[.!?;](?=\s|$)|$)")
_WORDS = re.compile(r"[A-Za-z]\w*[,:]? +\w")


def findings(text: str, suffix: str, path: str = "") -> list[Finding]:
    """Places that break a rule in a text: a Markdown page, a Python module (.py), or the comments of a TOML file (.toml)."""
    pieces = _of_code(text) if suffix == ".py" else _of_toml(text) if suffix == ".toml" else _of_page(text)
    places = {item for piece in pieces for item in _of_piece(piece, path)}
    return sorted(places, key=lambda item: (item.line, item.text))


def scan(path: Path) -> list[Finding]:
    """Places that break a rule in a file; a changelog may tell a story."""
    places = findings(path.read_text(encoding="utf-8"), path.suffix, path.relative_to(ROOT).as_posix())
    return [item for item in places if not (path.name == "CHANGELOG.md" and item.rule.kind == DIARY)]


def pages() -> list[Path]:
    """Every page: those at the top, and those of `docs/`."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]


def code() -> list[Path]:
    """Every module, and every template of a page, that belongs to the project."""
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return sorted(path for path in files if path.suffix == ".py" or path.name.endswith(".md.template"))


def _of_piece(piece: Piece, path: str) -> Iterator[Finding]:
    for sentence in _SENTENCE.finditer(piece.text):
        text = sentence[0].lstrip()
        start = sentence.end() - len(text)
        for rule in RULES:
            if piece.where in rule.where:
                for match in rule.pattern.finditer(text):
                    yield Finding(path, piece.lines[start + match.start()], " ".join(match[0].split())[:60], rule)
        conditions = CONDITION.findall(text)
        if len(conditions) >= 3 and text.count(",") >= 3:
            yield Finding(path, piece.lines[start], " ".join(text.split())[:60], TOO_LONG)


def _masked(text: str) -> str:
    """Put a word without meaning, of the same length, in place of each code span and of each quotation."""
    text = re.sub(r"``.+?``|`[^`]+`", lambda match: re.sub(r"[^\n]", "x", match[0]), text, flags=re.DOTALL)
    return re.sub(r'"[^"]{1,80}"', lambda match: re.sub(r"[^\n]", "x", match[0]), text)


def _piece(lines: list[tuple[int, str]], where: str) -> Piece:
    """Join the lines of a paragraph, without links and emphasis; each character keeps its line."""
    masked = _masked("\n".join(text for _, text in lines)).split("\n")
    joined, places = "", []
    for (number, _), text in zip(lines, masked, strict=True):
        plain = re.sub(r"!?\[|\]\([^)]*\)|\]|\*\*|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|</?\w+[^>]*>", "", text).strip()
        joined += plain + " "
        places += [number] * (len(plain) + 1)
    return Piece(joined, tuple(places), where)


def _of_page(text: str) -> Iterator[Piece]:
    """Pieces of Markdown: paragraphs, items of lists, headings, and the cells of tables."""
    paragraph: list[tuple[int, str]] = []
    fenced = False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        fence = line.lstrip().startswith("```")
        table = line.startswith("|")
        item = re.match(r"\s*(?:[-*]|\d+\.) +", line)
        if paragraph and (fence or table or item or not line.strip() or line.startswith(("#", "<!--"))):
            yield _piece(paragraph, PROSE)
            paragraph = []
        if fence:
            fenced = not fenced
        elif fenced or not line.strip() or line.startswith("<!--"):
            continue
        elif table:
            yield from _of_row(number, line)
        else:
            paragraph.append((number, line[item.end() :] if item else line.lstrip("# ")))


def _of_row(number: int, line: str) -> Iterator[Piece]:
    if set(line) <= set("|-: "):
        return
    if re.match(r"\| words? \|", line):
        yield Piece(line, (number,) * len(line), CELL)
    for cell in re.split(r"(?<!\\)\|", _masked(line).strip("| ")):
        yield _piece([(number, cell)], CELL)


def _of_code(text: str) -> Iterator[Piece]:
    """Pieces of a module: comments, docstrings by paragraph and argument, and other strings of several words."""
    comments = [
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    yield from _of_comments(comments)
    for string, line in _strings(ast.parse(text)):
        if _WORDS.search(string):
            yield from _of_string(string, line)


def _strings(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Strings and their lines; a formatted one is whole, with a word without meaning for each value."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "xxx" for part in node.values), node.lineno
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, node.lineno
    else:
        for child in ast.iter_child_nodes(node):
            yield from _strings(child)


def _of_comments(comments: list[tuple[int, str]]) -> Iterator[Piece]:
    """Comments on lines that follow one another are one piece."""
    paragraph: list[tuple[int, str]] = []
    for number, text in comments:
        if paragraph and number != paragraph[-1][0] + 1:
            yield _piece(paragraph, NOTE)
            paragraph = []
        paragraph.append((number, text.lstrip("#!: ")))
    if paragraph:
        yield _piece(paragraph, NOTE)


def _of_string(text: str, first: int) -> Iterator[Piece]:
    """Paragraphs of a string; below `Args:` and the like each argument begins one, and more indented lines continue it."""
    paragraph: list[tuple[int, str]] = []
    inside = False
    for number, line in enumerate([*text.splitlines(), ""], first):
        begins = bool(inside and re.match(r"\s*\w+: ", line)) or line.strip() in HEADS
        if paragraph and (begins or not line.strip()):
            yield _piece(paragraph, ARGUMENT if inside else NOTE)
            paragraph = []
        inside = (inside and bool(line.strip())) or line.strip() in HEADS
        if line.strip() and line.strip() not in HEADS:
            paragraph.append((number, line))


def _of_toml(text: str) -> Iterator[Piece]:
    lines = enumerate(text.splitlines(), 1)
    return _of_comments([(number, line) for number, line in lines if line.startswith("#")])


def main(paths: list[str]) -> int:
    """Print the findings of files and folders, by default of everything."""
    files = [*pages(), *sorted((ROOT / "spaces").glob("*.toml")), *code()]
    chosen = [Path(path).resolve() for path in paths]
    wanted = [file for file in files if not chosen or any(file.is_relative_to(path) for path in chosen)]
    places = [item for file in wanted for item in scan(file)]
    for item in places:
        sys.stdout.write(f"{item}\n")
    return bool(places)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
