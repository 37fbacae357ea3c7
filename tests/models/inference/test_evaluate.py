from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dse.errors import CheckpointError, DataError
from dse.models import checkpoints as models
from dse.models.data.splits import Splits
from dse.models.data.text import by_length
from dse.models.encoder import Decomposed
from dse.models.inference import evaluate
from dse.models.inference import task_metrics as metrics
from dse.models.inference.evaluate import Evaluator
from dse.records.effective import Effective
from dse.space.workload import TaskSpec
from tests.support.text import WORDS, frame, rows
from tests.support.tiny import make_classifier

Make = Callable[..., TaskSpec]
SCALING = {"mean": 3.0, "spread": 2.0}


@pytest.fixture(scope="module")
def scored_model() -> Any:
    return make_classifier(WORDS, num_labels=2)


@pytest.fixture
def splits() -> Splits:
    table = rows(120)
    whole = frame(list(table["text"]), list(table["label"]), [f"g{index // 3}" for index in range(len(table))])
    train, search, report = (
        part.reset_index(drop=True) for part in (whole.iloc[:40], whole.iloc[40:80], whole.iloc[80:])
    )
    return Splits(train, search, report)


@pytest.fixture
def make(scored_model: Any, base: Path, splits: Splits) -> Callable[[TaskSpec], Evaluator]:
    def model() -> tuple[Any, dict[str, float]]:
        from transformers import BertForSequenceClassification

        copy = BertForSequenceClassification(scored_model.config)
        copy.load_state_dict(scored_model.state_dict())
        return copy, SCALING

    def evaluator(task: TaskSpec) -> Evaluator:
        vectors = Decomposed(scored_model).vectors()
        return Evaluator(task, model, lambda: vectors, models.load_tokenizer(str(base)), splits, "cpu")

    return evaluator


@pytest.fixture
def weights(scored_model: Any) -> dict[tuple[int, int], torch.Tensor]:
    return Decomposed(scored_model).weights()


def one_by_one(model: Any, base: Path, texts: list[str]) -> np.ndarray:
    """Logits (n, classes) of the untouched model, a row at a time and so without padding."""
    tokenizer = models.load_tokenizer(str(base))
    with torch.inference_mode():
        inputs = [tokenizer(text, truncation=True, max_length=16, return_tensors="pt") for text in texts]
        return np.concatenate([model(**each).logits.numpy() for each in inputs])


def test_without_quantisation_a_score_is_the_models_own(
    make: Callable[[TaskSpec], Evaluator], task: Make, splits: Splits, scored_model: Any, base: Path, weights: Any
) -> None:
    score = make(task()).score(weights, input_bits=0, precision="fp32")
    expected = one_by_one(scored_model, base, list(splits.search["text"])).argmax(axis=1)
    assert score.predictions.tolist() == expected.tolist()
    assert 0 < score.predictions.mean() < 1
    assert score.value == metrics.score("accuracy", splits.search["label"].to_numpy(), expected)[0]
    assert (score.rows, score.flagged) == (40, False)
    assert score.seconds > 0


def test_regression_predictions_are_in_the_units_of_the_labels(
    make: Callable[[TaskSpec], Evaluator], task: Make, splits: Splits, scored_model: Any, base: Path, weights: Any
) -> None:
    evaluator = make(task(kind="regression", metric="pearson"))
    score = evaluator.score(weights, split="report", input_bits=0, precision="fp32")
    logits = one_by_one(scored_model, base, list(splits.report["text"]))[:, 0]
    assert score.predictions == pytest.approx(logits * 2.0 + 3.0, abs=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_score_is_the_same_every_time_and_after_others(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any, precision: evaluate.Precision
) -> None:
    evaluator = make(task(kind="regression", metric="pearson"))
    first = evaluator.score(weights, precision=precision)
    evaluator.score({key: value * 0 for key, value in weights.items()}, precision=precision, input_bits=2)
    evaluator.score(weights, precision=precision, keep_layers=[True, False])
    evaluator.score(weights, precision=precision, base_layers=[True, True])
    assert np.array_equal(evaluator.score(weights, precision=precision).predictions, first.predictions)


def test_outputs_that_are_not_finite_are_refused_and_later_scores_are_right(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any
) -> None:
    evaluator = make(task())
    first = evaluator.score(weights)
    spoilt = weights | {(1, 0): weights[1, 0] * float("nan")}
    with pytest.raises(DataError, match="the outputs of a task's model are not finite") as error:
        evaluator.score(spoilt)
    assert error.value.where == f"task {task().name!r}, split 'search'"
    assert "40 of 40 rows" in str(error.value.found)
    assert evaluator.score(weights).predictions.tolist() == first.predictions.tolist()


def test_a_task_that_overflows_in_bf16_is_scored_in_fp32(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = make(task())
    exact, real = evaluator.score(weights, precision="fp32"), evaluate.run

    def overflow(layers: Any, *arguments: Any) -> Any:
        logits, reach = real(layers, *arguments)
        low = next(layers.model.parameters()).dtype == torch.bfloat16
        return (np.where(np.arange(len(logits))[:, None] == 3, np.nan, logits) if low else logits), reach

    monkeypatch.setattr(evaluate, "run", overflow)
    score = evaluator.score(weights)
    assert score.precision == "fp32"
    assert score.predictions.tolist() == exact.predictions.tolist()


def test_products_add_to_a_matrix_and_are_gone_afterwards(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any
) -> None:
    evaluator = make(task(kind="regression", metric="pearson"))
    draw = torch.Generator().manual_seed(0)
    key = (1, 4)
    first, second = (
        torch.randn(shape, generator=draw) for shape in ((3, weights[key].shape[1]), (len(weights[key]), 3))
    )
    less = weights | {key: weights[key] - second @ first}
    whole = evaluator.score(weights, input_bits=0, precision="fp32").predictions
    split = evaluator.score(
        Effective(less, products={key: ((first, second),)}), input_bits=0, precision="fp32"
    ).predictions
    rounded = evaluator.score(
        Effective(weights | {key: weights[key] * 0}, products={key: ((first, second),)}), precision="fp32"
    )
    plain = evaluator.score(weights | {key: second @ first}, precision="fp32")

    assert split == pytest.approx(whole, abs=1e-3)
    assert rounded.predictions == pytest.approx(plain.predictions, abs=0.2)
    assert not np.array_equal(rounded.predictions, plain.predictions)  # the vector in between is quantised
    assert evaluator.score(weights, input_bits=0, precision="fp32").predictions.tolist() == whole.tolist()


def test_biases_norms_and_head_are_written_and_put_back(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any, scored_model: Any
) -> None:
    evaluator = make(task(kind="regression", metric="pearson"))
    own = evaluator.score(weights, precision="fp32").predictions
    decomposed = Decomposed(scored_model)
    vectors: dict[int, Mapping[str, torch.Tensor]] = {
        1: {name: value + 0.5 for name, value in decomposed.vectors()[1].items()}
    }
    state = scored_model.state_dict()
    head = {name: state[name] * 2 for name in decomposed.head_names()}
    shifted = evaluator.score(Effective(weights, vectors=vectors), precision="fp32").predictions
    louder = evaluator.score(Effective(weights, head=head), precision="fp32").predictions

    assert not np.allclose(shifted, own)
    assert not np.allclose(louder, own)
    assert np.array_equal(evaluator.score(weights, precision="fp32").predictions, own)
    for wrong in ({"nowhere": torch.zeros(1)}, {next(iter(head)): torch.zeros(1)}):
        with pytest.raises(CheckpointError, match="do not fit the model"):
            evaluator.score(Effective(weights, head=wrong), precision="fp32")
    assert np.array_equal(evaluator.score(weights, precision="fp32").predictions, own)


def test_quantised_predictions_do_not_depend_on_how_rows_are_batched(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = task(kind="regression", metric="pearson")
    large = make(spec).score(weights, precision="fp32", input_bits=4)
    one_row = by_length.__defaults__
    assert one_row is not None
    monkeypatch.setattr(by_length, "__defaults__", (1,))
    single = make(spec)
    small = single.score(weights, precision="fp32", input_bits=4)
    assert small.predictions == pytest.approx(large.predictions, abs=2e-3)


def test_brain_floats_answer_nearly_as_floats_do(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any
) -> None:
    evaluator = make(task(kind="regression", metric="pearson"))
    full, half = (evaluator.score(weights, precision=kind).predictions for kind in ("fp32", "bf16"))
    assert np.corrcoef(full, half)[0, 1] > 0.99


def test_fewer_input_bits_move_predictions_further(
    make: Callable[[TaskSpec], Evaluator], task: Make, weights: Any
) -> None:
    evaluator = make(task(kind="regression", metric="pearson"))
    exact, eight, three = (
        evaluator.score(weights, input_bits=bits, precision="fp32").predictions for bits in (0, 8, 3)
    )
    assert 0 < np.abs(eight - exact).mean() < np.abs(three - exact).mean() / 5


def test_a_constant_prediction_is_flagged(
    make: Callable[[TaskSpec], Evaluator], task: Make, scored_model: Any, weights: Any
) -> None:
    evaluator = make(task(metric="matthews"))
    evaluator.score(weights)
    head = evaluator.load("bf16")[0].model.classifier
    head.weight.data.zero_()
    score = evaluator.score(weights)
    assert (score.value, score.flagged) == (0.0, True)
    assert scored_model.classifier.weight.abs().sum() > 0


def test_labels_and_groups_are_those_of_the_split(
    make: Callable[[TaskSpec], Evaluator], task: Make, splits: Splits
) -> None:
    evaluator = make(task())
    assert evaluator.labels("report").tolist() == splits.report["label"].tolist()
    assert evaluator.groups("search") == tuple(splits.search["group"])
