"""Learn a task from the base through an adapter; it is cached by content, and continues after a stop."""

from functools import cached_property

from torch import Tensor, nn
from torch.nn.utils import parametrize

from dse.files import digest
from dse.models.loaded_workload import LoadedWorkload
from dse.models.training import joint
from dse.models.training.trunk import Together, copy_tensors
from dse.opened import note
from dse.plugins.call import check_names
from dse.plugins.contract import ADAPTER_PROTOCOLS, AdapterWithBegin, AdapterWithRates
from dse.records.model import Model
from dse.records.stored import Key
from dse.records.training import Adapted, Adaption, Training

ADAPT_VERSION = 1
"""Part of cache keys: raised when the same adaption would learn other weights."""


def adapt(work: LoadedWorkload, adaption: Adaption) -> Adapted:
    """Learn a task as asked, or find it in the cache.

    Raises:
        CheckpointError: the stored adapter cannot be read.
        DataError: the loss became infinite or not a number.
    """
    training = Training((adaption.task,), passes=adaption.passes, distil=adaption.distil, seed=adaption.seed)
    name = digest([ADAPT_VERSION, joint.digest_of(work, training), sorted(adaption.key.items())])
    path = work.cache / "adapted" / f"{name}.safetensors"
    note(path)
    if path.is_file():
        stored = joint.restore(training, path)
        return Adapted(stored.state, Model({}, stored.model.vectors, stored.model.heads))
    learner = _Learner(work, training, adaption.build(work.base_weights()))
    joint.train(learner, path)
    made = Adapted(copy_tensors(learner.adapter.state_dict().items()), learner.model())
    joint.save(path, training, made.model, made.state)
    path.with_suffix(".part").unlink(missing_ok=True)
    return made


class _Learner(Together):
    """One task's model, whose matrices an adapter changes."""

    def __init__(self, work: LoadedWorkload, training: Training, adapter: nn.Module) -> None:
        super().__init__(work, training)
        check_names("an adapter", adapter, ADAPTER_PROTOCOLS)
        self.adapter = adapter.to(work.device)
        self._vectors: list[dict[str, nn.Parameter]] = []
        weights = {f"{path}.weight" for path in self.paths}
        for layer, module in zip(self.indices, self.layers, strict=True):
            self._vectors.append({name: value for name, value in module.named_parameters() if name not in weights})
            for index, path in enumerate(self.paths):
                change = _Change(adapter, (layer, index))
                parametrize.register_parametrization(module.get_submodule(path), "weight", change, unsafe=True)

    @cached_property
    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters that are trained, with their multiple of the learning rate."""
        rates = self.adapter.rates if isinstance(self.adapter, AdapterWithRates) else {}
        by_rate: dict[float, list[nn.Parameter]] = {}
        for name, value in self.adapter.named_parameters():
            by_rate.setdefault(rates.get(name.split(".")[0], 1.0), []).append(value)
        own = [value for named in self._vectors for value in named.values()]
        by_rate.setdefault(rates.get("", 1.0), []).extend([*own, *self.head_parameters])
        return [(values, rate) for rate, values in by_rate.items()]

    @property
    def description(self) -> str:
        """Description of the training, for a progress message."""
        return f"adapting the base to {self.tasks[0].spec.name}"

    def begin(self, share: float) -> None:
        """Give the adapter the share of steps that are done."""
        if isinstance(self.adapter, AdapterWithBegin):
            self.adapter.begin(share)

    def model(self) -> Model:
        """Return the learnt biases, norms and head."""
        vectors = [copy_tensors(named.items()) for named in self._vectors]
        return Model({}, dict(zip(self.indices, vectors, strict=True)), self.heads())


class _Change(nn.Module):
    """Parametrization of one matrix, which an adapter computes."""

    def __init__(self, adapter: nn.Module, key: Key) -> None:
        super().__init__()
        self._adapter = [adapter]  # not a part of this module: one adapter serves all matrices
        self._key = key

    def forward(self, weight: Tensor) -> Tensor:
        """Change the base's matrix by the adapter."""
        changed: Tensor = self._adapter[0](self._key, weight)
        return changed
