"""The `data` table of a task in a space file, validated."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

FILES = ("path", "train", "report")
"""Keys of a task's data that name files."""
SameText = Literal["exact", "words"]


class Strict(BaseModel):
    """A table that holds only the keys that it declares."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ArchiveSpec(Strict):
    """A file or folder inside pinned archives of the package index.

    Attributes:
        wheels: ``name==version`` of each wheel, in the order in which their parts are joined.
        sha256: hash of each wheel.
        member: path inside the wheel (or inside the zip that the parts make).
        parts: glob of the member that is one part of a split zip in each wheel; empty for a single wheel.
    """

    wheels: tuple[str, ...]
    sha256: tuple[str, ...]
    member: str
    parts: str = ""


class DataSpec(Strict):
    """Labelled text.

    Attributes:
        path: local file, beside the space file or in the data folder, or file of the data set ``hub``; a table has ``path`` or
            ``archive``.
        train: file with rows for fitting, named like ``path``; the rows of ``path`` and ``report`` are then held out.
        report: file of the report split (an official dev set), named like ``path``; without it, the split is cut from the data.
        hub: name of a data set on the Hugging Face hub.
        config: configuration of ``hub``, and ``split`` its split: the same as the path ``config/split``.
        split: split of ``hub``, instead of ``path``.
        revision: branch, tag or commit of ``hub``; by default the main branch.
        otherwise: another table with data, used where ``path`` is not a local file or table.
        format: format of the files, by default from their ending. ``lines`` applies ``pattern`` to each line.
        pattern: regular expression with groups ``text`` and ``label``.
        columns: names of the columns text, text_b, label, group.
        keep: values by column; rows with another value in such a column are dropped.
        labels: number of each class by its name in the data. It is the number of the output of a ready checkpoint.
        quoting: whether quotes delimit fields; by default they do so in CSV files only.
        same_text: texts that count as duplicates: ``exact`` ones, apart from white space, or those with the same ``words``,
            whose letters and digits are equal apart from case.
        unescape: whether HTML entities are decoded.
        group_pattern: regular expression whose first group is the group, applied to the group column.
    """

    path: str = ""
    train: str = ""
    report: str = ""
    archive: ArchiveSpec | None = None
    hub: str = ""
    config: str = ""
    split: str = ""
    revision: str = ""
    otherwise: "DataSpec | None" = None
    format: Literal["", "csv", "tsv", "jsonl", "parquet", "lines"] = ""
    encoding: str = "utf-8"
    pattern: str = ""
    columns: dict[Literal["text", "text_b", "label", "group"], str] = {}
    keep: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    labels: dict[str, Annotated[int, Field(ge=0)]] = {}
    quoting: bool | None = None
    same_text: SameText = "exact"
    unescape: bool = False
    group_pattern: str = ""

    @model_validator(mode="before")
    @classmethod
    def _named_split(cls, raw: Any) -> Any:
        """Name the rows of a split by their path in the data set."""
        if not isinstance(raw, dict) or "split" not in raw or "path" in raw:
            return raw
        return raw | {"path": f"{raw.get('config', '')}/{raw['split']}".lstrip("/")}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.path) == (self.archive is not None):
            raise ValueError("give either path or archive")
        texts = [name for role, name in self.columns.items() if role != "group"]
        if len(set(texts)) < len(texts):
            raise ValueError("columns name one column twice")
        named = [name for key in FILES if (name := getattr(self, key))]
        if len(set(named)) < len(named):
            raise ValueError(
                "path, train and report name one file twice: leave out train or report, or name other rows"
            )
        if self.archive is not None and named:
            raise ValueError("an archive holds all rows: train and report need a path")
        named_split = f"{self.config}/{self.split}".lstrip("/")
        if (self.config or self.split) and (not self.hub or self.path != named_split):
            raise ValueError("config and split name rows of a data set on the hub, instead of path")
        if self.revision and not self.hub:
            raise ValueError("only a data set on the hub has a revision")
        if self.hub and self.archive is not None:
            raise ValueError("a data set on the hub has a path, not an archive")
        return self


NO_DATA = DataSpec.model_construct()
"""Data of a task that has a number of tokens in place of text."""
