"""Lines of keys in a space file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dse.errors import DataError, DseError, SpaceError
from dse.space.lines import find_line, raise_in_order

TEXT = """schema = 1
[workload]
tasks = [
  "trec6",
]
[[work.tasks]]
name = "a"
[work.tasks.data]
path = "a.tsv"
[[work.tasks]]
name = "b"
data = { path = "b.tsv" }
[search.constraints]
"score.b" = { min = 0.5 }
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("schema", 1),
        ("workload.tasks.0", 3),
        ("work.tasks.0.data.path", 9),
        ("work.tasks.0.rate", 6),
        ("work.tasks.1.name", 11),
        ("work.tasks.1.data.path", 12),
        ("search.constraints.score.b", 14),
        ("search.trials", 0),
        ("schem", 0),
    ],
)
def test_a_key_has_the_line_of_its_entry_or_of_the_nearest_table(key: str, line: int) -> None:
    assert find_line(TEXT, key) == line


def test_problems_come_in_the_order_of_the_file_once_each(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(TEXT, encoding="utf-8")
    last = SpaceError("last", where=f"{path}: search.constraints.score.b")
    first = DataError("first", where=f"/data/b.tsv, {path}: work.tasks.1")

    with pytest.raises(SpaceError) as caught:
        raise_in_order([last, first, last], path)

    assert [error.where for error in caught.value.problems] == [
        f"/data/b.tsv, {path}: work.tasks.1, line 10",
        f"{path}: search.constraints.score.b, line 14",
    ]
    with pytest.raises(DseError, match="last") as alone:
        raise_in_order([last], path)
    assert str(alone.value.where).count("line") == 1
    raise_in_order([], path)
