"""Outputs of a ready checkpoint: how many there are, and what each means."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transformers import PretrainedConfig

from dse.errors import CheckpointError
from dse.files import is_file
from dse.models.adapters import count_outputs, read_adapter
from dse.models.checkpoints import load_config
from dse.models.hub import quiet

DEFAULT_NAME = re.compile(r"LABEL_(\d+)")
"""Pattern of the names that transformers gives to outputs without names."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Outputs of a checkpoint's head.

    Attributes:
        source: folder or hub name of the checkpoint.
        count: number of outputs.
        names: name of each output by its number; empty if the checkpoint does not name them.
    """

    source: str
    count: int
    names: Mapping[int, str]


def read_outputs(source: str, base: str = "") -> Outputs:
    """Read the outputs of a checkpoint from ``id2label`` and ``label2id`` of its configuration.

    Args:
        source: folder or hub name of the checkpoint.
        base: folder or hub name of the base, which decides what the classifier of an adapter is. An adapter needs no
            configuration of the model.

    Raises:
        CheckpointError: the two tables disagree, or they name an output that does not exist, or two outputs have the same name.
        SourceError: no model has this name.
    """
    adapter = read_adapter(source)
    count = count_outputs(adapter, base) if adapter else int(load_config(source).num_labels or 0)
    if adapter and not is_file(f"{source}/config.json"):
        return Outputs(source, count, {})
    with quiet():
        raw: dict[str, Any] = PretrainedConfig.get_config_dict(source)[0]
    return outputs_of(source, count, raw.get("id2label") or {}, raw.get("label2id") or {})


def outputs_of(source: str, count: int, by_number: Mapping[Any, Any], by_name: Mapping[Any, Any]) -> Outputs:
    """Build the outputs of a head from the two tables of a configuration; see `read_outputs`."""
    try:
        first = {int(number): str(name) for number, name in by_number.items()}
        second = {int(number): str(name) for name, number in by_name.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise CheckpointError("id2label or label2id is not a table", where=source, found=error) from error
    same = sorted(name for name, count in Counter(first.values()).items() if count > 1)
    if same:
        raise CheckpointError(
            "two outputs of a checkpoint have the same name",
            where=source,
            expected="another name for each output",
            found=f"id2label: {first}",
            fix="correct id2label in config.json: only its author knows which output means which class",
        )
    usual = [{number: f"LABEL_{number}" for number in table} for table in (first, second)]
    tables = [table for table, names in zip((first, second), usual, strict=True) if table != names]
    if len(tables) > 1 and tables[0] != tables[1]:
        raise CheckpointError(
            "id2label and label2id of a checkpoint disagree",
            where=source,
            expected=f"id2label: {tables[0]}",
            found=f"label2id: {tables[1]}",
            fix="correct config.json: only its author knows which output means which class",
        )
    names = tables[0] if tables else {}
    if names and set(names) != set(range(count)):
        raise CheckpointError(
            "a checkpoint does not name exactly the outputs that it has",
            where=source,
            expected=f"names of {count} outputs, numbered from 0",
            found=names,
            fix="correct id2label in config.json",
        )
    return Outputs(source, count, names)
