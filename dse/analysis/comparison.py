"""Facts that several studies must share before their designs are compared, and the facts in which they differ."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dse.errors import DseError, StudyError
from dse.results.baseline import baseline_metrics, baseline_scores
from dse.results.columns import task_names
from dse.results.files import PARETO, PROVENANCE, SPACE, TRIALS
from dse.results.read import damaged_table_error, read_provenance, read_table, to_frame
from dse.results.studies import Source, place
from dse.space.file import load

_SHOWN = 4
"""Facts whose values a message lists."""
_DIGESTS = {"base": "weights", "task": "weights", "weights": "trained weights", "data": "rows", "config": "settings"}
"""Subject of each kind of digest; commits of the hub (``revision``) do not count, since many hold the same content."""


def check_comparable(sources: Sequence[Source], *, anyway: bool = False) -> str:
    """Refuse studies whose designs cannot be compared.

    Each fact is compared among the studies whose files give it: tasks, digests of weights and rows, scores and costs of the
    baseline, reference hardware, traffic, precision, and the accounting of `dse`.

    Args:
        sources: studies to compare.
        anyway: whether to return the names of the facts that differ instead of refusing; editions of the accounting are
            never mixed.

    Returns:
        Names of the facts that differ, separated by commas; empty if all agree.

    Raises:
        StudyError: the studies differ, and ``anyway`` is not set.
    """
    differing = _find_differences(sources) if len(sources) > 1 else {}
    if not differing or (anyway and "accounting" not in differing):
        return ", ".join(differing)
    more = len(differing) - _SHOWN
    advice = "--anyway compares these studies, and labels them"
    if "accounting" in differing:
        advice = "columns mean something else in each edition of the accounting"
    raise StudyError(
        f"these studies cannot be compared, since they differ in {', '.join(differing)}",
        where=place(sources),
        expected="studies with the same tasks, weights, rows, baseline, reference hardware, traffic, precision and accounting",
        found="; ".join(list(differing.values())[:_SHOWN]) + (f"; and {more} more" if more > 0 else ""),
        fix=f"name studies that have all of these facts in common, or one study at a time; {advice}",
    )


def _find_differences(sources: Sequence[Source]) -> dict[str, str]:
    """Return each fact in which studies differ, with its value in each study that gives it."""
    facts = {source.study: _read_facts(source) for source in sources}
    differing = {}
    for name in dict.fromkeys(name for own in facts.values() for name in own):
        values = {study: own[name] for study, own in facts.items() if name in own}
        if len(set(values.values())) > 1:
            differing[name] = f"{name}: " + ", ".join(f"{value} in {study}" for study, value in values.items())
    return differing


def _read_facts(source: Source) -> dict[str, str]:
    """Return what the files of a study say about the conditions of its numbers, by name."""
    table, _ = read_table(source.trials)
    trials, folder = to_frame(table, source.trials), source.trials.parent
    facts = {"tasks": ", ".join(sorted(task_names(table.schema.names)))}
    if source.trials.name in (TRIALS, PARETO):  # a copy under another name may lie beside a study that is not its own
        if (folder / PROVENANCE).is_file():
            facts |= _of_sessions(folder / PROVENANCE)
        with suppress(DseError):  # a space file that is missing, or of another version, gives no fact
            space = load(folder / SPACE)
            reference = filter(None, space.reference_hardware.model_dump().values())
            facts["reference hardware"] = " ".join(map(str, reference))
            facts |= {"precision": space.search.precision, "traffic": str(space.workload.get("traffic", {}))}
    if len(trials):
        facts["accounting"] = _join_names(trials["accounting"])
    baseline = baseline_metrics(trials) | {f"score of {task}": score for task, score in baseline_scores(trials).items()}
    return facts | {f"baseline's {name}": f"{value:.8g}" for name, value in baseline.items()}


def _of_sessions(file: Path) -> dict[str, str]:
    """Return digests of a study; several values if the study was forced to continue after a change."""
    try:
        sessions = read_provenance(file)["sessions"]
        digests = [dict(session["digests"]) for session in sessions]
        facts = {}
        for name in dict.fromkeys(name for own in digests for name in own):
            kind, _, task = name.partition(".")
            subject = f"{_DIGESTS.get(kind, kind)} of {task or 'the base'}"
            if kind != "revision":
                long = None if kind == "baseline" else 8  # a sentence, and no hash
                facts[subject] = _join_names(own[name][:long] for own in digests if name in own)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise damaged_table_error(file, "no sessions with their digests", subject="the provenance") from error
    return facts


def _join_names(values: Any) -> str:
    return ", then ".join(dict.fromkeys(map(str, values)))
