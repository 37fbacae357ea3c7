"""Pages, docstrings, comments, help and messages are in plain English; `tests/docs/words.py` has the list, `python -m tests.docs.scanners` the findings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.scanners import ROOT, code, findings, pages, scan
from tests.docs.words import KINDS, RULES

ALLOWED = {
    "docs/accounting.md",
    "docs/crosscheck.md",
    "docs/isaac.md",
    "docs/kang2021.md",
    "docs/mgen2023.md",
    "docs/neurosim.md",
    "docs/plugins.md",
    "docs/testing.md",
    "docs/xma2.md",
    "reproductions/crosscheck/page.md.template",
    "reproductions/crosscheck/pairs.py",
    "reproductions/kang2021/page.md.template",
    "reproductions/kang2021/page.py",
    "reproductions/mgen2023/page.md.template",
    "reproductions/xma2/page.md.template",
    "reproductions/xma2/page.py",
}
"""Pages that are to be written again, and what they are written from; whoever rewrites a page takes it off."""
NOT_YET: set[str] = set()
"""Folders, or files, of code that is not clean yet, and the pages that are written from it."""

EXAMPLES = [
    ("fronted genitive", "Of what proposals are to have least.", "Minimise area or energy."),
    (
        "fronted genitive",
        "Digests of what of a task's score, one for each draw, is not in the cache.",
        "Cache keys of the task's scores that are missing, one per draw.",
    ),
    (
        "pronoun without a noun",
        "so `dse show` costs designs under three.",
        "`dse show` costs each design under three ADC laws.",
    ),
    ("pronoun without a noun", "StudyError: it does.", "StudyError: the folder already holds a study."),
    ("pronoun without a noun", "name another with --out", "name another folder with --out"),
    (
        "no verb or no subject",
        "the compressor what these owners' matrices take, the scheduler the order.",
        "The compressor says what these owners' matrices take. The scheduler sets the order.",
    ),
    ("not used so in English", "Ratios are taken to the baseline.", "Ratios are relative to the baseline."),
    ("not used so in English", "It comes to 0.", "It equals 0."),
    ("not used so in English", "what each task bears", "what each task tolerates"),
    ("not used so in English", "It is told of downloads.", "The callback receives downloads."),
    ("not used so in English", "The table is made anew.", "The table is made again."),
    ("not used so in English", "It was measured in vain.", "It was measured needlessly."),
    ("not used so in English", "A generator can be had likewise.", "A generator is available in the same way."),
    ("not used so in English", "It hangs on the ADC law.", "It depends on the ADC law."),
    ("not used so in English", "2 for a wrong word on the command line", "2 for an unknown option"),
    ("not used so in English", "| word | meaning |", "| option | meaning |"),
    ("not used so in English", "bytes that are no UTF-8", "bytes that are not UTF-8"),
    ("not used so in English", "It has another shape than the base.", "Its shape differs from the base's."),
    ("not used so in English", "| most tokens of a row |", "| largest number of tokens of a row |"),
    (
        "three conditions in one sentence",
        (
            "Where the lower end of what it loses there, 97.5 times of 100 below what it loses, still leaves a design of "
            "the front no worse in anything, it is `stopped`."
        ),
        "Screening stops a design when a known design dominates it even at the optimistic end of its 95 % interval.",
    ),
    ("two words for one thing", "Every design point has a value.", "Every design has a value."),
    ("diary", "At first there were three clusters.", "There are ten clusters."),
    ('"a" for "per"', "energy a request", "energy per request"),
    ('"a" for "per"', "ms a trial", "ms per trial"),
    ('"a" for "per"', "`trials.parquet` has one row a trial.", "`trials.parquet` has one row per trial."),
]
FINE = [
    "The time taken to run is kept, and a row no longer than that is read.",
    "One file describes a study, two sentences say what a task is, and that's a key.",
    "Return the delta, or None where there is none.",
    "The folder the user names holds one way to give a task.",
    "Each of the bits a cell holds is read, and each of the four is a plugin.",
]


def needs_no_look(path: Path, exempt: set[str]) -> bool:
    """Whether the set names a file or one of the folders that it lies in."""
    inside = path.relative_to(ROOT)
    return any(part.as_posix() in exempt for part in (inside, *inside.parents))


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_are_plain_english(path: Path) -> None:
    places = [] if needs_no_look(path, ALLOWED | NOT_YET) else scan(path)
    report = "\n".join(map(str, places))
    assert not report


def test_code_is_plain_english() -> None:
    files = [*code(), *sorted((ROOT / "spaces").glob("*.toml"))]
    places = [place for path in files if not needs_no_look(path, ALLOWED | NOT_YET) for place in scan(path)]
    report = "\n".join(map(str, places))
    assert not report


@pytest.mark.parametrize("name", sorted(ALLOWED | NOT_YET))
def test_what_is_exempt_exists_and_is_not_clean(name: str) -> None:
    files = [path for path in [*pages(), *code()] if needs_no_look(path, {name})]
    assert files, f"{name} does not exist: take it off the list"
    assert any(scan(path) for path in files), f"{name} is clean: take it off the list"


@pytest.mark.parametrize(("kind", "today", "better"), EXAMPLES)
def test_each_example_is_caught_and_its_better_wording_is_not(kind: str, today: str, better: str) -> None:
    assert kind in {place.rule.kind for place in findings(today, ".md")}
    assert not findings(better, ".md")


@pytest.mark.parametrize("text", FINE)
def test_good_english_passes(text: str) -> None:
    assert not findings(text, ".md")


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _, _ in EXAMPLES} == set(KINDS)
    assert {rule.kind for rule in RULES} <= set(KINDS)


def test_findings_have_the_line_the_words_and_the_better_wording() -> None:
    page = "# Title\n\nThis is\nfine `told` and\nthe energy a request.\n\n```sh\ntold anew\n```\n\n| `told` | told |\n"
    assert [str(place) for place in findings(page, ".md", "page.md")] == [
        'page.md:5: \'energy a request\' ("a" for "per"): write "per"',
        'page.md:11: \'told\' (not used so in English): write "callback for", "receives" or "is given"',
    ]


def test_docstrings_comments_and_messages_are_looked_at() -> None:
    module = '''"""Made anew.

Args:
    name: of the model.
    count: a number
        that hangs on it.
"""
# Told
# of it.
x = {"anew": f"measured {1} in vain"}
'''
    assert [(place.line, place.text) for place in findings(module, ".py")] == [
        (1, "anew"),
        (4, "name: of"),
        (6, "hangs on"),
        (8, "Told"),
        (10, "in vain"),
    ]
    assert [place.line for place in findings('# anew\nschema = 1\nname = "anew # told"\n', ".toml")] == [1]
