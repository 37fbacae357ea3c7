"""What plain English avoids in pages, docstrings, comments, help and messages: a list of rules, each of one of eight kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    _rule(GENITIVE, r"^of (?:[\w-]+ )?\w+s that\b", "the subject first"),
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
    _rule(PRONOUN, r"\bsays? which(?=[.,;)]|$| with\b)", '"names" and the noun'),
    _rule(PRONOUN, r"\b(?:name|choose) another(?: one)?(?=[.,;)]|$| with\b)", 'the noun after "another"'),
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
    _rule(
        FOREIGN,
        r"(?<!there )\b(?:is|are|was|were) no (?!(?:longer|more|less|larger|smaller|worse|better)\b)",
        '"is not a"',
    ),
    _rule(FOREIGN, r"\b(?:an)?other (?:[\w-]+ ){1,3}than\b", '"differs from" or "a different ... from"'),
    _rule(FOREIGN, r"\b(?:something|anything) else than\b", '"differs from" or "a value that is not"'),
    _rule(FOREIGN, r"\blisten(?:s|ing)? at\b", '"listen on"'),
    _rule(
        FOREIGN,
        r"^(?:\w+: )?(?:most|least) (?!(?:of|important|significant|likely|probable|squares|lists|trials|people|half)\b)[a-z]+",
        '"largest number of", "largest" or "smallest"',
        (CELL, NOTE, ARGUMENT),
    ),
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
CONDITION = re.compile(r"\b(?:where|if|unless|until|when|whose|what)\b", re.IGNORECASE)
TOO_LONG = Rule(LONG, CONDITION, "two sentences")
