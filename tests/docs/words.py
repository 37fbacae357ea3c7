"""Plain English in pages, docstrings, comments, help and messages: a list of what to avoid, and the scanners that find it.

Each rule has one of eight kinds, a pattern and the better wording. `python -m tests.docs.words PATH ...` prints the findings.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("dse", "plugins", "benchmarks", "scripts")
GENITIVE = "fronted genitive"
PRONOUN = "pronoun without a noun"
VERB = "no verb or no subject"
FOREIGN = "not used so in English"
LONG = "three conditions in one sentence"
TERMS = "two words for one thing"
DIARY = "diary"
RATE = '"a" for "per"'
KINDS = (GENITIVE, PRONOUN, VERB, FOREIGN, LONG, TERMS, DIARY, RATE)
PROSE, CELL, NOTE, ARGUMENT = "prose", "cell", "note", "argument"
"""Kinds of text: a page's paragraph, the cell of a page's table, a text in code, an argument's line in a docstring."""
PAGE, FIELD = (PROSE, CELL), (CELL, ARGUMENT)
HEADS = ("Args:", "Attributes:", "Raises:", "Returns:", "Yields:")
EVERYWHERE = (PROSE, CELL, NOTE, ARGUMENT)


@dataclass(frozen=True)
class Rule:
    """What to avoid.

    Attributes:
        kind: one of `KINDS`.
        pattern: what is found, in a sentence without Markdown.
        better: what to write instead.
        where: the kinds of text that the rule is for.
    """

    kind: str
    pattern: re.Pattern[str]
    better: str
    where: tuple[str, ...] = EVERYWHERE


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


def _rule(kind: str, pattern: str, better: str, where: tuple[str, ...] = EVERYWHERE) -> Rule:
    return Rule(kind, re.compile(pattern, re.IGNORECASE), better, where)


_END = r"(?=\s*(?:[.,;:)|?]|$|(?:and|or|at|in|on|for|with|than|to|by|from|are|beside|where|if)\b))"
_NOUN = (
    r"(?:request|trial|weight|cell|task|row|design|visit|second|minute|hour|day|year|token|layer|line|chip|tile|unit|value|"
    r"study|kind|check|plugin|point|draw|column|matrix|array|score|step|cycle|turn|word|pass|input|event|piece|group|batch|"
    r"element|output|owner|key|scalar|parameter|converter|conversion|file|page|run|call|sample|vector|slice|bit|block|branch)"
)
_UNIT = (
    r"(?:energy|latency|area|ms|µs|ns|(?<!')s|mb|kb|nj|pj|µj|uj|bits?|bytes?|rows?|cells?|arrays?|once|twice|"
    r"seconds?|minutes?|hours?|requests?|tokens?|pulses|conversions|slices?|ADCs?|DACs?)"
)
_STOP = (
    r"(?!(?:behind|beside|above|below|around|against|without|onto|upon|until|among|a|an|the|to|of|in|with|for|from|as|by|at|on|is|are|has|have|and|or|than|that|makes?|gives?|into|like|when|if|where|"
    r"not|per|about|under|over|within|after|before|between|through|was|were|be|needs?|way|thing)\b)"
)
_AUX = r"(?:does|do|is|are|has|have|had|would|will|can|cannot|could|was|were)"

RULES = (
    # A sentence begins with its subject.
    _rule(GENITIVE, r"^of (?:what|which|these|those|them|two|three|each|its|all|both)\b", "the subject first"),
    _rule(GENITIVE, r"^of (?:a|an|the) [^,;.]{1,60}, (?!for example)", "the subject first"),
    _rule(GENITIVE, r"\bwhat of\b", 'a noun: "the part of"'),
    _rule(GENITIVE, r"\bof what of\b", "a noun"),
    _rule(GENITIVE, r"\bwhat in (?:it|them) (?:is|was|are)\b", "a noun"),
    _rule(GENITIVE, r"\bwhose (?:a|an|the) \w+(?: \w+)? (?:is|are)\b", '"the owner of"'),
    _rule(GENITIVE, r"\b(?:is|are) of (?:no|those|another|an? (?:newer|wrong|other))\b", "has, holds or belongs to"),
    # A pronoun, or a number, has its noun near.
    _rule(
        PRONOUN,
        r"\b(?:under|among|over|in|beside|of) (?:two|three|four|several)(?=[.;,]|$)",
        "the noun after the number",
    ),
    _rule(PRONOUN, rf"^\w+: (?:it|they|this|that|there) {_AUX}(?: (?:not|none|one|so|no))?\.?$", "what happened"),
    _rule(PRONOUN, rf"\bwhat (?:it|they) {_AUX}(?=[.;,]|$)", "the noun"),
    _rule(PRONOUN, r"\bsays? which(?=[.,;)]|$)", '"names" and the noun'),
    _rule(PRONOUN, r"^who (?!is\b)[^?]*$", '"a reader who", or another noun'),
    _rule(PRONOUN, r"^(?:which|what) (?:ones?|it is|they are)\b[^?]*$", "the noun"),
    # Each clause has a subject and a verb.
    _rule(VERB, r"[,;] (?:and )?(?:the|its) \w+ what\b", "a clause with a verb"),
    _rule(VERB, r"[,;] (?:and )?the \w+ the \w+(?=[.;,])", "a clause with a verb"),
    _rule(VERB, r"[,;] (?:and )?an? \w+ how\b", "a clause with a verb"),
    _rule(
        VERB,
        r"^\w+: (?:of|to|at(?! most| least)|from|as|by(?! default)|with|for|on|in|is|are|has|says?|told) ",
        "a noun first",
        FIELD,
    ),
    _rule(VERB, r"^(?:of|to|by(?! default)|as|at(?! most| least)) ", "a noun first", (CELL,)),
    _rule(VERB, r"^to \w+ (?:at|in|on|from|with)(?=[.;,])", "a noun first"),
    _rule(VERB, r"^likewise(?: \w+)?[.;]?$", "the whole clause"),
    _rule(VERB, r"^the same[,;]? (?:with|for|of|where|as|in)\b", "the whole clause"),
    # Words that English does not use so.
    _rule(FOREIGN, r"\b(?:is|are|was|were|be|been|still) taken to\b(?! (?:be|have|mean)\b)", '"relative to"'),
    _rule(FOREIGN, r"(?<!when it )\bcom(?:es?|ing) to (?!be\b)", '"equals", "reaches" or "results in"'),
    _rule(FOREIGN, r"\b(?:bears?|bore|borne)\b", '"tolerates"'),
    _rule(FOREIGN, r"\btold\b", '"callback for", "receives" or "is given"'),
    _rule(FOREIGN, r"\btells? of\b", '"describes"'),
    _rule(FOREIGN, r"\banew\b", '"again"'),
    _rule(FOREIGN, r"\bin vain\b", '"needlessly"'),
    _rule(FOREIGN, r"\b(?:can|could|may|to) be had\b", '"is available"'),
    _rule(FOREIGN, r"\b(?:hangs?|hung) on\b", '"depends on"'),
    _rule(FOREIGN, r"\bwrong word\b", '"unknown option"'),
    _rule(FOREIGN, r"^\| words? \| meaning", '"option | meaning" or "term | meaning"'),
    _rule(FOREIGN, r"\b(?:leans?|leant|leaned) on\b", '"depends on" or "uses"'),
    _rule(FOREIGN, r"\bat hand\b", '"available" or "current"'),
    _rule(FOREIGN, r"\bbeneath\b", '"under", or the noun: "the base\'s arrays"'),
    _rule(FOREIGN, r"(?<!look )(?<!looks )\balike\b", '"equally", "in the same way" or "similar"'),
    _rule(FOREIGN, r"\bhad better\b", '"should"'),
    _rule(FOREIGN, r"\b(?:but|save) for\b(?! (?:all|now)\b)", '"except"'),
    _rule(FOREIGN, r"\b(?:is|are|has|have) to have (?:least|most|what)\b", '"must have"'),
    _rule(FOREIGN, r"\bof before\b", '"from before" or "older"'),
    _rule(FOREIGN, r"\bin spite of\b", '"despite"'),
    _rule(FOREIGN, r"\blest\b", '"so that ... not"'),
    _rule(FOREIGN, r"\bas good as none\b", '"negligible"'),
    _rule(FOREIGN, r"\ba word of\b", '"a message of"'),
    _rule(FOREIGN, r"\bby turns\b", '"in turn"'),
    _rule(FOREIGN, r"\b(?:foresee|foresees|foresaw|foreseen)\b", '"predict"'),
    _rule(FOREIGN, r"\b(?:hereof|thereof|therein|wherein|thereby|whence|heretofore)\b", "a plain word"),
    _rule(FOREIGN, r"\bwhich \w+ agree in\b", '"have the same"'),
    _rule(FOREIGN, r"(?<!there )(?<!There )\b(?:is|are) none\b(?=[.,;]|$)", '"does not exist" or "is not one"'),
    _rule(FOREIGN, r"\bmended\b", '"fixed"'),
    # One word for one thing, defined in concepts.md.
    _rule(TERMS, r"\bdesign points?\b", '"design"'),
    _rule(TERMS, r"\brecipes?\b(?! for)", '"stored weights" or "how it is stored"', PAGE),
    _rule(
        TERMS,
        r"\b(?:hold|holds|held|stored?|resident|ternary|a task's|each task's) (?:as )?(?:an? )?differences?\b",
        '"delta"',
    ),
    _rule(TERMS, r"\blayer without its difference\b", '"delta"'),
    # A page says what is.
    _rule(DIARY, r"\bat first\b", "what holds today; history belongs into CHANGELOG.md"),
    _rule(DIARY, r"\bin the end\b", '"finally", or leave it out'),
    _rule(DIARY, r"\bno longer\b(?! than)", "what holds today"),
    _rule(DIARY, r"\bnow\b(?! and then)", "leave it out", PAGE),
    _rule(
        DIARY, r"\b(?:used to be|so far no|until now|up to now|by now|has since been|was mended)\b", "what holds today"
    ),
    # Rates.
    _rule(RATE, rf"\b{_UNIT} an? {_NOUN}\b{_END}", '"per"'),
    _rule(RATE, rf"\bone(?: {_STOP}[\w-]*[^\Ws]){{0,3}} an? {_NOUN}\b{_END}", '"per"'),
    _rule(
        RATE,
        rf"\b(?:two|three|four|\d+)(?: {_STOP}[\w-]*[^\Ws]){{0,2}} (?!(?:is|was|has|does|as|this|its)\b)(?:\w+s|[mu]m2) an? {_NOUN}\b{_END}",
        '"per"',
    ),
)
_CONDITION = re.compile(r"\b(?:where|if|unless|until|when|whose|what)\b", re.IGNORECASE)
_TOO_LONG = Rule(LONG, _CONDITION, "two sentences")
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
        conditions = _CONDITION.findall(text)
        if len(conditions) >= 3 and text.count(",") >= 3:
            yield Finding(path, piece.lines[start], " ".join(text.split())[:60], _TOO_LONG)


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
