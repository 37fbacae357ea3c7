"""Similarity of models' hidden states on the same text, for the base and every task's model, layer by layer."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from dse.models import checkpoints as models
from dse.models.data.text import Encoded, encode_sample, iterate_batches
from dse.models.loaded_workload import LoadedWorkload
from dse.records.arrays import Bools, Floats

SIMILARITY_VERSION = 1
MOST_TOKENS = 2048
"""Number of tokens whose states are compared: more than the elements of a state, since CKA is too high with fewer tokens;
few enough for the states of all models to fit in memory."""


def similarity(work: LoadedWorkload, rows: int) -> dict[str, NDArray[Any]]:
    """Compare hidden states, at the same tokens, of the base (first) and of every task's model, pair by pair.

    Args:
        work: base and tasks; tasks are fine-tuned first if necessary.
        rows: number of training rows, pooled over all tasks.

    Returns:
        ``cka`` and ``cosine``, both (1 + T, 1 + T, L); see `linear_cka` and `mean_cosine`.

    Raises:
        CheckpointError: a task has a tokenizer of its own.
    """
    work.require_one_tokenizer("similarity compares the states of the same tokens")
    tokens = pool_rows(work, rows)
    sampled = np.zeros(int(tokens.lengths.sum()), dtype=np.bool_)
    sampled[np.random.default_rng(0).permutation(len(sampled))[:MOST_TOKENS]] = True
    names = ["base", *work.tasks]
    states = []
    for at, name in enumerate(names):
        if work.progress is not None:
            work.progress("hidden states", at / len(names))
        model = models.load_model(work.source, labels=1) if at == 0 else work.tasks[name].model()[0]
        states.append(hidden_states(model, tokens, sampled, device=work.device))
    by_layer = list(zip(*states, strict=True))
    return {
        "cka": np.stack([linear_cka(layer) for layer in by_layer], axis=-1),
        "cosine": np.stack([mean_cosine(layer) for layer in by_layer], axis=-1),
    }


def pool_rows(work: LoadedWorkload, rows: int) -> Encoded:
    """Tokenise equally many rows of each task, ``rows`` or a few more in total, cut to each task's length.

    The rows are training rows, or search rows where none is for training.
    """
    each = -(-rows // len(work.tasks))
    tasks = work.tasks.values()
    parts = [encode_sample(work.tokenizer, task.splits.sample, task.spec.max_length, each) for task in tasks]
    inputs = {name: [row for part in parts for row in part.inputs[name]] for name in parts[0].inputs}
    lengths, truncated = np.concatenate([part.lengths for part in parts]), sum(part.truncated for part in parts)
    return Encoded(inputs, lengths, truncated, parts[0].pad)


def hidden_states(model: PreTrainedModel, tokens: Encoded, sampled: Bools, *, device: str) -> list[Tensor]:
    """Run rows through a model and keep every layer's states at a sample of tokens.

    Args:
        model: float32 model.
        tokens: tokenised rows.
        sampled: whether a token's states are kept, shape (tokens of all rows,), in the order of `by_length`'s batches.
        device: ``cpu`` or ``cuda``.

    Returns:
        Hidden states of each of L layers, float32 (sampled tokens, hidden), on the CPU.
    """
    running: Any = cast("Any", model).to(device).eval()
    chosen = torch.from_numpy(sampled)
    parts, start = [], 0
    with torch.inference_mode():
        for _, fed in iterate_batches(tokens, device):
            _, *layers = running(**fed, output_hidden_states=True).hidden_states  # the embeddings come first
            real = fed["attention_mask"].bool()
            end = start + int(real.sum())
            parts.append([layer[real].cpu()[chosen[start:end]] for layer in layers])
            start = end
    return [torch.cat(of_layer) for of_layer in zip(*parts, strict=True)]


def linear_cka(states: Sequence[Tensor]) -> Floats:
    """Return the linear centred kernel alignment of every pair of N representations of the same tokens, (N, N), 0 to 1.

    CKA is ``|Y'X|^2 / (|X'X| |Y'Y|)`` with Frobenius norms and every element of ``X`` and ``Y`` (tokens, hidden) centred
    over tokens: Kornblith et al., ICML 2019, section 3. CKA is 1 if one representation is the other rotated and scaled,
    and not a number if all tokens of one representation have the same state.
    """
    centred = [state - state.mean(dim=0) for state in states]
    cross = np.zeros((len(states), len(states)))
    for one, other in combinations_with_replacement(range(len(states)), 2):
        product = centred[one].T @ centred[other]
        cross[one, other] = cross[other, one] = float(product.double().square().sum())
    own = np.sqrt(np.diag(cross))
    with np.errstate(invalid="ignore"):
        alignment: Floats = cross / np.outer(own, own)
    return alignment


def mean_cosine(states: Sequence[Tensor]) -> Floats:
    """Return the mean cosine between a token's states in two representations, for every pair of N, (N, N)."""
    unit = [functional.normalize(state.double(), dim=1) for state in states]
    return np.array([[float((one * other).sum(dim=1).mean()) for other in unit] for one in unit])
