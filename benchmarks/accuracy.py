"""Speed and precision of scoring, on the quickstart's tasks and fine-tuned models."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

from benchmarks.figures import Figure, choose_size, measures
from benchmarks.problems import QUICKSTART
from benchmarks.smoke import space_file
from dse.cache import default_cache
from dse.models.inference.evaluate import Precision
from dse.models.loaded_workload import LoadedWorkload
from dse.models.shapes import load
from dse.space.file import load as load_space
from dse.space.workload import parse

PRECISIONS: tuple[Precision, ...] = ("bf16", "fp32")

ROUNDS = 5


@measures("accuracy.over_forward")
def over_forward() -> Iterator[Figure]:
    """Compare scoring with the bare bf16 forward pass of the same model over the same batches, sorted by length."""
    import torch

    work = _work()
    scoring, forward = 0.0, 0.0
    for name in work.tasks:
        weights, evaluator = work.task_weights(name), work.evaluator(name)
        whole: Any = work.tasks[name].model()[0]
        model = whole.to(torch.bfloat16).eval()
        evaluator.score(weights)
        batches = evaluator.batches("search")
        rounds = []
        for _ in range(choose_size(ROUNDS, 1)):
            start = time.perf_counter()
            with torch.inference_mode():
                for _, inputs in batches:
                    model(**inputs)
            middle = time.perf_counter()
            evaluator.score(weights)
            rounds.append((middle - start, time.perf_counter() - middle))
        forward += statistics.median(bare for bare, _ in rounds)
        scoring += statistics.median(whole for _, whole in rounds)
    yield Figure(
        "accuracy.over_forward",
        scoring / forward,
        "ratio",
        "<= 1.35",
        f"bare bf16 forward over the same batches, {len(work.tasks)} tasks, medians of {ROUNDS} rounds taken in turn",
    )


@measures("accuracy.speedup_vs_trainer")
def speedup() -> Iterator[Figure]:
    """Compare scoring with the Trainer.predict of transformers with its defaults."""
    import tempfile

    import torch
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    work = _work()
    ours, theirs = 0.0, 0.0
    for name, task in work.tasks.items():
        evaluator, weights = work.evaluator(name), work.task_weights(name)
        evaluator.score(weights)
        text = work.tokenizer(list(task.splits.search["text"]), truncation=True, max_length=task.spec.max_length)
        rows: Any = [{key: text[key][index] for key in text} for index in range(len(task.splits.search))]
        model, _ = task.model()
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder, report_to=[], disable_tqdm=True, use_cpu=not torch.cuda.is_available()
            )
            trainer = Trainer(model, arguments, data_collator=DataCollatorWithPadding(work.tokenizer))
            start = time.perf_counter()
            trainer.predict(rows)
            middle = time.perf_counter()
            evaluator.score(weights)
        ours += time.perf_counter() - middle
        theirs += middle - start
    yield Figure(
        "accuracy.speedup_vs_trainer",
        theirs / ours,
        "ratio",
        ">= 2",
        "transformers.Trainer.predict with its defaults (fp32, batches of 8) on the same rows",
    )


@measures("accuracy.bf16_max_diff_points")
def precision() -> Iterator[Figure]:
    """Largest difference between scores in bf16 and in fp32, in points."""
    work = _work()
    worst, where = 0.0, ""
    for name in work.tasks:
        weights, evaluator = work.task_weights(name), work.evaluator(name)
        for split in ("search", "report"):
            pair = [evaluator.score(weights, split=split, precision=kind).value for kind in PRECISIONS]
            difference = 100 * abs(pair[0] - pair[1])
            if difference >= worst:
                worst, where = difference, f"{name}, {split} split"
    yield Figure("accuracy.bf16_max_diff_points", worst, "points", "<= 0.5", f"fp32 scores; largest at {where}")


@measures("accuracy.margin_points")
def margins() -> Iterator[Figure]:
    """Smallest margin of a quickstart task over TF-IDF with a linear model and over the majority class, in points."""
    from benchmarks.tfidf import tfidf
    from dse.models.inference import task_metrics as metrics

    work = _work()
    found = {}
    for name, task in work.tasks.items():
        for split in ("search", "report"):
            value = work.evaluator(name).score(work.task_weights(name), split=split).value
            rival = max(
                tfidf(task.spec, task.splits, split),
                metrics.chance(task.spec.metric, work.evaluator(name).labels(split)),
            )
            found[f"{name} {split} {100 * value:.1f} against {100 * rival:.1f}"] = 100 * (value - rival)
    yield Figure("accuracy.margin_points", min(found.values()), "points", ">= 2", "; ".join(found))


@cache
def _work() -> LoadedWorkload:
    """The quickstart's workload, fine-tuned if that has not been done."""
    space = load_space(space_file(QUICKSTART))
    return load(parse(space.workload, path=space.path), cache=default_cache())
