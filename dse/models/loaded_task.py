"""One task of a loaded workload: its rows at once, its weights and evaluator on first use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedModel

from dse.errors import CheckpointError
from dse.files import digest, file_hash, is_file
from dse.models import checkpoints as models
from dse.models.adapters import compare_bases, load_checkpoint
from dse.models.base import measure_embeddings
from dse.models.checks import check_checkpoint, check_length, check_token_types, name_refusals
from dse.models.contents import config_digest, tokenizer_digest
from dse.models.data import splits
from dse.models.data.read import choose_kind
from dse.models.data.text import encode, encode_sample, token_moments
from dse.models.encoder import Decomposed
from dse.models.hub import find_folder
from dse.models.inference.evaluate import Evaluator
from dse.models.inference.observe import observe
from dse.models.outputs import read_outputs
from dse.models.precision import has_bf16
from dse.models.task_rows import TaskRows
from dse.models.tokenizers import check_embeddings, check_words, load_own_tokenizer
from dse.models.training import finetune
from dse.models.weight_cache import Weights
from dse.models.weight_files import find_tensors, read_tensor
from dse.models.write import only_given
from dse.records.arrays import Ints
from dse.records.data_facts import DataFacts
from dse.records.model import Model
from dse.records.observation import Observation
from dse.records.workload import Task
from dse.space.workload import TaskSpec

if TYPE_CHECKING:
    from dse.models.loaded_workload import LoadedWorkload

DATA_VERSION = 2


class LoadedTask:
    """One task's data, model and evaluator, each made on first use."""

    def __init__(self, spec: TaskSpec, workload: LoadedWorkload) -> None:
        self.given = spec
        self._workload = workload
        self._stamps: dict[str, tuple[int, int]] = {}
        self._places: dict[tuple[int, int], tuple[Path, str]] = {}

    @cached_property
    def spec(self) -> TaskSpec:
        """The task, with the kind and the metric that its table may leave out."""
        return choose_kind(self.given, () if self.given.kind or self.given.metric else self.check_files())

    @cached_property
    def checkpoint(self) -> str:
        """Folder of the task's checkpoint; empty if dse fine-tunes the task."""
        with name_refusals(f"task {self.given.name!r}", self.given.checkpoint):
            return find_folder(self.given.checkpoint, self.given.revision) if self.given.checkpoint else ""

    @cached_property
    def tokenizer(self) -> Any:
        """Tokenizer of the task: that of its checkpoint if it differs from the base's."""
        with name_refusals(f"task {self.given.name!r}", self.checkpoint):
            own = load_own_tokenizer(self.checkpoint) if self.checkpoint else None
        shared = self._workload.tokenizer
        return shared if own is None or tokenizer_digest(own) == self._workload.tokenizer_digest else own

    @cached_property
    def own_tokenizer(self) -> str:
        """Content hash of the task's tokenizer; empty if it is the base's."""
        return "" if self.tokenizer is self._workload.tokenizer else tokenizer_digest(self.tokenizer)

    @cached_property
    def rows(self) -> TaskRows:
        """Rows of the task's files, and what their labels mean."""
        work, ready = self._workload, self.checkpoint
        with name_refusals(f"task {self.given.name!r}", ready):
            outputs = read_outputs(ready, work.source) if ready else None
        return TaskRows(self.spec, work.cache, work.progress, outputs)

    def check_files(self) -> list[Path]:
        """Return the paths of the task's data files; refuse a task whose files do not exist."""
        return TaskRows(self.given, self._workload.cache, self._workload.progress).check_files()

    @cached_property
    def splits(self) -> splits.Splits:
        """Train, search and report rows."""
        return self.rows.split()

    @cached_property
    def facts(self) -> DataFacts:
        """Facts about the rows: how many were read, dropped, kept and cut."""
        facts = self.rows.describe(self.splits, self.tokenizer)
        chosen = f"{self.spec.kind} by {self.spec.metric}, since the space file does not say"
        defaults = () if self.given.kind and self.given.metric else (chosen,)
        differences = compare_bases(self.checkpoint, self._workload.spec.base)
        return replace(facts, notes=(*facts.notes, *defaults, *differences))

    @cached_property
    def labels(self) -> int:
        """Number of the head's outputs."""
        if self.rows.outputs is not None:
            return self.rows.outputs.count
        return 1 if self.spec.kind == "regression" else int(self.splits.train["label"].max()) + 1

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each output by its number; empty for a regression."""
        return self.rows.classes

    @cached_property
    def data_digest(self) -> str:
        """Content hash of the splits and of the way they are read."""
        frames = [getattr(self.splits, name) for name in splits.SPLITS]
        content = [frame[["text", "text_b", "label"]].to_numpy().tolist() for frame in frames]
        return digest([DATA_VERSION, self.spec.metric, self.spec.max_length, content])

    @cached_property
    def ready(self) -> tuple[str, str]:
        """Content hashes of the weights and of the configuration of a ready checkpoint."""
        model = self.model()[0]
        return models.model_digest(model), config_digest(model.config)

    @cached_property
    def digest(self) -> str:
        """Hash of the data and settings that determine the task's weights; available before training."""
        if self.spec.checkpoint:
            return self.ready[0]
        spec, work = self.spec, self._workload
        made_from = [work.weights_digest, self.data_digest, spec.kind, spec.max_length, spec.fine_tune.model_dump()]
        return digest([finetune.FINE_TUNE_VERSION, *made_from, has_bf16(work.device)])

    @property
    def path(self) -> Path:
        """Path of the stored fine-tuned task."""
        return self._workload.cache / "tasks" / f"{digest([self.digest, self._workload.base_digest])}.safetensors"

    @property
    def content(self) -> str:
        """Content hash of the task's weights, configuration and own tokenizer; the task is fine-tuned if necessary."""
        if self.spec.checkpoint:
            return digest([*self.ready, *filter(None, [self.own_tokenizer])])
        if not self.path.is_file():
            self.model()
        return file_hash(self.path)

    def model(self) -> tuple[PreTrainedModel, dict[str, float]]:
        """Return a fresh float32 copy of the task's model and the scaling of its labels; fine-tune it if necessary."""
        work = self._workload
        check_length(self.spec, self._workload.base.longest)
        if self.spec.checkpoint:
            self._check_unchanged()
            _ = self.classes  # refuses labels that the checkpoint has no output for, before its weights are read
            with name_refusals(f"task {self.spec.name!r}", self.checkpoint):
                model = load_checkpoint(self.checkpoint, work.source)
                check_embeddings(self.tokenizer, model.config, self.checkpoint)
                check_checkpoint(self.spec, model, work.encoder, work.config.model_type)
        else:
            model = models.load_model(work.source, labels=self.labels, seed=self.spec.fine_tune.seed)
        if self.rows.pairs:
            check_token_types(self.spec, model, self.tokenizer, self.checkpoint or work.source)
        if self.spec.checkpoint:
            return model, {"mean": 0.0, "spread": 1.0}
        if self.path.is_file():
            return model, finetune.restore(self.path, model)
        scaling = finetune.fine_tune(
            model, self.tokenizer, self.spec, self.splits.train, device=work.device, progress=work.progress
        )
        finetune.save(self.path, model, scaling)
        return model, scaling

    @property
    def weights(self) -> Weights:
        """Fine-tuned matrices (outputs, inputs) by (layer, matrix); read again if other tasks took their memory."""
        return self._workload.weights.find_or_read(self.spec.name, "matrices", self._read_matrices, dict.values)

    def _read_matrices(self) -> Weights:
        """Read the matrices alone where files hold them as they are, which is known after the whole model was read once."""
        self._check_unchanged()
        if self._places:
            return {key: read_tensor(*place) for key, place in self._places.items()}
        decomposed = Decomposed(self.model()[0])
        weights = decomposed.weights()
        paths = Path(self.checkpoint).glob("*.safetensors") if self.spec.checkpoint else [self.path]
        self._places = find_tensors(decomposed.matrix_names(), weights, paths)
        return weights

    def _check_unchanged(self) -> None:
        """Refuse a ready checkpoint whose files of weights have changed since they were first read.

        Raises:
            CheckpointError: a file has changed.
        """
        paths = Path(self.checkpoint).glob("*model*") if self.spec.checkpoint else ()
        stamps = {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in paths if is_file(path)}
        self._stamps = self._stamps or stamps
        if changed := sorted({name for name, _ in stamps.items() ^ self._stamps.items()}):
            fix = "start the study again, which scores the new weights; or put back the old files"
            reason = f"the checkpoint of task {self.spec.name!r} changed while it was in use"
            raise CheckpointError(reason, where=self.checkpoint, found=", ".join(changed), fix=fix)

    def observe(self, rows: int, given: Model | None = None) -> Iterator[Observation]:
        """Run a fixed random sample of rows through the task's own model, or a given one.

        The rows are training rows, or search rows where none is for training. Their labels are not used.
        """
        work = self._workload
        tokens = encode_sample(self.tokenizer, self.splits.sample, self.spec.max_length, rows)
        model = self.model()[0]
        layers = None if given is None else only_given(model, given, list(work.tasks).index(self.spec.name))
        return observe(model, tokens, device=work.device, layers=layers)

    @cached_property
    def evaluator(self) -> Evaluator:
        """Evaluator that scores the task."""
        work = self._workload
        source = self.tokenizer, self.splits, work.device, work.pool, work.weights
        return Evaluator(self.spec, self.model, work.base_vectors, *source)

    def shape(self, pooled: tuple[float, float] | None, rate: float) -> Task:
        """Describe the task for the hardware, with the token statistics of training rows."""
        tokens, squared = pooled or token_moments(self.train_lengths)
        return Task(self.spec.name, tokens, squared, self.head_parameters, rate)

    @property
    def head_parameters(self) -> int:
        """Number of parameters of pooler and classifier."""
        return self._sizes[0]

    @property
    def embeddings(self) -> tuple[str, int]:
        """Content hash and number of parameters of the embeddings that the task reads: its own, or the base's."""
        return self._sizes[1]

    @cached_property
    def _sizes(self) -> tuple[int, tuple[str, int]]:
        ready = self.spec.checkpoint
        model = self.model()[0] if ready else models.empty_model(self._workload.source, self.labels)
        names = Decomposed(model, trace=False).head_names()
        head = sum(value.numel() for name, value in model.named_parameters() if name in names)
        return head, measure_embeddings(model) if ready else self._workload.base.embeddings

    @cached_property
    def train_lengths(self) -> Ints:
        """Number of tokens of each training row, or search row where none is for training, cut to length, shape (n,)."""
        check_length(self.spec, self._workload.base.longest)
        tokens = encode(self.tokenizer, self.splits.sample, self.spec.max_length)
        check_words(self.spec, self.tokenizer, tokens)
        return tokens.lengths
