"""A request as it travels to a worker: text alone, with the plugin files that the study names."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dse.errors import SetupError
from dse.files import digest, make_folder, write_text_whole
from dse.records.design import DesignPoint
from dse.records.plugin import KINDS
from dse.results.points import PREFIX, point_of
from dse.space.file import parse
from dse.space.searchspace import SearchSpace
from dse.space.write import resolved_text
from dse.study.load import Request


def pack_request(request: Request, space: SearchSpace, mark: Path) -> str:
    """Write a request as JSON.

    Args:
        request: the request.
        space: its resolved space.
        mark: file in the request's cache, by which a worker sees that it has the same cache.
    """
    files = [path.resolve() for path in (*request.space.plugin_paths, *request.plugins)]
    plugins = [[path.name, path.read_text(encoding="utf-8")] for path in files]
    bare = replace(space, file=space.file.model_copy(update={"plugin_files": []}))
    return json.dumps({"space": resolved_text(bare), "device": request.device, "mark": str(mark), "plugins": plugins})


def unpack_request(text: str) -> Request:
    """Return the request of a text, on the machine of a worker; plugin files are written into the cache by content.

    Raises:
        SetupError: the worker does not see the cache of the study.
    """
    raw = json.loads(text)
    cache, plugins = Path(raw["mark"]).parent, []
    if not Path(raw["mark"]).is_file():
        fix = "put the cache on a disk that all workers see (--cache)"
        raise SetupError("the worker does not see the cache folder of the study", where=cache, fix=fix)
    for index, (name, content) in enumerate(raw["plugins"]):
        folder = make_folder(cache / "sent" / digest([index, name, content]), "the cache folder", "--cache")
        plugins.append(write_text_whole(folder / Path(name).name, content))
    return Request(parse(tomllib.loads(raw["space"])), raw["device"], cache, tuple(plugins))


def pack_job(point: DesignPoint, task: int, split: str, chip: int) -> str:
    """Write one score to measure as JSON: a task of a design, on a split and a chip."""
    plugins: dict[str, Any] = {kind: point.plugin(kind) for kind in KINDS}
    design = plugins | {PREFIX + name: value for name, value in point.values.items()}
    return json.dumps({"design": design, "task": task, "split": split, "chip": chip})


def unpack_job(text: str) -> tuple[DesignPoint, int, str, int]:
    """Return design, index of the task, split and chip."""
    job: Mapping[str, Any] = json.loads(text)
    return point_of(job["design"]), int(job["task"]), str(job["split"]), int(job["chip"])
