"""Files of a model: its tables in JSON and its tensors, read without running code that a file holds."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from dse.errors import CheckpointError, SourceError

Key = TypeVar("Key")


def read_table(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds a table.

    Raises:
        CheckpointError: the file is missing or damaged, or holds something else.
    """
    try:
        table: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")).items())
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError("a JSON file of a model does not hold a table", where=path, found=error) from error
    return table


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, or of a file of torch that holds nothing but tensors.

    Raises:
        CheckpointError: the file is damaged, or holds more than tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        return {str(name): value.detach() for name, value in tensors.items()}
    except Exception as error:  # torch names no classes of errors; what its unpickler refuses has not run
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise CheckpointError("not a file of tensors, or damaged", where=path, found=reason) from error


def read_tensor(path: Path, name: str) -> Tensor:
    """Read a float32 copy of one tensor of a safetensors file, and nothing else."""
    with safe_open(path, "pt") as file:
        value: Tensor = file.get_tensor(name)
        return value.to(torch.float32, copy=True)


def find_tensors(
    names: Mapping[Key, str], tensors: Mapping[Key, Tensor], paths: Iterable[Path]
) -> dict[Key, tuple[Path, str]]:
    """Return the file and the name there of each tensor; empty unless safetensors files hold all of them.

    Args:
        names: names of the tensors in a model. In a file their beginnings may be missing, or longer.
        tensors: float32 values; those of a file must be equal.
        paths: safetensors files.
    """
    places: dict[Key, tuple[Path, str]] = {}
    for path in paths:
        with safe_open(path, "pt") as file:
            stored = list(file.keys())
        pairs = [
            (key, one) for key, name in names.items() for one in stored if name.endswith(one) or one.endswith(name)
        ]
        places |= {key: (path, one) for key, one in pairs if torch.equal(read_tensor(path, one), tensors[key])}
    return places if len(places) == len(tensors) else {}


@contextmanager
def name_damage(path: Path, what: str) -> Iterator[None]:
    """Turn whatever is wrong with a stored file into an error that names the file and says what it holds."""
    try:
        yield
    except (SafetensorError, OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{what} cannot be read", where=path, found=reason, fix="delete the file") from error


def check_folder(source: str) -> None:
    """Refuse a local folder that cannot be read as a whole model in float; a hub name passes.

    Raises:
        CheckpointError: the weights are quantised.
        SourceError: the folder holds an adapter, or the checkpoints of a run, and no model.
    """
    names = sorted(path.name for path in Path(source).glob("*"))
    runs = sorted((name for name in names if re.fullmatch(r"checkpoint-\d+", name)), key=len)
    if "config.json" in names:
        method = read_table(Path(source) / "config.json").get("quantization_config")
        if method:
            name = method.get("quant_method") if isinstance(method, dict) else method
            fix = "name the model in float that it was made from"
            raise CheckpointError(
                f"the model is quantised ({name}), and dse reads float weights", where=source, fix=fix
            )
    elif runs:
        raise SourceError(f"the folder of a run holds checkpoints; name one of them: {', '.join(runs)}", where=source)
    elif "adapter_config.json" in names:
        fix = "name the model that it was trained on as the base, and the adapter as the checkpoint of a task"
        raise SourceError("the folder holds an adapter and no whole model", where=source, fix=fix)


def find_damage(folder: Path) -> str:
    """Return a sentence on the first file of a folder's weights that cannot be read; empty if there is none."""
    for path in sorted(folder.glob("*model*")):
        try:
            if path.name.endswith(".index.json"):
                for name in sorted(set(read_table(path)["weight_map"].values())):
                    (folder / name).stat()
            elif path.suffix == ".safetensors":
                safe_open(path, "pt")
            elif path.suffix == ".bin":
                read_tensors(path)
        except Exception as error:
            reason = getattr(error, "found", None) or f"{type(error).__name__}: {error}"
            return f"{path.name} is damaged, cut short, incomplete or a pointer of Git LFS ({reason})"
    return ""
