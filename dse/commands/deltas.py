"""`dse deltas`: how far fine-tuning moved each task from the base."""

from pathlib import Path

import pandas as pd

from dse.records.callbacks import ProgressCallback
from dse.space.lines import raise_in_order
from dse.space.workload import parse
from dse.study.load import request


def deltas(
    space: Path | str,
    *,
    per_channel: bool = False,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    activity: ProgressCallback | None = None,
) -> pd.DataFrame:
    """Compare every task's fine-tuned matrices with the base's, layer by layer.

    Args:
        space: the space file; only its workload counts. Tasks that are not fine-tuned yet are fine-tuned first.
        per_channel: whether each output of a matrix has an 8-bit grid of its own.
        device: device that runs the models: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads and fine-tuned models; by default ``$DSE_CACHE``, or the user's cache folder.
        activity: callback for downloads and fine-tuning.

    Returns:
        Columns task, layer ("all" for the whole task), cosine, nonzero, magnitude, largest, saturated; see
        `dse.analysis.deltas.DeltaStatistics`.

    Raises:
        SpaceError: the space file is not usable.
    """
    from dse.analysis.deltas import statistics
    from dse.models.shapes import load as load_workload

    wanted = request(space, device, cache, data=data)
    raise_in_order(wanted.problems, wanted.space.path)
    spec = parse(wanted.space.workload, path=wanted.space.path)
    loaded = load_workload(spec, cache=wanted.cache, device=device, progress=activity)
    return pd.DataFrame(list(statistics(loaded, per_channel=per_channel)))
