"""`dse validate`: score a study's front on the report split."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from dse.commands.open import open_problem
from dse.errors import StudyError
from dse.records.callbacks import ProgressCallback
from dse.results.files import SPACE
from dse.results.studies import study_folder
from dse.study.load import request
from dse.study.validate import Validation
from dse.study.validate import validate as validate_study


def validate(
    study: Path | str,
    *,
    results: Path | str = "results",
    target_drop: float | None = None,
    least: Literal["area", "energy"] = "area",
    chosen_only: bool = False,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    cluster: str | None = None,
    insecure_cluster: bool = False,
    activity: ProgressCallback | None = None,
) -> Validation:
    """Score a study's front on the report split, which no choice has seen.

    Args:
        study: name of a study, or its folder.
        results: folder that holds the studies.
        target_drop: points that a design may lose; chooses a design on the search split, and says if it keeps the
            target.
        least: quantity that the chosen design minimises among those that keep the target: area of arrays, or energy.
        chosen_only: whether to score only that design and those that a profile proposed, instead of the whole front.
        device: device that runs the models: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's cache
            folder.
        plugins: bare plugin files, besides those that the study names.
        in_process: whether to evaluate in this process, as for `run`.
        cluster: cluster whose workers measure scores, as for `run`.
        insecure_cluster: whether a connection without encryption may leave this machine.
        activity: callback for downloads, fine-tuning and scoring.

    Raises:
        StudyError: there is no such study, the study is running, was begun under other conditions, or was not scored.
    """
    folder = study_folder(study, results)
    space = folder / SPACE
    if not space.is_file():
        raise StudyError("there is no study here", where=folder, expected=f"a folder with {SPACE}, as a run writes it")

    def report_share(scored: int, total: int) -> None:
        if activity is not None:
            activity(f"scoring design {scored} of {total} on the report split", scored / total)

    wanted = request(space, device, cache, plugins, data=data)
    place: Any = {"in_process": in_process, "cluster": cluster, "insecure_cluster": insecure_cluster}
    with open_problem(wanted, activity, **place) as (problem, search_space, provenance):
        return validate_study(
            problem,
            search_space,
            folder=folder,
            provenance=provenance,
            target_drop=target_drop,
            least=least,
            chosen_only=chosen_only,
            progress=report_share,
        )
