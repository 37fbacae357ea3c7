from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from dse.errors import CheckpointError, DataError, SetupError
from dse.models import checkpoints as models
from dse.models.data.text import Encoded
from dse.models.encoder import Decomposed
from dse.models.precision import has_bf16
from dse.models.training import finetune
from dse.space.workload import TaskSpec
from tests.support.text import rows
from tests.support.tiny import CLASSIFIER, make_config, make_model

Make = Callable[..., TaskSpec]
FAST = {"epochs": 6, "learning_rate": 3e-3, "batch": 16}


def train(count: int = 120, column: str = "label") -> pd.DataFrame:
    table = rows(count)
    return pd.DataFrame({"text": table["text"], "text_b": "", "label": table[column], "group": ""})


def fresh(base: Path, labels: int = 2) -> Any:
    torch.manual_seed(0)
    return models.load_model(str(base), labels=labels)


def tuned(base: Path, task: TaskSpec, table: pd.DataFrame, labels: int = 2) -> tuple[Any, dict[str, float]]:
    model = fresh(base, labels)
    return model, finetune.fine_tune(model, models.load_tokenizer(str(base)), task, table, device="cpu")


def test_a_separable_task_is_learned_while_embeddings_stay(base: Path, task: Make) -> None:
    table = train()
    model, scaling = tuned(base, task(fine_tune=FAST), table)
    start = dict(fresh(base).named_parameters())
    embeddings = Decomposed(model).embedding_names()
    assert embeddings
    for name, value in model.named_parameters():
        assert torch.equal(value, start[name]) == (name in embeddings), name
    tokens = models.load_tokenizer(str(base))(list(table["text"]), padding=True, return_tensors="pt")
    with torch.inference_mode():
        right = model(**tokens).logits.argmax(dim=1).numpy() == table["label"]
    assert right.mean() > 0.9
    assert scaling == {"mean": 0.0, "spread": 1.0}
    assert not model.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(base: Path, task: Make) -> None:
    table = train(40)
    settings = FAST | {"epochs": 1}
    first, again, other = (
        Decomposed(tuned(base, task(fine_tune=settings | {"seed": seed}), table)[0]).weights() for seed in (0, 0, 1)
    )
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    assert not all(torch.equal(value, other[key]) for key, value in first.items())


def test_regression_learns_standardised_labels(base: Path, task: Make) -> None:
    table = train(120, "value")
    model, scaling = tuned(base, task(kind="regression", metric="pearson", fine_tune=FAST), table, labels=1)
    assert scaling["mean"] == pytest.approx(table["label"].mean())
    assert scaling["spread"] == pytest.approx(table["label"].std(ddof=0))
    tokens = models.load_tokenizer(str(base))(list(table["text"]), padding=True, return_tensors="pt")
    with torch.inference_mode():
        values = model(**tokens).logits[:, 0].numpy()
    assert np.corrcoef(values, table["label"])[0, 1] > 0.8
    assert abs(values.mean()) < 0.5


def test_no_more_rows_are_used_than_asked_for_and_progress_reaches_the_end(base: Path, task: Make) -> None:
    told: list[tuple[str, float | None]] = []
    settings = FAST | {"epochs": 1, "max_rows": 20}
    finetune.fine_tune(
        fresh(base),
        models.load_tokenizer(str(base)),
        task(fine_tune=settings),
        train(),
        device="cpu",
        progress=lambda what, share: told.append((what, share)),
    )
    assert told[-1] == ("fine-tuning t on 20 rows", 1.0)
    shares = [share for _, share in told if share is not None]
    assert shares == sorted(shares)


def test_a_loss_that_is_not_finite_is_an_error_with_its_remedy(base: Path, task: Make) -> None:
    model = fresh(base)
    model.classifier.bias.data.fill_(float("inf"))
    with pytest.raises(DataError) as caught:
        finetune.fine_tune(model, models.load_tokenizer(str(base)), task(fine_tune=FAST), train(40), device="cpu")
    assert "fine-tuning of task 't' diverged" in str(caught.value)
    assert "where: step 0 of" in str(caught.value)
    assert "lower fine_tune.learning_rate" in str(caught.value)


def test_what_is_saved_is_restored_without_the_embeddings(base: Path, tmp_path: Path) -> None:
    model, other = fresh(base), models.load_model(str(base), labels=2)
    model.classifier.bias.data.fill_(0.5)
    path = tmp_path / "task.safetensors"
    finetune.save(path, model, {"mean": 1.5, "spread": 2.0})
    assert not any("embeddings." in name for name in load_file(path))
    assert finetune.restore(path, other) == {"mean": 1.5, "spread": 2.0}
    for (name, one), two in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two), name


@pytest.mark.parametrize("damage", ["cut", "shape", "plain"])
def test_a_damaged_store_is_refused_with_its_remedy(base: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "task.safetensors"
    finetune.save(path, fresh(base), {"mean": 0.0, "spread": 1.0})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "shape":
        save_file(load_file(path) | {"classifier.bias": torch.zeros(9)}, path, metadata={"scaling": "{}"})
    else:
        save_file(load_file(path), path)
    with pytest.raises(CheckpointError) as caught:
        finetune.restore(path, fresh(base))
    assert "the stored fine-tuned task cannot be read" in str(caught.value)
    assert f"where: {path}" in str(caught.value)
    assert "do: delete the file" in str(caught.value)


def test_a_store_of_another_architecture_is_refused(base: Path, tmp_path: Path) -> None:
    path = tmp_path / "task.safetensors"
    save_file({"roberta.weight": torch.zeros(1)}, path, metadata={"scaling": "{}"})
    with pytest.raises(CheckpointError, match="another architecture") as caught:
        finetune.restore(path, fresh(base))
    assert "found: roberta.weight" in str(caught.value)


def test_a_store_that_lacks_weights_is_refused(base: Path, tmp_path: Path) -> None:
    path = tmp_path / "task.safetensors"
    save_file({"classifier.bias": torch.zeros(2)}, path, metadata={"scaling": "{}"})
    with pytest.raises(CheckpointError):
        finetune.restore(path, fresh(base))


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rates = [finetune._schedule(step, 100) for step in range(101)]
    top = rates.index(max(rates))
    assert max(rates) == 1.0
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[100] == 0.0


def test_every_epoch_sees_every_row_once_in_batches_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 90)
    batches = list(finetune.batches(Encoded({}, lengths, 0), 8, 2, np.random.default_rng(0)))
    rows_seen = np.concatenate(batches)
    assert np.bincount(rows_seen).tolist() == [2] * 90
    assert max(map(len, batches)) == 8
    assert np.mean([np.ptp(lengths[chosen]) for chosen in batches]) < 10


def test_devices_are_named_or_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, name in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda found=found: found)
        assert finetune.pick_device("auto") == name
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert finetune.pick_device("cuda") == "cuda"


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SetupError, match=r"torch sees no GPU[\s\S]*--device[\s\S]*cpu or auto"):
        finetune.pick_device("cuda")


@pytest.mark.parametrize(
    ("able", "expected"), [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx2": True}, False)]
)
def test_brain_floats_are_used_where_the_processor_has_them(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert has_bf16("cpu") is expected


def test_a_family_that_overflows_in_bf16_is_trained_in_fp32_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune, "has_bf16", lambda _device: True)
    lines: list[str] = []

    def tell(line: str, _share: float | None) -> None:
        lines.append(line)

    relative: Any = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
    assert not finetune.use_bf16(make_model(make_config("Deberta", **relative), head=CLASSIFIER), "cpu", tell)
    assert lines == ["DebertaForSequenceClassification runs in fp32: it overflows in bf16"]
    assert finetune.use_bf16(make_model(make_config("DebertaV2", **relative), head=CLASSIFIER), "cpu", tell)
    assert len(lines) == 1
