"""Content hashes of what a score depends on besides weights: tokenizers and configurations."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dse.files import digest, file_digest
from dse.opened import unheard

LABELS = {
    *("_name_or_path", "architectures", "auto_map", "dtype", "finetuning_task", "id2label", "label2id", "num_labels"),
    *("output_attentions", "output_hidden_states", "problem_type", "return_dict", "torch_dtype"),
    "transformers_version",
}
"""Fields of a configuration that name something, or that dse sets itself; all others may change what weights compute."""


class Digests(Mapping[str, str]):
    """Content hashes by name, each made when it is asked for: that of a task's weights needs the weights."""

    def __init__(self, makers: Mapping[str, Callable[[], str]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> str:
        with unheard():
            return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def config_digest(config: Any) -> str:
    """Return the content hash of the fields of a configuration that decide what weights compute."""
    return digest({name: value for name, value in config.to_dict().items() if name not in LABELS})


def tokenizer_digest(tokenizer: Any) -> str:
    """Return the content hash of a tokenizer: its rules and words, without names and without the length of a batch."""
    named = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    read = [type(tokenizer).__name__, named, list(tokenizer.model_input_names)]
    read += [tokenizer.padding_side, tokenizer.truncation_side]
    if (backend := getattr(tokenizer, "backend_tokenizer", None)) is not None:
        rules = json.loads(backend.to_str())
        return digest([read, {name: rule for name, rule in rules.items() if name not in ("truncation", "padding")}])
    options = {
        name: str(value) for name, value in tokenizer.init_kwargs.items() if not name.endswith(("_file", "_path"))
    }
    with TemporaryDirectory() as folder:
        words = [file_digest(Path(file)) for file in tokenizer.save_vocabulary(folder)]
    return digest([read, options, words])
