"""`dse components build`: make a table of component costs again."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dse.commands.plugins_list import TIME_LIMIT_S
from dse.errors import SetupError
from dse.plugins.environments import Needs, make_environment, run_script
from dse.plugins.registry import load_registry
from dse.records.callbacks import MessageCallback, ignore_message, ignore_progress
from dse.records.plugin import ComponentTable, HardwareModel
from dse.results.output import write_output
from dse.worker.process import Worker


@dataclass(frozen=True, slots=True)
class Built:
    """A table that was built.

    Attributes:
        file: path of the table.
        changed: number of lines that differ from the table that comes with the model.
    """

    file: Path
    changed: int


def components_build(
    name: str,
    *,
    python: str | None = None,
    out: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    say: MessageCallback = ignore_message,
) -> Built:
    """Make the component table of a hardware model again, in a separate environment that is deleted afterwards.

    Args:
        name: name of the hardware model.
        python: program to make the environment with; by default the first on the path that is new enough.
        out: file to write; by default the model's own table.
        plugins: bare plugin files.
        say: callback for what is being done.

    Raises:
        OutputError: the file cannot be written.
        SetupError: the model has no such table, or the machine lacks what making it needs.
        UnknownNameError: there is no such hardware model.
    """
    with Worker(TIME_LIMIT_S, ignore_progress) as worker:
        table: ComponentTable = worker.call(_find_table, name, [Path(path).resolve() for path in plugins])
    file = Path(out) if out is not None else table.file
    needs = Needs(table.python, table.requirements, table.compiled, table.programs)
    with tempfile.TemporaryDirectory(prefix="dse-components-") as folder:
        own = make_environment(Path(folder) / "environment", needs, python=python, say=say)
        say(f"running {table.script.name}")
        output = Path(folder) / table.file.name
        run_script(own, table.script, [str(output)])
        if not output.is_file():
            raise SetupError(
                f"{table.script.name} wrote no table", where=table.script, expected="a file named by its argument"
            )
        text = output.read_text(encoding="utf-8")
    before = table.file.read_text(encoding="utf-8").splitlines() if table.file.is_file() else []
    write_output(file, lambda path: path.write_text(text, encoding="utf-8"))
    return Built(file, len(set(before) ^ set(text.splitlines())))


def _find_table(name: str, plugins: list[Path], report: object) -> ComponentTable:
    """Return the table of a hardware model; called in a worker, which imports the plugins."""
    del report
    model = load_registry(plugins).get("hardware", name)
    if not isinstance(model, HardwareModel) or model.components is None:
        raise SetupError(
            f"hardware {name!r} has no table of component costs to build",
            expected="a model whose record has `components`, such as neurosim",
        )
    return model.components
