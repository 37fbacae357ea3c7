"""Exported folders that were copied, edited or made by others, and places where an export is to be written."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

import dse
from dse.exports.files import write_manifest
from dse.exports.manifest import MANIFEST, seal
from tests.support.campaign import Campaign, Case, Home, Words

EXPORTS = Campaign()
case = EXPORTS.case
VERIFY = ("export", "--verify", "chip")
DELTA = "chip/delta-rating.safetensors"
WRITE = ("--device", "cpu", "-q")


def seal_again(home: Home) -> None:
    """Write the digests that belong to files which were changed, as a stranger with bad intentions would."""
    path = home.folder / "chip" / MANIFEST
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["digest"], content["files"]
    path.unlink()
    write_manifest(path.parent, content)


def answer(task: str = "rating") -> object:
    """Load the export and let a model answer."""
    return dse.load_export("chip", device="cpu").model(task)(["good film", "bad plot"])


def verifies(
    name: str, kind: str, change: Callable[[Home], object], *told: str, status: int = 1, quick: bool = False
) -> None:
    """Add a case of `dse export --verify`; a difference is told with its file."""

    def make(home: Home) -> Words:
        change(home)
        return VERIFY

    EXPORTS.add(name, Case(kind, make, status, told, (), None, quick))


def loads(
    name: str,
    kind: str,
    change: Callable[[Home], object],
    *told: str,
    status: int = 1,
    use: Callable[[], object] = answer,
    quick: bool = False,
) -> None:
    """Add a case of `load_export` on a folder whose digests agree with what was changed."""

    def make(home: Home) -> Words:
        change(home)
        seal_again(home)
        return use

    EXPORTS.add(name, Case(kind, make, status, (*(("chip",) if status else ()), *told), (), None, quick))


def scores(name: str, kind: str, change: Callable[[Home], object], *told: str, use: Callable[[], object]) -> None:
    """Add a case of rows that cannot be scored; the message names the task."""

    def make(home: Home) -> Words:
        change(home)
        seal_again(home)
        return use

    EXPORTS.add(name, Case(kind, make, 1, ("where: task 'verdict'", *told)))


# what copying does
def convert_line_ends(home: Home) -> None:
    for path in (home.folder / "chip").rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


verifies("windows_line_ends", "copies", convert_line_ends, "export.json", quick=True)
verifies(
    "a_mark_at_the_start",
    "copies",
    lambda home: home.write("chip/export.json", b"\xef\xbb\xbf" + (home.folder / "chip/export.json").read_bytes()),
    "export.json",
)
verifies("a_file_of_the_desktop", "copies", lambda home: home.write("chip/.DS_Store", b"\0"), "unexpected: .DS_Store")
verifies(
    "a_file_in_other_letters",
    "copies",
    lambda home: (home.folder / "chip/README.md").rename(home.folder / "chip/Readme.md"),
    "missing: README.md",
    "unexpected: Readme.md",
)
verifies(
    "a_cut_file", "copies", lambda home: os.truncate(home.folder / DELTA, 1000), "changed: delta-rating.safetensors"
)
verifies(
    "a_sparse_file",
    "copies",
    lambda home: home.write(DELTA, b"\0" * (home.folder / DELTA).stat().st_size),
    "changed: delta-rating.safetensors",
)
verifies("another_time", "copies", lambda home: os.utime(home.folder / DELTA, (0, 0)), status=0)
verifies("other_rights", "copies", lambda home: (home.folder / DELTA).chmod(0o444), status=0)
verifies("an_empty_folder_inside", "copies", lambda home: (home.folder / "chip/more").mkdir(), status=0)


# kinds of files
def replace(home: Home, make: Callable[[Path], object], name: str = DELTA) -> None:
    path = home.folder / name
    path.unlink()
    make(path)


verifies(
    "a_fifo", "devices", lambda home: replace(home, os.mkfifo), "no regular file: delta-rating.safetensors", quick=True
)
verifies(
    "a_device",
    "devices",
    lambda home: replace(home, lambda path: path.symlink_to("/dev/zero")),
    "no regular file: delta-rating.safetensors",
)
verifies("a_fifo_as_the_design", "devices", lambda home: replace(home, os.mkfifo, "chip/export.json"), "export.json")
verifies(
    "an_endless_design",
    "devices",
    lambda home: replace(home, lambda path: path.symlink_to("/dev/zero"), "chip/export.json"),
    "export.json",
)
verifies("a_fifo_more", "devices", lambda home: os.mkfifo(home.folder / "chip/more"), "more")
verifies("a_loop_of_links_more", "links", lambda home: (home.folder / "chip/tokenizer/up").symlink_to(".."), "up")


def link_whole(home: Home) -> None:
    (home.folder / "chip").rename(home.folder / "real")
    (home.folder / "chip").symlink_to("real")


def link_folder(home: Home) -> None:
    (home.folder / "chip/tokenizer").rename(home.folder / "elsewhere")
    (home.folder / "chip/tokenizer").symlink_to("../elsewhere")


verifies("a_link_as_a_folder", "links", link_folder, "tokenizer")
verifies(
    "a_link_to_the_whole",
    "links",
    link_whole,
    status=0,
)
loads("a_hard_link", "links", lambda home: os.link(home.folder / DELTA, home.folder / "more"), status=0)


# the file of the design
def designs(
    name: str,
    change: Callable[[str], str | bytes],
    *told: str,
    sealed: bool = False,
    quick: bool = False,
    kind: str = "values",
) -> None:
    """Add a case of a changed `export.json`."""

    def make(home: Home) -> Words:
        path = home.folder / "chip" / MANIFEST
        text = change(path.read_text(encoding="utf-8"))
        if sealed:
            assert isinstance(text, str)
            content = json.loads(text)
            content.pop("digest", None)
            text = seal(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return answer

    EXPORTS.add(name, Case(kind if sealed else "seals", make, 1, ("export.json", *told), (), None, quick))


def put(text: str, *keys: str, value: Any) -> str:
    content = json.loads(text)
    table = content
    for key in keys[:-1]:
        table = table[key]
    table[keys[-1]] = value
    return json.dumps(content)


designs("no_digest", lambda text: put(text, "digest", value=None))
designs("a_digest_of_others", lambda text: put(text, "digest", value="0" * 24), quick=True)
designs("more_behind_the_end", lambda text: text + "{}")
designs("an_empty_design", lambda _: "")
designs("a_design_of_bytes", lambda _: b"\xff\xfe\0\0")
designs("a_design_that_nests", lambda _: "[" * 200_000)
designs("a_list", lambda _: "[]")
designs("a_version_that_is_true", lambda text: put(text, "schema_version", value=True), "digest", sealed=True)
designs("a_version_of_the_future", lambda text: put(text, "schema_version", value=99), "99", sealed=True)
designs("a_hundred_thousand_layers", lambda text: put(text, "workload", "encoder", "layers", value=10**5), sealed=True)
designs("negative_rows", lambda text: put(text, "geometry", "rows", value=-128), "rows", sealed=True)
designs("rows_that_are_true", lambda text: put(text, "geometry", "rows", value=True), "rows", sealed=True)
designs("a_task_of_escapes", lambda text: text.replace('"rating"', '"\\u001b[2J"'), sealed=True)
designs(
    "an_owner_that_is_a_path",
    lambda text: put(text, "owners", value=["base.safetensors", "../robust.toml", "delta-rating.safetensors"]),
    "owners",
    sealed=True,
    kind="paths",
)
designs("an_owner_that_is_a_number", lambda text: put(text, "owners", value=[1, 2, 3]), "owners", sealed=True)
designs(
    "a_task_in_a_path",
    lambda text: put(text, "tasks", "rating", "file_name", value="../../robust"),
    "file_name",
    sealed=True,
    kind="paths",
)
designs("a_length_of_zero", lambda text: put(text, "tasks", "rating", "max_length", value=0), "max_length", sealed=True)
designs(
    "a_length_of_a_million",
    lambda text: put(text, "tasks", "rating", "max_length", value=10**6),
    "max_length",
    sealed=True,
)
designs(
    "a_spread_of_nan",
    lambda text: put(text, "tasks", "rating", "scaling", value={"mean": 0.0, "spread": float("nan")}),
    "scaling",
    sealed=True,
)
designs(
    "a_spread_of_text",
    lambda text: put(text, "tasks", "rating", "scaling", value={"mean": "0", "spread": 1}),
    "scaling",
    sealed=True,
)
designs("a_size_that_is_negative", lambda text: put(text, "files", "README.md", "bytes", value=-1), sealed=True)
designs(
    "an_empty_name_of_a_file",
    lambda text: put(text, "files", "", value={"bytes": 0, "sha256": "0" * 64}),
    sealed=True,
    kind="paths",
)
designs(
    "a_name_with_a_zero_byte",
    lambda text: put(text, "files", "a\0b", value={"bytes": 0, "sha256": "0" * 64}),
    sealed=True,
    kind="paths",
)
designs(
    "a_name_with_a_backslash",
    lambda text: put(text, "files", "..\\x", value={"bytes": 0, "sha256": "0" * 64}),
    sealed=True,
    kind="paths",
)
designs(
    "a_class_twice", lambda text: put(text, "tasks", "verdict", "classes", value=["0", "0"]), "classes", sealed=True
)
designs(
    "a_score_of_text",
    lambda text: put(text, "tasks", "verdict", "scores", value={"search": "0.5"}),
    "scores",
    sealed=True,
)


# tensors
def header(size: int, table: object) -> bytes:
    text = json.dumps(table).encode()
    return struct.pack("<Q", size or len(text)) + text


def change_tensors(home: Home, change: Callable[[dict[str, Any]], object]) -> None:
    from safetensors import safe_open

    with safe_open(home.folder / DELTA, "np") as file:
        metadata = file.metadata()
    tensors = load_file(home.folder / DELTA)
    change(tensors)
    save_file(tensors, home.folder / DELTA, metadata)


def first(tensors: dict[str, Any]) -> str:
    return next(name for name in tensors if name.endswith(".scale"))


loads("an_endless_header", "tensors", lambda home: home.write(DELTA, header(2**62, {})), "delta-rating", quick=True)
loads(
    "offsets_beyond_the_file",
    "tensors",
    lambda home: home.write(DELTA, header(0, {"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}})),
    "delta-rating",
)
loads(
    "a_shape_beyond_memory",
    "tensors",
    lambda home: home.write(DELTA, header(0, {"x": {"dtype": "F32", "shape": [2**40, 2**30], "data_offsets": [0, 0]}})),
    "delta-rating",
)
loads(
    "no_metadata",
    "tensors",
    lambda home: save_file(load_file(home.folder / DELTA), home.folder / DELTA),
    "delta-rating",
    "nothing called 'dse'",
)
loads(
    "a_pickle", "tensors", lambda home: home.write(DELTA, b"\x80\x04cos\nsystem\n(S'touch hacked'\ntR."), "delta-rating"
)
loads(
    "a_tensor_more",
    "tensors",
    lambda home: change_tensors(home, lambda t: t.update(more=np.zeros(3, np.float32))),
    status=0,
)
loads(
    "a_scale_of_infinity",
    "tensors",
    lambda home: change_tensors(home, lambda t: t[first(t)].fill(np.inf)),
    "delta-rating",
)
loads(
    "no_codes",
    "tensors",
    lambda home: change_tensors(home, lambda t: t.pop(first(t).replace(".scale", ".codes"))),
    "nothing called '",
    "terms.0.codes'",
)
loads(
    "no_scale",
    "tensors",
    lambda home: change_tensors(home, lambda t: t.pop(first(t))),
    "nothing called '",
    "terms.0.scale'",
)
loads(
    "a_scale_in_64_bits",
    "tensors",
    lambda home: change_tensors(home, lambda t: t.update({first(t): t[first(t)].astype(np.float64)})),
    status=0,
)
loads(
    "a_scale_of_whole_numbers",
    "tensors",
    lambda home: change_tensors(home, lambda t: t.update({first(t): t[first(t)].astype(np.int64)})),
    "owner 2",
)
loads(
    "the_tensors_of_another_task",
    "tensors",
    lambda home: shutil.copy(home.folder / "chip/delta-verdict.safetensors", home.folder / DELTA),
    "rating",
)


# tokenizers
def change_json(home: Home, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    path = home.folder / name
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


TOKENIZER, SETTINGS = "chip/tokenizer/tokenizer.json", "chip/tokenizer/tokenizer_config.json"


def add_code(home: Home) -> None:
    home.write("chip/tokenizer/theirs.py", "open('hacked', 'w')\nraise SystemExit\n")
    change_json(
        home,
        SETTINGS,
        lambda c: c.update(auto_map={"AutoTokenizer": ["theirs.Theirs", None]}, tokenizer_class="Theirs"),
    )


loads("a_tokenizer_with_code", "tokenizers", add_code, "tokenizer")
loads("a_tokenizer_that_is_not", "tokenizers", lambda home: home.write(TOKENIZER, "{}"), "tokenizer", quick=True)
loads("a_tokenizer_of_bytes", "tokenizers", lambda home: home.write(TOKENIZER, b"\xff\0"), "tokenizer")
loads(
    "a_word_beyond_the_embeddings",
    "tokenizers",
    lambda home: change_json(home, TOKENIZER, lambda c: c["model"]["vocab"].update(good=999)),
    "tokenizer",
)
loads("settings_that_are_a_list", "tokenizers", lambda home: home.write(SETTINGS, "[]"), "tokenizer")
loads(
    "a_class_of_another_tokenizer",
    "tokenizers",
    lambda home: change_json(home, SETTINGS, lambda c: c.update(tokenizer_class="NoSuchTokenizer")),
    status=0,
)


# tables
def change_table(home: Home, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = home.folder / "chip" / name
    change(pd.read_parquet(path)).to_parquet(path)


def read_arrays() -> object:
    return dse.load_export("chip", device="cpu").arrays()


def score_rows() -> object:
    return dse.load_export("chip", device="cpu").score("verdict")


loads(
    "arrays_without_a_column",
    "tables",
    lambda home: change_table(home, "arrays.parquet", lambda t: t.drop(columns=t.columns[0])),
    "arrays.parquet",
    use=read_arrays,
)
loads(
    "arrays_of_text",
    "tables",
    lambda home: change_table(home, "arrays.parquet", lambda t: t.astype(str)),
    "arrays.parquet",
    use=read_arrays,
)
scores(
    "rows_without_labels",
    "tables",
    lambda home: change_table(home, "rows/verdict.parquet", lambda t: t.drop(columns="label")),
    "label",
    use=score_rows,
)
scores(
    "rows_of_a_class_that_is_not",
    "tables",
    lambda home: change_table(home, "rows/verdict.parquet", lambda t: t.assign(label="7")),
    "verdict",
    "7",
    use=score_rows,
)
scores(
    "rows_of_no_split",
    "tables",
    lambda home: change_table(home, "rows/verdict.parquet", lambda t: t.assign(split="none")),
    "verdict",
    use=score_rows,
)
scores(
    "texts_that_are_empty",
    "tables",
    lambda home: change_table(home, "rows/verdict.parquet", lambda t: t.assign(text=None)),
    "verdict",
    use=score_rows,
)


# texts
def asks(name: str, texts: Any, *told: str, status: int = 0) -> None:
    EXPORTS.add(
        name,
        Case(
            "texts", lambda _: lambda: len(dse.load_export("chip", device="cpu").model("rating")(texts)), status, told
        ),
    )


asks("a_text_of_a_megabyte", ["good " * 200_000], "1")
asks("an_empty_text", ["", " "], "2")
asks(
    "texts_of_strange_letters",
    ["\0", "\ud83d\ude42"[:2].encode("utf-16", "surrogatepass").decode("utf-16"), "\u202egood", "e\u0301" * 50],
    "4",
)
asks("half_a_pair", ["good \ud800"], "task 'rating'", status=1)
asks("a_generator_of_texts", (text for text in ("good", "bad")), "2")
asks("half_a_pair_among_texts", ["good", "\udcff bad"], "task 'rating'", status=1)
asks("a_number_among_texts", ["good", 7], "task 'rating'", status=1)
scores(
    "numbers_as_texts",
    "tables",
    lambda home: change_table(home, "rows/verdict.parquet", lambda t: t.assign(text=7)),
    "text",
    use=score_rows,
)
scores(
    "seconds_that_are_empty",
    "tables",
    lambda home: change_table(home, "rows/verdict.parquet", lambda t: t.assign(text_b=None)),
    "text_b",
    use=score_rows,
)
loads(
    "arrays_of_fractions",
    "tables",
    lambda home: change_table(home, "arrays.parquet", lambda t: t.assign(rows=t["rows"] / 2)),
    "arrays.parquet",
    "rows",
    use=read_arrays,
)
loads(
    "arrays_without_layers",
    "tables",
    lambda home: change_table(home, "arrays.parquet", lambda t: t.drop(columns="layer")),
    "arrays.parquet",
    "layer",
    use=read_arrays,
)
loads(
    "a_mark_beyond_the_embeddings",
    "tokenizers",
    lambda home: change_json(home, TOKENIZER, lambda c: c["model"]["vocab"].update({"[CLS]": 17})),
    "tokenizer",
)
loads(
    "a_length_beyond_the_positions",
    "values",
    lambda home: change_json(home, "chip/export.json", lambda c: c["tasks"]["rating"].update(max_length=33)),
    "max_length",
)
designs(
    "a_class_of_three_twice",
    lambda text: put(text, "tasks", "verdict", "classes", value=["a", "b", "a"]),
    "classes",
    sealed=True,
)
designs(
    "classes_of_one_name",
    lambda text: put(text, "tasks", "verdict", "classes", value=["x"] * 40),
    "classes",
    sealed=True,
)


# where to write
def writes(
    name: str,
    target: str,
    *told: str,
    status: int = 1,
    prepare: Callable[[Home], object] = lambda _: None,
    study: str = "scored",
    trial: object = 0,
    kind: str = "targets",
    quick: bool = False,
) -> None:
    """Add a case of `dse export` into a folder; a refusal leaves nothing behind."""

    def make(home: Home) -> Words:
        prepare(home)
        return ("export", study, trial, target, *WRITE)

    EXPORTS.add(name, Case(kind, make, status, told, ("chip2*",) if status == 0 else (), None, quick))


writes("into_a_file", "robust.toml", "robust.toml", quick=True)
writes("into_a_full_folder", "chip", "chip", "empty")
writes("into_the_study", "results/scored", "results/scored")
writes("into_this_folder", ".", "empty")
writes("into_no_folder", "", "folder")
writes("into_a_device", "/dev/null", "/dev/null")
writes("into_proc", "/proc/chip2", "/proc/chip2")
writes("under_a_file", "robust.toml/chip2", "robust.toml")
writes(
    "into_a_link_that_leads_nowhere",
    "chip2",
    "chip2",
    prepare=lambda home: (home.folder / "chip2").symlink_to("/nowhere/x"),
)
writes("into_a_long_name", "x" * 300, "too long")
writes("into_a_name_with_a_zero_byte", "a\0b", "null byte", status=2)
writes("into_an_empty_folder", "chip2", status=0, prepare=lambda home: (home.folder / "chip2").mkdir())
writes("into_folders_that_are_not", "chip2/a/b", status=0)

# what to write
writes("a_trial_that_is_not", "chip2", "999", trial=999, kind="studies")
writes(
    "a_study_without_its_space_file",
    "chip2",
    "space.toml",
    prepare=lambda home: (home.folder / "results" / "scored" / "space.toml").unlink(),
    kind="studies",
)
writes(  # the log holds all of it
    "a_study_without_its_provenance",
    "chip2",
    status=0,
    prepare=lambda home: (home.folder / "results" / "scored" / "provenance.json").unlink(),
    kind="studies",
)
writes(
    "other_rows_than_were_scored",
    "chip2",
    "data",
    prepare=lambda home: home.change("", "good good good\t1\n", home.folder / "verdict.tsv"),
    kind="studies",
)
writes(
    "no_rows_any_more",
    "chip2",
    "verdict.tsv",
    prepare=lambda home: (home.folder / "verdict.tsv").unlink(),
    kind="studies",
)
writes(
    "another_model_than_was_scored",
    "chip2",
    "base",
    prepare=lambda home: home.change(
        '"layer_norm_eps": 1e-12', '"layer_norm_eps": 1e-05', home.folder / "model" / "config.json"
    ),
    kind="studies",
)
writes("no_model_any_more", "chip2", "model", prepare=lambda home: shutil.rmtree(home.folder / "model"), kind="studies")


@case("shell", 1, "File too large")
def a_disk_that_is_full(home: Home) -> Words:
    del home
    return "ulimit -f 8; $DSE export scored 0 chip2 --device cpu -q; S=$?; [ -e chip2 ] && ls chip2 | head; exit $S"


@case("shell", 0, "stopped with 130", "every file of chip2 is what was written", writes=("chip2/*",))
def interrupted_at_work(home: Home) -> Words:
    """The folder is there as soon as it is whole, before it is scored again."""
    del home
    return (
        "set -m; $DSE export scored 0 chip2 --device cpu -q & P=$!; for i in $(seq 300); do ls -d *chip2* > /dev/null 2>&1 && break; sleep 0.05; done; "
        "kill -INT $P; wait $P; echo stopped with $?; $DSE export --verify chip2"
    )


@case("shell", 0, "rc 0 0", "same", writes=("one/*", "two/*"))
def twice_the_same(home: Home) -> Words:
    del home
    return "$DSE export scored 0 one --device cpu -q > /dev/null; A=$?; $DSE export scored 0 two --device cpu -q > /dev/null; echo rc $A $?; diff -r one two && echo same"


@pytest.mark.parametrize("name", EXPORTS.list_params())
def test_a_hostile_export_ends_as_it_should(name: str, export_stage: Path) -> None:
    EXPORTS.judge(name, export_stage)


def test_the_campaign_is_wide() -> None:
    assert len(EXPORTS.cases) >= 30
    assert len({case.kind for case in EXPORTS.cases.values()}) >= 12
