"""Tokenizers: each must belong to its model, know the words of the rows, and stay within the embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dse.errors import CheckpointError, DseError
from dse.files import is_file
from dse.models.checkpoints import load_tokenizer
from dse.models.data.splits import SPLITS
from dse.models.data.text import Encoded, encode, padding
from dse.space.workload import TaskSpec

if TYPE_CHECKING:
    from dse.models.loaded_task import LoadedTask

FILES = (
    *("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model"),
    *("spiece.model", "spm.model", "sentencepiece.bpe.model", "bpe.codes", "added_tokens.json"),
)
"""Files of which a folder with a tokenizer has at least one."""
MOST_UNKNOWN = 0.5
"""Largest share of tokens that a tokenizer may answer with its token for unknown words."""


def load_base_tokenizer(source: str, config: Any) -> Any:
    """Load the tokenizer of a base with this configuration.

    Raises:
        CheckpointError: there is no tokenizer, or it has more words than the embeddings have rows.
        SourceError: no model has this name.
    """
    tokenizer = None if _lacks_files(source) else load_tokenizer(source)
    if tokenizer is None or len(tokenizer) <= len(tokenizer.all_special_ids):
        raise CheckpointError(
            "the base has no tokenizer" if tokenizer is None else "the tokenizer of the base knows no word",
            where=source,
            expected=f"one of the files {', '.join(FILES[:3])}, ... beside the weights, with the model's vocabulary",
            fix="add the files that the model was published with",
        )
    check_embeddings(tokenizer, config, source)
    return tokenizer


def load_own_tokenizer(source: str) -> Any:
    """Load the tokenizer that lies beside a checkpoint; None if there is none.

    Raises:
        CheckpointError: the tokenizer is damaged.
    """
    if _lacks_files(source):
        return None
    try:
        return load_tokenizer(source)
    except DseError as error:
        raise CheckpointError(
            "the tokenizer beside a checkpoint cannot be loaded", where=source, found=error
        ) from error


def check_embeddings(tokenizer: Any, config: Any, source: str) -> None:
    """Refuse a tokenizer with words beyond the embeddings of a model with this configuration.

    Raises:
        CheckpointError: a word has no row in the embeddings.
    """
    rows = getattr(config, "vocab_size", None)
    last = max(tokenizer.get_vocab().values(), default=-1)
    if rows is not None and last >= rows:
        raise CheckpointError(
            "the tokenizer has more tokens than the embeddings have rows",
            where=source,
            expected=f"at most {rows} tokens",
            found=f"{last + 1} tokens",
            fix="use the tokenizer that the model was published with, or resize the model's embeddings",
        )


def check_words(task: TaskSpec, tokenizer: Any, tokens: Encoded) -> None:
    """Refuse a tokenizer that does not know over half of the tokens of a task's rows.

    Raises:
        CheckpointError: the tokenizer was made for other texts, or for another model.
    """
    unknown = getattr(tokenizer, "unk_token_id", None)
    special = set(tokenizer.all_special_ids) - {unknown}
    words = [word for row in tokens.inputs["input_ids"] for word in row if word not in special]
    share = words.count(unknown) / len(words) if words and unknown is not None else 0.0
    if share > MOST_UNKNOWN:
        raise CheckpointError(
            f"the tokenizer does not know most words of task {task.name!r}",
            where=f"rows of task {task.name!r}",
            expected=f"at most {MOST_UNKNOWN:.0%} of the tokens replaced by {tokenizer.unk_token}",
            found=f"{share:.0%}",
            fix="check that model and tokenizer belong together, and the language and letter case of the texts",
        )


def give_equal_tokens(own: Any, shared: Any, tasks: Iterable[LoadedTask]) -> bool:
    """Return whether two tokenizers give all rows of some tasks the same tokens and the same padding."""
    rows = [(getattr(task.splits, name), task.spec.max_length) for task in tasks for name in SPLITS]
    one, other = ([_read(each, *row) for row in rows if len(row[0])] for each in (own, shared))
    return one == other and padding(own) == padding(shared)


def _read(tokenizer: Any, frame: Any, longest: int) -> dict[str, list[list[int]]]:
    """Tokenise texts or pairs; leave out an input of zeros alone, which models take where a tokenizer gives none."""
    return {name: rows for name, rows in encode(tokenizer, frame, longest).inputs.items() if any(map(any, rows))}


def _lacks_files(source: str) -> bool:
    """Return whether a folder holds no tokenizer; transformers would make one that knows no word."""
    return not any(is_file(f"{source}/{name}") for name in FILES)
