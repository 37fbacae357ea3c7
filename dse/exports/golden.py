"""Golden vectors: a few inputs of each task with everything that a reader in another language compares."""

from pathlib import Path

import numpy as np
import torch

from dse.exports.load import Export
from dse.exports.model import TaskModel
from dse.models.data.text import padding

LONGEST = 8
"""Tokens of the longest input."""


def write_golden(folder: Path, chip: Export) -> None:
    """Write one file per task into a new folder: random token ids of three lengths, and what `TaskModel.trace` returns.

    Args:
        folder: folder to write.
        chip: export with exact integer products.

    Raises:
        OSError: the disk refused the file.
    """
    folder.mkdir()
    draw = np.random.default_rng(0)
    for at, name in enumerate(chip.tasks):
        model, longest = TaskModel(chip, at), min(LONGEST, chip.manifest["tasks"][name]["max_length"])
        tokenizer = model.tokenizer
        mask = np.arange(longest) < np.array([[longest], [max(1, longest // 2)], [1]])
        ids = np.where(mask, draw.integers(len(tokenizer), size=mask.shape), padding(tokenizer)["input_ids"])
        inputs = {"input_ids": ids, "attention_mask": mask.astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        inputs = {kind: values for kind, values in inputs.items() if kind in tokenizer.model_input_names}
        traced = model.trace({kind: torch.from_numpy(values) for kind, values in inputs.items()})
        np.savez_compressed(folder / f"{model.file_name}.npz", allow_pickle=False, **inputs, **traced)
