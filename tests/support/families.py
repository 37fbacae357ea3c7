"""Families of encoders and the plugins that run on them: tiny models made from configurations, briefly trained."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dse.errors import CheckpointError
from dse.models.encoder import Decomposed
from tests.support.tiny import CLASSIFIER, SPECIAL, write_tokenizer

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, RECORD = DOCS / "families.md", DOCS / "recorded" / "families.json"
BEGIN, END = "<!-- tables: python -m tests.support.families -->", "<!-- end of tables -->"
MARKS = rf"{re.escape(BEGIN)}([\s\S]*){re.escape(END)}"
FILLER = tuple(f"w{index}" for index in range(16))
WORDS = ("left", "right", *FILLER)
"""Vocabulary: a row holds one of the first two words, which is its class, among others that say nothing."""
TASKS = ("own", "shared")
TRAIN, SEARCH = 96, 40
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
LENGTH = {"max_position_embeddings": 40}
DEBERTA = SIZES | LENGTH | {
    "relative_attention": True, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Family:
    """A family of encoders.

    Attributes:
        name: name in the table.
        model: name of the class of transformers, without its ending.
        sizes: sizes of the tiny model.
        rate: learning rate with which the tiny model learns the task.
        epochs: number of times that the base sees the rows.
    """

    name: str
    model: str
    sizes: Mapping[str, Any]
    rate: float = 3e-3
    epochs: int = 12


FAMILIES = (
    Family("BERT", "Bert", SIZES | LENGTH),
    Family("RoBERTa", "Roberta", SIZES | LENGTH, epochs=24),
    Family("XLM-RoBERTa", "XLMRoberta", SIZES | LENGTH, epochs=24),
    Family("DistilBERT", "DistilBert", {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64} | LENGTH),
    Family("MPNet", "MPNet", SIZES | LENGTH),
    Family("ELECTRA", "Electra", SIZES | LENGTH | {"embedding_size": 16}),
    Family("ALBERT, a group per layer", "Albert", SIZES | LENGTH | {"embedding_size": 16, "num_hidden_groups": 2}),
    Family("DeBERTa v2", "DebertaV2", DEBERTA | {"share_att_key": False, "conv_kernel_size": 3}),
    Family("DeBERTa v3", "DebertaV2", DEBERTA),
    Family("ModernBERT", "ModernBert", SIZES | LENGTH | {"local_attention": 8, "global_attn_every_n_layers": 2}),
    Family("MobileBERT", "MobileBert", SIZES | LENGTH | {
        "embedding_size": 16, "intra_bottleneck_size": 16, "num_feedforward_networks": 2, "hidden_size": 48,
    }),
    Family("EuroBERT", "EuroBert", SIZES | LENGTH | {"num_key_value_heads": 2}),
    Family("data2vec-text", "Data2VecText", SIZES | LENGTH, epochs=24),
)  # fmt: skip


REFUSED = (
    Family("ALBERT, groups that repeat", "Albert", SIZES | LENGTH | {"embedding_size": 16, "num_hidden_groups": 1}),
    Family("BART", "Bart", {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2}),
    Family("CANINE", "Canine", SIZES),
    Family("ConvBERT", "ConvBert", SIZES | LENGTH | {"embedding_size": 16}),
    Family("FlauBERT, XLM", "Flaubert", {"emb_dim": 32, "n_layers": 2, "n_heads": 4}),
    Family("FNet", "FNet", {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}),
    Family("GPT-2", "GPT2", {"n_embd": 32, "n_layer": 2, "n_head": 4}),
    Family("Llama", "Llama", SIZES | LENGTH),
    Family("Longformer", "Longformer", SIZES | LENGTH | {"attention_window": 8}),
    Family("OPT", "OPT", SIZES | LENGTH | {"ffn_dim": 64, "word_embed_proj_dim": 32}),
    Family("T5", "T5", {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}),
    Family("XLNet", "XLNet", {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64}),
)
"""Families that `dse` refuses."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A plugin in its mildest setting.

    Attributes:
        kind: kind of the plugin.
        plugin: name of the plugin.
        label: name in the table.
        options: options of the plugin.
        values: values of its parameters.
    """

    kind: str
    plugin: str
    label: str
    options: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


FEW = {"rows": 32}
TRAINED = {"route": "trained"}
WHOLE = {"heads": 1.0, "ffn": 1.0}
TRUNK = {"depths": [2], "block": 8, "recovery_rows": 32, "exit_rows": 96} | FEW
SETTINGS = (
    Setting("generator", "independent", "independent"),
    Setting("generator", "shared-prefix", "shared-prefix", {}, {"depth": 0}),
    Setting("generator", "mtl-shared", "mtl-shared"),
    Setting("generator", "mgen", "mgen, trained", TRUNK, WHOLE | {"own": 1}),
    Setting("generator", "mgen", "mgen, trained, exits", TRUNK | {"exits": True}, WHOLE | {"own": 0, "confidence": 0.95}),
    Setting("generator", "mgen", "mgen, free", TRUNK | {"route": "free"}, WHOLE | {"trunk": 0}),
    Setting(
        "generator", "mgen", "mgen, free, exits", TRUNK | {"route": "free", "exits": True},
        WHOLE | {"trunk": 0, "confidence": 0.95},
    ),
    Setting("compressor", "none", "none"),
    Setting("compressor", "ptq", "ptq", {}, {"bits": 7}),
    Setting("compressor", "two-stage", "two-stage", {}, {"cosine": 1.0, "max_bits": 8}),
    Setting("compressor", "bitdelta", "bitdelta", {}, {"scale": "channel"}),
    Setting("compressor", "dare", "dare", {}, {"drop": 0.0, "bits": 8}),
    Setting("compressor", "ternary", "ternary", {}, {"density": 1.0}),
    Setting("compressor", "tile-drop", "tile-drop", FEW, {"keep": 1.0}),
    Setting("compressor", "mixed-precision", "mixed-precision", FEW, {"bits": 3.0}),
    Setting("compressor", "low-rank", "low-rank", {}, {"rank": 16, "precise": 1.0}),
    Setting("compressor", "graded", "graded", FEW, {"share": 1.0}),
    Setting("compressor", "lora", "lora, free", {}, {"rank": 16}),
    Setting("compressor", "lora", "lora, trained", TRAINED),
    Setting("compressor", "piggyback", "piggyback, free"),
    Setting("compressor", "piggyback", "piggyback, trained", TRAINED),
    Setting("compressor", "xma2", "xma2, free", FEW | {"tile_rows": 8, "tile_columns": 8}, {"share": 1.0}),
    Setting("compressor", "xma2", "xma2, trained", TRAINED | {"tile_rows": 8, "tile_columns": 8, "shares": [0.5]}),
)  # fmt: skip


def make(family: Family, *, seed: int = 0, initializer_range: float = 0.3) -> Any:
    """Make a classifier of a family with random weights, by default so large that its answers differ from row to row."""
    import torch
    import transformers

    torch.manual_seed(seed)
    vocabulary = {"vocab_size": len(SPECIAL) + len(WORDS), "pad_token_id": 0, "initializer_range": initializer_range}
    dropout = dict.fromkeys(
        ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"), 0.0
    )
    config = getattr(transformers, f"{family.model}Config")(**{**vocabulary, **dropout, **family.sizes})
    return getattr(transformers, family.model + CLASSIFIER)(config).eval()


def write_family(folder: Path, family: Family) -> None:
    """Write the base of a family and two checkpoints that were trained from it, with their rows.

    The first checkpoint was trained whole, its embeddings too; the second one with the base's embeddings.
    """
    import transformers

    write_rows(folder)
    write_tokenizer(folder / "base", WORDS)
    first = make(family, initializer_range=0.02)
    train(first, folder, "own", rate=family.rate, epochs=family.epochs)
    first.base_model.save_pretrained(folder / "base")
    for name in TASKS:
        model = getattr(transformers, family.model + CLASSIFIER).from_pretrained(folder / "base")
        model.load_state_dict(first.state_dict())
        train(model, folder, name, rate=family.rate / 20, epochs=3)
        model.save_pretrained(folder / name)


def write_rows(folder: Path) -> None:
    """Write rows of two tasks: the word that decides a class, among words that do not."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(0)
    for name in TASKS:
        for part, count in (("train", TRAIN), ("search", 2 * SEARCH)):
            lines = []
            for _ in range(count):
                label = chance.randrange(2)
                words = [*chance.choices(FILLER, k=chance.randint(3, 8)), WORDS[label]]
                chance.shuffle(words)
                lines.append(f"{' '.join(words)}\t{label}")
            text = "\n".join(["text\tlabel", *lines])
            (folder / f"{name}-{part}.tsv").write_text(text + "\n", encoding="utf-8")


def train(model: Any, folder: Path, name: str, *, rate: float, epochs: int) -> None:
    """Train a model on rows of a task, without its embeddings if the task is to share those of the base."""
    import torch

    inputs, labels = read_rows(folder, f"{name}-train")
    frozen = Decomposed(model, trace=False).embedding_names() if name == "shared" else set()
    trained = [value for key, value in model.named_parameters() if key not in frozen]
    optimizer = torch.optim.Adam(trained, lr=rate)
    model.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(labels)).split(16):
            logits = model(**{key: value[chosen] for key, value in inputs.items()}).logits
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels[chosen]).backward()
            optimizer.step()
    model.eval()


def read_rows(folder: Path, name: str) -> tuple[dict[str, Any], Any]:
    """Return the inputs of a model, and the labels, of a file of rows."""
    import torch
    from transformers import AutoTokenizer

    rows = [line.split("\t") for line in (folder / f"{name}.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    inputs = tokenizer([text for text, _ in rows], padding=True, return_tensors="pt")
    return dict(inputs), torch.tensor([int(label) for _, label in rows])


def score_with_transformers(folder: Path, name: str) -> float:
    """Return the accuracy of a checkpoint on the rows of its task, by transformers alone."""
    import torch
    from transformers import AutoModelForSequenceClassification

    inputs, labels = read_rows(folder, f"{name}-search")
    model = AutoModelForSequenceClassification.from_pretrained(folder / name).eval()
    with torch.inference_mode():
        answers = model(**inputs).logits.argmax(dim=-1)
    return float((answers == labels).double().mean())


class Runs:
    """A family's two tasks, which one plugin after another runs.

    Args:
        folder: folder that `write_family` filled.
        cache: folder for trained weights and measurements.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        from dse.models.shapes import load
        from dse.plugins.registry import Registry
        from dse.space.workload import parse

        tasks = [
            {
                "name": name, "kind": "classification", "metric": "accuracy", "max_length": 16,
                "checkpoint": str(folder / name), "fine_tune": {"epochs": 12, "learning_rate": 5e-4, "batch": 16},
                "data": {"path": str(folder / f"{name}-search.tsv"), "train": str(folder / f"{name}-train.tsv")},
            }
            for name in TASKS
        ]  # fmt: skip
        self._cache = cache
        self._loaded = load(parse({"base": str(folder / "base"), "tasks": tasks}), cache=cache, device="cpu")
        self._registry = Registry().discover()

    def score(self, setting: Setting) -> dict[str, float]:
        """Return each task's score with one plugin in one setting; the design is costed, too."""
        from dse.score.problem import WorkloadProblem
        from dse.space.file import ReferenceHardware

        chosen: dict[Any, str] = {
            "generator": "independent",
            "compressor": "none",
            "scheduler": "fixed",
            "hardware": "isaac",
        }
        chosen[setting.kind] = setting.plugin
        plugins = tuple(
            (kind, name, dict(setting.options) if kind == setting.kind else {}) for kind, name in chosen.items()
        )
        problem = WorkloadProblem(self._loaded, plugins, ReferenceHardware(), self._registry, cache=self._cache)
        problem.prepare(scores=False)
        default = problem.default_point(
            (chosen["generator"], chosen["compressor"], chosen["scheduler"], chosen["hardware"])
        )
        values: dict[str, Any] = dict(default.values)
        for name, value in setting.values.items():
            full = f"{setting.kind}.{setting.plugin}.{name}"
            if full in values:  # heads or columns of some families cannot be left out
                values[full] = (value,) * len(values[full]) if isinstance(values[full], tuple) else value
        point = replace(default, values=values)
        (cost,) = problem.cost([point])
        assert (cost.metrics["area_mm2"] or 0) > 0
        return dict(problem.score(point).tasks)


def judge(runs: Runs, own: Mapping[str, float], setting: Setting) -> str:
    """Return the cell of a plugin in the table: yes if no task loses more than a point against transformers."""
    lost = max(own[name] - score for name, score in runs.score(setting).items())
    return "yes" if lost <= 0.01 else f"no: loses {100 * lost:.1f} points"


def judge_all(folder: Path, family: Family, settings: Sequence[Setting] = SETTINGS) -> dict[str, str]:
    """Return the cells of a family by plugin, from models that are made and trained in a folder."""
    write_family(folder, family)
    own = {name: score_with_transformers(folder, name) for name in TASKS}
    assert min(own.values()) > 0.95, "the tiny models must know their tasks"
    runs = Runs(folder, folder / "cache")
    return {setting.label: judge(runs, own, setting) for setting in settings}


def refusal(family: Family) -> str:
    """Return the reason for which a family is refused, as the page says it."""
    try:
        Decomposed(make(family)).shape()
    except CheckpointError as error:
        return str(error).splitlines()[0]
    return "not refused"


def render(record: Mapping[str, Any]) -> str:
    """Return the tables of the page from their record."""
    runs, refused = record["runs"], record["refused"]
    lines = [f"| plugin | {' | '.join(runs)} |", "|---" * (len(runs) + 1) + "|"]
    lines += [
        f"| `{setting.label}` | {' | '.join(cells[setting.label] for cells in runs.values())} |" for setting in SETTINGS
    ]
    lines += ["", "| refused | reason |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {reason} |" for name, reason in refused.items())])


def main() -> None:
    """Judge every family with every plugin; write the record and the tables of the page."""
    runs = {}
    for family in FAMILIES:
        with TemporaryDirectory() as folder:
            runs[family.name] = judge_all(Path(folder) / "family", family)
    write_page({"runs": runs, "refused": {family.name: refusal(family) for family in REFUSED}})


def write_page(record: Mapping[str, Any]) -> None:
    """Write the record, and the tables of the page between its marks."""
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    before, _, after = re.split(MARKS, PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{render(record)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
