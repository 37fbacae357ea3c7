"""The content of ``export.json``, checked as a stranger's file: keys, types, sizes, and names of files in the folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import GenericAlias
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PositiveInt, ValidationError, create_model

from dse.errors import ExportError, SetupError, UnknownNameError
from dse.files import digest, is_file, sha256
from dse.input_errors import read_errors
from dse.records.geometry import Encoding, Packing
from dse.records.plan import BASE, DROPPED
from dse.records.workload import Encoder
from dse.space.workload import Metric

SCHEMA_VERSION = 2
MANIFEST = "export.json"
AGAIN = "export the design again: dse export STUDY TRIAL DIR"
BEFORE_DIGEST = b',\n "digest": '
"""End of the bytes that the digest of ``export.json`` covers."""
Count = Annotated[int, Field(ge=0)]


def _make(name: str, **types: Any) -> Any:
    """Return a pydantic model with required fields of these types."""
    fields: Any = {field: (kind, ...) for field, kind in types.items()}
    return create_model(name, __config__=ConfigDict(strict=True, allow_inf_nan=False), **fields)


_GEOMETRY = _make(
    "Geometry", rows=PositiveInt, columns=PositiveInt, cell_bits=PositiveInt, dac_bits=PositiveInt,
    input_bits=PositiveInt, adc_bits=Count, encoding=Encoding, packing=Packing,
)  # fmt: skip
_EVALUATION = _make(
    "Evaluation", precision=Literal["bf16", "fp32"], input_bits=Annotated[int, Field(ge=1, le=16)], device=str
)
_BLOCKS = _make("Blocks", rows=PositiveInt, columns=PositiveInt)
_TASK = _make(
    "Task", kind=Literal["classification", "regression"], metric=Metric, max_length=PositiveInt, classes=list[str],
    scores=dict[Literal["search", "report"], float], scaling=dict[Literal["mean", "spread"], float],
    config=dict[str, Any], file_name=Annotated[str, Field(pattern=r"^[\w.-]+$")],
)  # fmt: skip
_MANIFEST = _make(
    "Manifest", versions=dict[str, str], geometry=_GEOMETRY, evaluation=_EVALUATION, owners=list[str],
    workload=_make("Workload", encoder=Encoder),
    plan=_make("Plan", owner=list[list[int]], groups=Count, reprogrammed=_BLOCKS | None),
    tasks=GenericAlias(dict, (str, _TASK)), files=GenericAlias(dict, (str, _make("File", bytes=Count, sha256=str))),
)  # fmt: skip


def _check_agreement(manifest: Any) -> None:
    """Refuse sizes that differ, owners that do not exist, and files outside the folder.

    Raises:
        ValueError: a value does not fit the others.
    """
    encoder, groups, tasks = manifest.workload.encoder, manifest.plan.groups, manifest.tasks.values()
    sizes = [encoder.layers, encoder.heads, *(size for one in encoder.matrices for size in (one.rows, one.columns))]
    if not tasks or not encoder.matrices or min(sizes) < 1:
        raise ValueError("there is no task, no matrix, or a size of the encoder is below 1")
    if len(manifest.owners) != 1 + groups + len(tasks) or not set(manifest.owners) <= set(manifest.files):
        raise ValueError("owners does not name a file of the export for the base, each group and each task")
    if [len(row) for row in manifest.plan.owner] != [encoder.layers] * len(tasks):
        raise ValueError(f"plan.owner does not have {encoder.layers} layers for each of {len(tasks)} tasks")
    shared = {DROPPED, *range(BASE, 1 + groups)}
    if any(set(row) - shared - {1 + groups + at} for at, row in enumerate(manifest.plan.owner)):
        raise ValueError("plan.owner has a number that is neither -1, the base, a group nor the task itself")
    if not all(task.classes if task.kind == "classification" else len(task.scaling) == 2 for task in tasks):
        raise ValueError("a classification has no classes, or a regression has no mean or spread")
    if any(len(set(task.classes)) < len(task.classes) for task in tasks):
        raise ValueError("classes names one class twice")
    for name in manifest.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.as_posix() != name or set(name) & {"\\", "\0"}:
            raise ValueError(f"files has {name!r}, which is not a path inside the folder")


def seal(content: dict[str, Any]) -> str:
    """Return the text of ``export.json``, whose last key is the sha256 of all bytes before that key."""
    body = json.dumps(content, indent=1, ensure_ascii=False).removesuffix("\n}").encode()
    return (body + BEFORE_DIGEST + json.dumps(sha256(body)).encode() + b"\n}\n").decode()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the content of ``export.json``, without its digest.

    Raises:
        ExportError: the file is missing, was changed, has a newer version, or is not what `dse export` writes.
    """
    path = folder / MANIFEST
    if not is_file(path) or path.is_symlink():
        raise ExportError(
            "there is no exported design here",
            where=folder,
            expected=f"a folder with {MANIFEST}, as `dse export` writes it",
            found="nothing" if not folder.exists() else "a folder without this file" if folder.is_dir() else "a file",
        )
    with refuse_damage(path):
        text = path.read_bytes()
        content = json.loads(text)
        version, recorded = content["schema_version"], content.pop("digest")
        newer = int(version) > SCHEMA_VERSION
    if newer:
        raise ExportError(
            "this design was exported by a newer dse",
            where=path,
            expected=f"schema_version {SCHEMA_VERSION}",
            found=f"schema_version {version}",
            fix="load it with the version of dse that wrote it",
        )
    now = digest(content) if version == 1 else sha256(text.rpartition(BEFORE_DIGEST)[0])
    if now != recorded:
        raise changed_file_error(path, f"digest {recorded}", f"digest {now}")
    try:
        manifest = _MANIFEST.model_validate_json(text)
    except ValidationError as error:
        fault = read_errors(error, _MANIFEST, path)[0]
        parts = fault.what, fault.where, fault.expected, fault.found
        raise ExportError(parts[0], where=parts[1], expected=parts[2], found=parts[3], fix=AGAIN) from error
    with refuse_damage(path):
        _check_agreement(manifest)
    return dict(content)


@contextmanager
def refuse_damage(path: Path) -> Iterator[None]:
    """Turn every error into an `ExportError`: libraries raise any kind of error for a stranger's file."""
    try:
        yield
    except (ExportError, UnknownNameError, SetupError):
        raise
    except Exception as error:
        reason = str(error).replace("\n", ";")[:300]
        found = f"nothing called {reason}" if isinstance(error, KeyError) else f"{type(error).__name__}: {reason}"
        raise changed_file_error(path, "content as it was written", found) from error


def changed_file_error(path: Path, expected: str, found: str) -> ExportError:
    """Build the error for a file that is not what was written."""
    return ExportError(
        "a file of the export is not what was written", where=path, expected=expected, found=found, fix=AGAIN
    )
