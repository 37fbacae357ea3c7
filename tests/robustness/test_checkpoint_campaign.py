"""Checkpoints of strangers: each scores as transformers scores it on every row, or is refused with the reason.

Each case says its outcome beside the checkpoint. The labels of the rows are a model's own answers by transformers, a tenth of
them changed, so a class, a weight or a token in the wrong place shows in the score.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertTokenizer

import dse
from dse.errors import DseError
from tests.support.tiny import CLASSIFIER, WORDS, make_config, make_model, write_tokenizer

SEED = 20
SEARCH, REPORT = 120, 40
NOISE = 0.1
WEIGHTS = "model.safetensors"
QUERY = "bert.encoder.layer.0.attention.self.query"
VALUE = "bert.encoder.layer.1.attention.self.value"
DEBERTA = {
    "relative_attention": True, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0,
}  # fmt: skip
SPACE = """
schema = 1
name = "stranger"

[workload]
base = "base"
{tasks}
[search]
precision = "fp32"
objectives = ["area", "energy"]

[generator]
plugins = ["independent"]

[compressor]
plugins = ["none"]

[scheduler]
plugins = ["fixed"]

[hardware]
plugins = ["isaac"]
"""
TASK = """
[[workload.tasks]]
name = "{name}"
kind = "{kind}"
metric = "{metric}"
max_length = {longest}
checkpoint = "{checkpoint}"
[workload.tasks.data]
path = "rows.tsv"
report = "report.tsv"
columns = {{ text = "text", label = "label"{second} }}
{data}
"""


@dataclass
class Stranger:
    """A folder with the base, the checkpoint and the rows of a case.

    Attributes:
        folder: folder of the space file.
        seed: seed of every weight and row.
        pairs: whether a row has two texts.
        capital: whether texts begin with a capital letter.
        regression: whether the task is a regression.
        longest: longest text in tokens.
        labels: label of a class in the file; by default the class's number.
        classes: number of classes in the file.
        data: more lines of the table of data.
        checkpoint: folder of the checkpoint.
        tasks: number of tasks with this checkpoint.
        truth: model with the right weights; None if transformers reads the checkpoint itself.
        texts: texts of each row.
    """

    folder: Path
    seed: int
    pairs: bool = False
    capital: bool = False
    regression: bool = False
    longest: int = 24
    labels: Callable[[int], str] = str
    classes: int = 2
    data: str = ""
    checkpoint: str = "tuned"
    tasks: int = 1
    truth: Any = None
    texts: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        while len(self.texts) < SEARCH + REPORT:
            pair = tuple(" ".join(chance.choices(WORDS, k=chance.randint(3, 8))) for _ in range(2))
            if all(pair[0] != one for one, _ in self.texts):
                self.texts.append((pair[0], pair[1]))
        self.write_base()

    @property
    def tuned(self) -> Path:
        return self.folder / self.checkpoint

    def write_base(self, family: str = "Bert", *, head: str = "Model", **changes: Any) -> None:
        """Write the base with its tokenizer; a second call replaces it."""
        shutil.rmtree(self.folder / "base", ignore_errors=True)
        config = make_config(family, **({"initializer_range": 0.3, "pad_token_id": 0} | changes))
        make_model(config, head=head, seed=self.seed).save_pretrained(self.folder / "base")
        write_tokenizer(self.folder / "base")

    def write_tuned(self, family: str = "Bert", *, outputs: int = 2, center: bool = True, **changes: Any) -> Any:
        """Write a checkpoint with random weights, whose answers lie in every class; return the model."""
        usual = {"initializer_range": 0.3, "pad_token_id": 0, "num_labels": outputs}
        model = make_model(make_config(family, **(usual | changes)), head=CLASSIFIER, seed=self.seed + 1)
        if center:
            self.center(model)
        model.save_pretrained(self.tuned)
        self.classes = outputs
        return model

    def center(self, model: Any) -> None:
        """Move the outputs of a model so that none is the largest in most rows."""
        last = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
        logits = self.run(model)
        if last.bias is not None:
            last.bias.data -= logits.mean(dim=0)
        last.weight.data /= logits.std() + 1e-6
        if last.bias is not None:
            last.bias.data /= logits.std() + 1e-6

    def run(self, model: Any) -> torch.Tensor:
        """Return the outputs for every row by transformers, one row at a time, shape (rows, outputs)."""
        own = (self.tuned / "tokenizer_config.json").is_file()
        tokenizer = AutoTokenizer.from_pretrained(self.tuned if own else self.folder / "base")
        rows = []
        with torch.inference_mode():
            for text in self.list_texts():
                parts = text if self.pairs else text[:1]
                inputs = tokenizer(*parts, truncation=True, max_length=self.longest, return_tensors="pt")
                rows.append(model.eval()(**inputs, return_dict=True).logits[0])
        return torch.stack(rows).float()

    def list_texts(self) -> list[tuple[str, str]]:
        return [(one.capitalize() if self.capital else one, other) for one, other in self.texts]

    def write_rows(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Write the rows, labelled by the answers of a model with noise; return the numbers of the labels."""
        chance = np.random.default_rng(self.seed)
        noisy = chance.random(len(values)) < NOISE
        if self.regression:
            truth = values + chance.normal(0, 0.3 * values.std() + 1e-6, len(values))
            names = [f"{value:.6f}" for value in truth]
            truth = np.array([float(name) for name in names])
        else:
            truth = np.where(noisy, (values + 1) % self.classes, values)
            names = [self.labels(int(number)) for number in truth]
        for name, part in (("rows", slice(SEARCH)), ("report", slice(SEARCH, None))):
            lines = [
                f"{one}\t{other}\t{label}"
                for (one, other), label in zip(self.list_texts()[part], names[part], strict=True)
            ]
            head = "text\ttext_b\tlabel" if self.pairs else "text\tother\tlabel"
            (self.folder / f"{name}.tsv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
        return truth[:SEARCH]

    def check(self) -> list[float]:
        """Run `dse check`; return the score of each task in fp32."""
        kind, metric = ("regression", "pearson") if self.regression else ("classification", "accuracy")
        keys = {
            "kind": kind,
            "metric": metric,
            "longest": self.longest,
            "checkpoint": self.checkpoint,
            "data": self.data,
            "second": ', text_b = "text_b"' if self.pairs else "",
        }
        tasks = "".join(TASK.format(name=f"task{number}", **keys) for number in range(self.tasks))
        path = self.folder / "stranger.toml"
        path.write_text(SPACE.format(tasks=tasks), encoding="utf-8")
        report = dse.check(path, device="cpu", cache=self.folder / "cache", in_process=True)
        return [facts.fp32 for facts in report.baselines]

    def edit(self, change: Callable[[dict[str, torch.Tensor]], object], folder: str = "") -> None:
        """Change the tensors of the checkpoint."""
        path = self.folder / (folder or self.checkpoint) / WEIGHTS
        tensors = load_file(path)
        change(tensors)
        save_file({name: value.contiguous().clone() for name, value in tensors.items()}, path, {"format": "pt"})

    def configure(self, *gone: str, **changes: Any) -> None:
        """Change the configuration of the checkpoint."""
        path = self.tuned / "config.json"
        table = {name: value for name, value in json.loads(path.read_text()).items() if name not in gone}
        path.write_text(json.dumps(table | changes), encoding="utf-8")

    def write_adapter(
        self,
        scales: Mapping[str, tuple[int, float]],
        *,
        outputs: int = 2,
        kind: torch.dtype = torch.float32,
        **config: Any,
    ) -> dict[str, torch.Tensor]:
        """Write a LoRA adapter whose module has this rank and this factor of B A; the truth is merged here."""
        self.truth = AutoModelForSequenceClassification.from_pretrained(
            self.folder / "base", num_labels=outputs, ignore_mismatched_sizes=True, return_dict=True
        )
        state, tensors = self.truth.state_dict(), dict[str, torch.Tensor]()
        torch.manual_seed(self.seed + 2)
        for module, (rank, scale) in scales.items():
            rows, columns = state[f"{module}.weight"].shape
            first, second = torch.randn(rank, columns).to(kind), (torch.randn(rows, rank) / 4).to(kind)
            tensors |= {f"{module}.lora_A.weight": first, f"{module}.lora_B.weight": second}
            state[f"{module}.weight"] += scale * (second.double() @ first.double()).float()
        torch.nn.init.normal_(state["classifier.weight"])
        self.center(self.truth)
        tensors |= {name: value.clone() for name, value in state.items() if name.startswith("classifier")}
        self.tuned.mkdir()
        self.save_adapter(tensors)
        usual = {
            "peft_type": "LORA",
            "task_type": "SEQ_CLS",
            "r": 4,
            "lora_alpha": 8,
            "base_model_name_or_path": "base",
        }
        (self.tuned / "adapter_config.json").write_text(json.dumps(usual | config), encoding="utf-8")
        self.classes = outputs
        return tensors

    def save_adapter(self, tensors: Mapping[str, torch.Tensor]) -> None:
        named = {f"base_model.model.{name}": value.contiguous() for name, value in tensors.items()}
        save_file(named, self.tuned / "adapter_model.safetensors")


Make = Callable[[Stranger], object]
RUNS: tuple[str, ...] = ()
CASES: dict[str, tuple[Make, tuple[str, ...]]] = {}
"""What writes the case, and words of the refusal; no words: the score is that of transformers."""


def case(*words: str) -> Callable[[Make], Make]:
    """Add a case under the name of its function."""

    def add(make: Make) -> Make:
        CASES[make.__name__] = (make, words)
        return make

    return add


def name_outputs(names: Mapping[int, str], **others: Any) -> dict[str, Any]:
    return {"id2label": {str(number): name for number, name in names.items()}} | others


# LoRA and other adapters
@case()
def lora_patterns_and_rank_stabilised(one: Stranger) -> None:
    one.write_adapter(
        {QUERY: (2, 8 / 2**0.5), VALUE: (4, 3 / 2)},
        use_rslora=True, rank_pattern={"layer.0.*query": 2}, alpha_pattern={r"layer\.1.*value": 3},
    )  # fmt: skip


@case()
def lora_of_seven_outputs_in_half_precision(one: Stranger) -> None:
    one.write_adapter({QUERY: (4, 2), VALUE: (4, 2)}, outputs=7, kind=torch.float16)


@case()
def lora_with_alpha_zero(one: Stranger) -> None:
    one.write_adapter({QUERY: (4, 0)}, lora_alpha=0)


@case("is not a plain LoRA", "use_dora")
def dora(one: Stranger) -> None:
    one.write_adapter({QUERY: (4, 2)}, use_dora=True)


@case("adapter", "lora_magnitude_vector")
def dora_that_its_table_does_not_name(one: Stranger) -> None:
    tensors = one.write_adapter({QUERY: (4, 2)})
    one.save_adapter(tensors | {f"{QUERY}.lora_magnitude_vector.weight": torch.ones(32)})


@case("is not a plain LoRA", "IA3")
def ia3(one: Stranger) -> None:
    one.write_adapter({}, peft_type="IA3")


@case("not finite", QUERY)
def lora_with_a_nan(one: Stranger) -> None:
    tensors = one.write_adapter({QUERY: (4, 2)})
    one.save_adapter(tensors | {f"{QUERY}.lora_A.weight": torch.full((4, 32), torch.nan)})


@case("not finite", "classifier.weight")
def lora_whose_classifier_is_infinite(one: Stranger) -> None:
    tensors = one.write_adapter({QUERY: (4, 2)})
    one.save_adapter(tensors | {"classifier.weight": torch.full((2, 32), torch.inf)})


@case("not finite", VALUE)
def lora_whose_product_overflows(one: Stranger) -> None:
    tensors = one.write_adapter({VALUE: (4, 2)})
    one.save_adapter(tensors | {f"{VALUE}.lora_{side}.weight": torch.full(shape, 1e30) for side, shape in
                                (("A", (4, 32)), ("B", (32, 4)))})  # fmt: skip


@case("no classifier", "modules_to_save")
def lora_on_the_classifier_itself(one: Stranger) -> None:
    tensors = one.write_adapter({"classifier": (4, 2)})
    one.save_adapter({name: value for name, value in tensors.items() if "lora" in name})


# heads
@case("fewer outputs than the data has labels")
def one_output_for_two_classes(one: Stranger) -> None:
    one.write_tuned(outputs=1)
    one.classes = 2


@case("fewer outputs than the data has labels")
def a_regression_for_three_classes(one: Stranger) -> None:
    one.write_tuned(outputs=1, problem_type="regression")
    one.classes = 3


@case("is not a regression")
def three_outputs_for_a_regression(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.regression = True


@case()
def a_regression(one: Stranger) -> None:
    one.regression = True
    one.write_tuned(outputs=1, problem_type="regression")


@case()
def seven_outputs(one: Stranger) -> None:
    one.write_tuned(outputs=7)


@case()
def a_base_with_a_head_of_seven(one: Stranger) -> None:
    one.write_base(head=CLASSIFIER, num_labels=7)
    one.write_tuned(outputs=2)


@case()
def a_base_with_a_head_of_one_and_an_adapter(one: Stranger) -> None:
    one.write_base(head=CLASSIFIER, num_labels=1, problem_type="regression")
    one.write_adapter({QUERY: (4, 2)}, outputs=3)


# names of outputs
@case()
def permuted_names(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.configure(**name_outputs({0: "c", 1: "a", 2: "b"}, label2id={"c": 0, "a": 1, "b": 2}))
    one.labels = "cab".__getitem__


@case()
def permuted_default_names(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.configure("label2id", **name_outputs({0: "LABEL_2", 1: "LABEL_0", 2: "LABEL_1"}))
    one.labels = ("LABEL_2", "LABEL_0", "LABEL_1").__getitem__


@case()
def default_names_permuted_by_label2id(one: Stranger) -> None:
    one.write_tuned()
    one.configure("id2label", label2id={"LABEL_1": 0, "LABEL_0": 1})
    one.labels = ("LABEL_1", "LABEL_0").__getitem__


@case()
def permuted_integers_as_names(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.configure("label2id", **name_outputs({0: "2", 1: "0", 2: "1"}))
    one.labels = "201".__getitem__


@case()
def default_names_as_labels(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.labels = "LABEL_{}".format


@case()
def names_with_other_case_and_dashes(one: Stranger) -> None:
    one.write_tuned()
    one.configure("label2id", **name_outputs({0: "Not-Good", 1: "VERY_GOOD"}))
    one.labels = ("not good", "very good").__getitem__


@case("does not name exactly the outputs that it has")
def partial_names(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.configure("label2id", **name_outputs({0: "a", 2: "c"}))


@case("neither names nor numbers", "labels = {")
def names_unlike_the_data(one: Stranger) -> None:
    one.write_tuned()
    one.configure("label2id", **name_outputs({0: "ham", 1: "spam"}))
    one.labels = ("good", "bad").__getitem__


@case()
def names_unlike_the_data_with_a_table(one: Stranger) -> None:
    one.write_tuned()
    one.configure("label2id", **name_outputs({0: "ham", 1: "spam"}))
    one.labels, one.data = ("good", "bad").__getitem__, "labels = { bad = 1, good = 0 }"


@case("disagree")
def names_that_contradict(one: Stranger) -> None:
    one.write_tuned()
    one.configure(**name_outputs({0: "no", 1: "yes"}, label2id={"no": 1, "yes": 0}))
    one.labels = ("no", "yes").__getitem__


@case("the same name", "'a'")
def two_outputs_of_one_name(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.configure("label2id", **name_outputs({0: "a", 1: "a", 2: "b"}))
    one.labels = "aab".__getitem__


@case("the same name", "'LABEL_0'")
def two_outputs_of_one_default_name(one: Stranger) -> None:
    one.write_tuned()
    one.configure("label2id", **name_outputs({0: "LABEL_0", 1: "LABEL_0"}))


@case("classifier.bias", "shape of a weight")
def no_names_and_three_outputs(one: Stranger) -> None:
    one.write_tuned(outputs=3)
    one.configure("id2label", "label2id")
    one.classes = 2


# vocabulary and tokenizer
@case()
def larger_embeddings(one: Stranger) -> None:
    model = one.write_tuned()
    model.resize_token_embeddings(64, mean_resizing=False)
    model.save_pretrained(one.tuned)


@case("more tokens than the embeddings have rows")
def smaller_embeddings(one: Stranger) -> None:
    one.write_tuned(vocab_size=12, center=False)


@case("word_embeddings.weight", "shape of a weight")
def a_vocabulary_that_the_weights_do_not_have(one: Stranger) -> None:
    one.write_tuned()
    one.configure(vocab_size=40)


@case("more tokens than the embeddings have rows")
def a_base_smaller_than_its_tokenizer(one: Stranger) -> None:
    one.write_tuned()
    one.write_base(vocab_size=12)


@case()
def words_added_that_the_rows_have(one: Stranger) -> None:
    model = one.write_tuned()
    tokenizer = AutoTokenizer.from_pretrained(one.folder / "base")
    tokenizer.add_tokens(["good film"])
    tokenizer.save_pretrained(one.tuned)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.save_pretrained(one.tuned)
    one.texts[0] = ("the good film", "")


@case()
def words_added_that_no_row_has(one: Stranger) -> None:
    model = one.write_tuned()
    tokenizer = AutoTokenizer.from_pretrained(one.folder / "base")
    tokenizer.add_tokens(["<url>"])
    tokenizer.save_pretrained(one.tuned)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.save_pretrained(one.tuned)


def write_cased(folder: Path) -> None:
    vocabulary = {word: number for number, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS))}
    BertTokenizer(vocab=vocabulary, do_lower_case=False).save_pretrained(folder)


@case()
def the_same_words_in_another_order(one: Stranger) -> None:
    write_tokenizer(one.tuned, random.Random(0).sample(WORDS, len(WORDS)))
    one.write_tuned()


@case("more tokens than the embeddings have rows", "tuned", "task 'task0'")
def a_tokenizer_larger_than_its_own_embeddings(one: Stranger) -> None:
    write_tokenizer(one.tuned, [*WORDS, "one", "more"])
    one.write_tuned(center=False)


@case()
def a_cased_tokenizer_and_capitals(one: Stranger) -> None:
    one.capital = True
    one.write_tuned()
    write_cased(one.tuned)


@case()
def a_cased_tokenizer_and_small_letters(one: Stranger) -> None:
    one.write_tuned()
    write_cased(one.tuned)


# other configurations
@case("a different family", "model_type bert", "model_type roberta", "tuned", "task 'task0'")
def another_family_of_the_same_shapes(one: Stranger) -> None:
    one.write_tuned("Roberta", center=False)


@case("a different family", "model_type electra", "tuned", "task 'task0'")
def a_family_with_another_pooler(one: Stranger) -> None:
    one.write_tuned("Electra", center=False)


@case("more tokens", "positions", "at most 16", "tuned")
def fewer_positions_than_max_length(one: Stranger) -> None:
    one.write_tuned(max_position_embeddings=16)


@case("more tokens", "positions", "at most 16", "tuned")
def fewer_positions_than_rows_have(one: Stranger) -> None:
    one.write_tuned(max_position_embeddings=16, center=False)
    one.texts = [(f"{text} {text} {text}", other) for text, other in one.texts]


@case("more tokens", "positions", "at most 14", "tuned")
def fewer_positions_after_padding(one: Stranger) -> None:
    one.write_base("Roberta", pad_token_id=0)
    one.write_tuned("Roberta", max_position_embeddings=15, center=False)


@case()
def fewer_positions_that_suffice(one: Stranger) -> None:
    one.longest = 10
    one.write_tuned(max_position_embeddings=10)


@case()
def more_positions(one: Stranger) -> None:
    one.write_tuned(max_position_embeddings=64)


@case()
def another_activation(one: Stranger) -> None:
    one.write_tuned(hidden_act="relu")


@case()
def another_epsilon(one: Stranger) -> None:
    one.write_tuned(layer_norm_eps=0.5)


@case("a different architecture", "heads")
def other_heads_of_the_same_shapes(one: Stranger) -> None:
    one.write_tuned(num_attention_heads=8)


@case("a different architecture")
def fewer_layers(one: Stranger) -> None:
    one.write_tuned(num_hidden_layers=1)


@case("a different architecture")
def another_width_of_the_ffn(one: Stranger) -> None:
    one.write_tuned(intermediate_size=96)


@case("decoder")
def a_checkpoint_that_sees_the_past_alone(one: Stranger) -> None:
    one.write_tuned(is_decoder=True)


@case()
def outputs_as_a_tuple(one: Stranger) -> None:
    one.write_tuned()
    one.configure(return_dict=False)


@case()
def hidden_states_and_attention_as_outputs(one: Stranger) -> None:
    one.write_tuned()
    one.configure(output_hidden_states=True, output_attentions=True, _attn_implementation="eager")


@case()
def a_base_with_outputs_as_a_tuple(one: Stranger) -> None:
    one.write_base(return_dict=False)
    one.write_adapter({QUERY: (4, 2)})


# precisions and values of weights
def _store(kind: torch.dtype, name: str) -> Make:
    def make(one: Stranger) -> None:
        one.write_tuned()
        one.edit(lambda tensors: tensors.update({key: value.to(kind) for key, value in tensors.items()}))
        one.configure(dtype=name)

    return make


for _name, _kind in (("float16", torch.float16), ("bfloat16", torch.bfloat16), ("float64", torch.float64)):
    CASES[f"weights_in_{_name}"] = (_store(_kind, _name), RUNS)


@case("not finite", "classifier.bias")
def a_nan_in_the_head(one: Stranger) -> None:
    one.write_tuned()
    one.edit(lambda tensors: tensors["classifier.bias"].fill_(torch.nan))


@case("not finite")
def huge_weights(one: Stranger) -> None:
    one.write_tuned()
    one.edit(lambda tensors: tensors["bert.encoder.layer.1.output.dense.weight"].fill_(3e38))


@case("not finite", QUERY)
def a_double_beyond_single_precision(one: Stranger) -> None:
    one.write_tuned()
    one.edit(lambda tensors: tensors.update({f"{QUERY}.weight": torch.full((32, 32), 1e300, dtype=torch.float64)}))


@case()
def a_nan_in_a_key_that_no_module_has(one: Stranger) -> None:
    one.write_tuned()
    one.edit(lambda tensors: tensors.update({"extra.weight": torch.full((2, 2), torch.nan)}))


# keys and files
@case("lacks weights", "pooler")
def no_pooler(one: Stranger) -> None:
    one.write_tuned()
    one.edit(lambda tensors: [tensors.pop(name) for name in list(tensors) if "pooler" in name])


@case("lacks weights", "classifier")
def no_head(one: Stranger) -> None:
    one.write_tuned()
    one.edit(lambda tensors: [tensors.pop(name) for name in list(tensors) if "classifier" in name])


@case("lacks weights", "classifier")
def a_head_of_another_module(one: Stranger) -> None:
    one.write_tuned()
    one.edit(
        lambda tensors: tensors.update(
            {name.replace("classifier", "head.0"): tensors.pop(name) for name in list(tensors) if "classifier" in name}
        )
    )
    one.configure(auto_map={"AutoModelForSequenceClassification": "head.Own"})


def _rename(begin: str, cut: int = 0) -> Make:
    def make(one: Stranger) -> None:
        one.truth = one.write_tuned()  # transformers itself does not read these names
        one.edit(lambda tensors: tensors.update({begin + name[cut:]: tensors.pop(name) for name in list(tensors)}))

    return make


CASES["names_of_data_parallelism"] = (_rename("module."), RUNS)
CASES["names_of_lightning"] = (_rename("model."), ("lacks weights",))
CASES["names_of_nothing"] = (_rename("", cut=7), ("lacks weights",))


@case()
def an_encoder_without_its_prefix(one: Stranger) -> None:
    one.write_tuned()
    one.edit(lambda tensors: tensors.update({name.removeprefix("bert."): tensors.pop(name) for name in list(tensors)}))


@case()
def old_names_of_norms(one: Stranger) -> None:
    one.write_tuned()
    ends = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    one.edit(
        lambda tensors: tensors.update(
            {
                name.replace(new, old): tensors.pop(name)
                for new, old in ends.items()
                for name in list(tensors)
                if new in name
            }
        )
    )


@case()
def weights_in_shards(one: Stranger) -> None:
    one.write_tuned().save_pretrained(one.tuned, max_shard_size="20KB")
    (one.tuned / WEIGHTS).unlink(missing_ok=True)


@case("tuned", "incomplete")
def a_shard_is_missing(one: Stranger) -> None:
    weights_in_shards(one)
    sorted(one.tuned.glob("model-*"))[1].unlink()


@case()
def a_checkpoint_of_the_trainer(one: Stranger) -> None:
    one.checkpoint = "run/checkpoint-500"
    one.write_tuned()
    torch.save({"state": {}}, one.tuned / "optimizer.pt")
    (one.tuned / "trainer_state.json").write_text("{}", encoding="utf-8")


@case("holds checkpoints", "checkpoint-500")
def the_folder_of_a_run(one: Stranger) -> None:
    a_checkpoint_of_the_trainer(one)
    one.checkpoint = "run"


@case()
def two_files_of_weights(one: Stranger) -> None:
    model = one.write_tuned()
    torch.save(
        {name: torch.zeros_like(value) for name, value in model.state_dict().items()}, one.tuned / "pytorch_model.bin"
    )


# families, pairs and tasks
@case()
def a_cross_encoder(one: Stranger) -> None:
    one.pairs, one.longest = True, 18
    one.write_tuned(outputs=3)


@case("token type", "tuned")
def one_token_type_and_pairs(one: Stranger) -> None:
    one.pairs = True
    one.write_tuned(type_vocab_size=1, center=False)


@case("token type", "tuned")
def a_base_of_one_token_type_and_pairs(one: Stranger) -> None:
    one.pairs = True
    one.write_base(type_vocab_size=1)
    one.write_tuned(type_vocab_size=1, center=False)


@case()
def one_token_type_and_single_texts(one: Stranger) -> None:
    one.write_tuned(type_vocab_size=1)


def _family(family: str, **changes: Any) -> Make:
    def make(one: Stranger) -> None:
        one.write_base(family, **changes)
        one.write_tuned(family, outputs=3, **changes)

    return make


CASES["albert_of_a_group_per_layer"] = (_family("Albert", num_hidden_groups=2, embedding_size=16), RUNS)
CASES["albert_of_shared_layers"] = (_family("Albert", embedding_size=16), ("more than once",))
CASES["modernbert_with_a_mean"] = (
    _family("ModernBert", classifier_pooling="mean", local_attention=8, global_attn_every_n_layers=2), RUNS
)  # fmt: skip
CASES["deberta"] = (_family("DebertaV2", **DEBERTA), RUNS)
CASES["electra"] = (_family("Electra", embedding_size=16), RUNS)


@case()
def modernbert_with_another_pooling_than_the_base(one: Stranger) -> None:
    one.write_base("ModernBert", classifier_pooling="mean", local_attention=8)
    one.write_tuned("ModernBert", classifier_pooling="cls", local_attention=4)


@case("more than once")
def albert_that_shares_layers_under_a_base_that_does_not(one: Stranger) -> None:
    one.write_base("Albert", num_hidden_groups=2, embedding_size=16)
    one.write_tuned("Albert", num_hidden_groups=1, embedding_size=16)


@case()
def two_tasks_with_one_checkpoint(one: Stranger) -> None:
    one.tasks = 2
    one.write_tuned()


@case()
def the_base_itself(one: Stranger) -> None:
    one.write_tuned()
    shutil.rmtree(one.folder / "base")
    shutil.copytree(one.tuned, one.folder / "base")
    write_tokenizer(one.folder / "base")
    one.checkpoint = "base"


QUICK = (
    lora_with_a_nan, one_output_for_two_classes, permuted_default_names, fewer_positions_after_padding,
    other_heads_of_the_same_shapes, the_same_words_in_another_order, outputs_as_a_tuple, one_token_type_and_pairs,
)  # fmt: skip
"""Cases of seven kinds, which every run of the tests makes."""


def judge(one: Stranger, make: Make, words: tuple[str, ...]) -> None:
    """Write a case, and compare what `dse check` says of it with the outcome."""
    make(one)
    if words:
        one.write_rows(np.arange(SEARCH + REPORT) % one.classes * (1.0 if one.regression else 1))
        with pytest.raises(DseError) as caught:
            one.check()
        for word in words:
            assert word in str(caught.value)
        return
    model = one.truth or AutoModelForSequenceClassification.from_pretrained(one.tuned, dtype=torch.float32)
    logits = one.run(model).numpy()
    values = logits[:, 0] if one.regression else logits.argmax(axis=1)
    labels, values = one.write_rows(values), values[:SEARCH]
    right = float(np.corrcoef(values, labels)[0, 1] if one.regression else np.mean(values == labels))
    assert right > 0.8
    assert one.regression or max(np.bincount(values)) < 0.8 * SEARCH, "a wrong class must show"
    assert one.check() == pytest.approx([right] * one.tasks, abs=1e-5)


def _mark(name: str) -> Any:
    return pytest.param(name, marks=() if CASES[name][0] in QUICK else pytest.mark.slow)


@pytest.mark.parametrize("name", list(map(_mark, CASES)))
def test_a_checkpoint_of_a_stranger_scores_as_transformers_does_or_is_refused(name: str, tmp_path: Path) -> None:
    make, words = CASES[name]
    judge(Stranger(tmp_path, SEED + list(CASES).index(name)), make, words)
