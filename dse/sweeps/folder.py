"""The folder of a sweep: a header, parts of the table that are whole or absent, and the front over all of them."""

import json
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dse.errors import StudyError
from dse.files import make_folder, write_text_whole, write_whole
from dse.results.columns import SCHEMA_VERSION, Column
from dse.results.files import LOG, PARETO, PROVENANCE, SPACE, SWEEP, TRIALS
from dse.results.objectives import Objective
from dse.results.pareto import mask_nondominated, study_hypervolume
from dse.results.read import damaged_table_error
from dse.results.schema import arrow_schema
from dse.results.status import Status
from dse.space.searchspace import SearchSpace
from dse.space.write import resolved_text
from dse.study.log.history import History
from dse.study.tables import provenance_text

SAME = ("study", "space_hash", "objectives", "reference_point", "accounting", "plugins", "digests", "columns", "sweep")
"""Keys of the header that must be equal for a sweep to go on."""
LEVEL = 6
"""Level of compression: higher ones take longer and save nothing."""
ROW_BYTES = 100
"""Bytes of a row on disk: less than most rows take, so that a sweep is only refused where it cannot fit."""


class SweepFolder:
    """Parts of a sweep, and the front so far.

    Args:
        folder: folder of the sweep.
        header: everything that the rows depend on.
        space: the resolved space.
        columns: columns of the rows.

    Attributes:
        front: rows of the front so far.

    Raises:
        StudyError: the folder holds another sweep or a study, or a part is damaged.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any], space: SearchSpace, columns: Sequence[Column]) -> None:
        self.path, self._header, self._space = folder, header, space
        self._objectives = space.file.objectives
        reference = space.file.reference_point
        written = [column for column in columns if column.name != "on_front"]
        self._schema, self._whole = (
            arrow_schema(items, study=space.file.name, objectives=header["objectives"], reference_point=reference)
            for items in (written, columns)
        )
        self.front = self._schema.empty_table()
        _check_header(folder, header)
        make_folder(folder / TRIALS, "the sweep's folder", "--out")
        write_text_whole(folder / SWEEP, json.dumps(header) + "\n")
        write_text_whole(folder / SPACE, resolved_text(space))
        write_text_whole(folder / PROVENANCE, provenance_text(History(sessions=(header,))))

    def _part(self, number: int) -> Path:
        return self.path / TRIALS / f"part-{number:06d}.parquet"

    def has(self, number: int) -> bool:
        """Return whether a part is written; its rows join the front."""
        file = self._part(number)
        if not file.exists():
            return False
        try:
            asked = ["status", *(item.column for item in self._objectives)]
            some = pq.ParquetFile(file).read(columns=list(dict.fromkeys(asked)), use_threads=False)
            if self._mask(some).any():
                self._join(pq.ParquetFile(file).read(use_threads=False).cast(self._schema))
        except (OSError, ValueError) as error:
            raise damaged_table_error(file, error, fix="remove this part, and sweep again: the others stay") from error
        return True

    def write(self, number: int, rows: pa.Table, *, keep_all: bool) -> None:
        """Write a part whole, with all of its rows or with those on the front so far; its rows join the front.

        Raises:
            StudyError: the disk refuses the part; the parts before it stay.
        """
        version = pa.repeat(pa.scalar(SCHEMA_VERSION, pa.int64()), len(rows))
        rows = rows.set_column(rows.schema.get_field_index("schema_version"), "schema_version", version)
        rows = rows.select(self._schema.names).cast(self._schema)
        self._join(rows)
        if not keep_all:
            rows = rows.filter(pc.is_in(rows["trial"], self.front["trial"].combine_chunks()))
        write_whole(self._part(number), partial(pq.write_table, rows, compression="zstd", compression_level=LEVEL))

    def finish(self) -> Path:
        """Write the front over all parts that are there."""
        on_front = pa.repeat(pa.scalar(value=True), len(self.front))
        place = self._whole.get_field_index("on_front")
        table = self.front.add_column(place, "on_front", on_front).cast(self._whole)
        return write_whole(self.path / PARETO, partial(pq.write_table, table))

    def volume(self) -> float | None:
        """Return the hypervolume of the front so far; None without a reference for each objective."""
        reference = self._space.file.reference_point
        if not reference or not set(reference) <= set(self.front.schema.names):
            return None
        rows = self.front.select(["status", *reference]).to_pylist()
        return study_hypervolume(rows, reference, self._objectives)

    def _join(self, rows: pa.Table) -> None:
        together = pa.concat_tables([self.front, rows.filter(pa.array(self._mask(rows)))])
        points = _points(together, self._objectives)
        mask = mask_nondominated(points, [item.maximise for item in self._objectives])
        self.front = together.filter(pa.array(mask)).combine_chunks()

    def _mask(self, rows: pa.Table) -> Any:
        """Mask the rows that may be on the front by themselves."""
        done = np.array(rows["status"].to_pylist(), dtype=object) == Status.DONE.value
        points = _points(rows, self._objectives)
        done &= np.isfinite(points).all(axis=1)
        done[done] = mask_nondominated(points[done], [item.maximise for item in self._objectives])
        return done


def _points(rows: pa.Table, objectives: Sequence[Objective]) -> Any:
    """Return the values (n, d) of the objectives; not a number where one is empty."""
    columns = [rows[item.column].to_numpy().astype(np.float64) for item in objectives]
    return np.column_stack(columns).reshape(-1, len(objectives))


def _check_header(folder: Path, header: Mapping[str, Any]) -> None:
    file = folder / SWEEP
    if (folder / LOG).exists() or (folder / TRIALS).is_file():
        raise StudyError("this folder holds a study", where=folder, fix="name another folder with --out")
    if not file.exists():
        return
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged_table_error(file, error, subject="the header", fix="sweep into another folder") from error
    now = json.loads(json.dumps(header))
    if changed := [name for name in SAME if before.get(name) != now[name]]:
        raise StudyError(
            "this sweep was begun under other conditions, so its old and new rows would not be comparable",
            where=folder,
            expected="the same space, plugins, data, number of designs and options",
            found=f"a change of {', '.join(changed)}",
            fix="name another folder with --out",
        )


def check_room(folder: Path, rows: int) -> None:
    """Refuse a sweep whose rows the disk cannot take.

    Raises:
        StudyError: there is too little room.
    """
    free, needed = shutil.disk_usage(folder).free, rows * ROW_BYTES
    if needed > free:
        raise StudyError(
            "the disk cannot take this sweep",
            where=folder,
            expected=f"at least {needed / 1e9:.1f} GB for {rows} designs",
            found=f"{free / 1e9:.1f} GB free",
            fix="ask for fewer with --designs, or keep the front alone with --keep front",
        )
