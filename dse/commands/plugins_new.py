"""`dse plugins new`: write a new plugin as an installable package; the plugin works and passes its own test."""

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from dse.commands.plugins_list import plugins_list
from dse.errors import PackageError, unknown_name
from dse.files import check_new_folder
from dse.records.plugin import KINDS
from dse.space.toml_text import toml_value

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")
DESCRIPTIONS = {
    "generator": "some layers of each task use the base's weights",
    "compressor": "every owner whole, on a grid of fewer bits",
    "scheduler": "tasks sorted by rate or by length",
    "hardware": "a few constants for the parts of a tile",
}
"""Summary of each template's plugin, by kind."""


@dataclass(frozen=True, slots=True)
class NewPackage:
    """A package that was written.

    Attributes:
        folder: folder of the package.
        files: paths of all files, ``pyproject.toml`` first.
    """

    folder: Path
    files: tuple[Path, ...]


def plugins_new(kind: str, name: str, *, out: Path | str | None = None, description: str = "") -> NewPackage:
    """Write a package with one small plugin that works, its options and one parameter, and a test of its contract.

    The package is called ``dse-<name>``, and its module ``dse_<name>``.

    Args:
        kind: generator, compressor, scheduler or hardware.
        name: name of the plugin in space files.
        out: folder to write into, new or empty; by default a folder with the name of the package, in the working
            folder.
        description: one line about the plugin; by default what the template's plugin does.

    Raises:
        UnknownNameError: there is no such kind.
        PackageError: the name cannot be used or is taken, the description is not one line, or the folder is not empty.
    """
    from dse import __version__

    if kind not in KINDS:
        raise unknown_name("kind of plugin", kind, KINDS)
    words = _words(name)
    package, module = "-".join(["dse", *words]).lower(), "_".join(["dse", *words]).lower()
    _check_free(name, package, module)
    description = description or DESCRIPTIONS[kind]
    if not description.isprintable() or not description.strip():
        raise PackageError("the description is not one line of text", found=repr(description))
    folder = Path(out) if out is not None else Path(package)
    check_new_folder(folder, "the folder of the new package", error=PackageError, fix="name another folder with --out")
    values = {
        "kind": kind,
        "name": name,
        "distribution": package,
        "module": module,
        "class_name": "".join(word[0].upper() + word[1:] for word in words),
        "description": toml_value(description),  # a string in TOML is also a string in Python
        "plain_description": description,
        "dse_version": __version__,
    }
    sources = {
        folder / "pyproject.toml": "pyproject.toml",
        folder / "README.md": "README.md",
        folder / "src" / module / "__init__.py": f"{kind}/plugin.py",
        folder / "tests" / f"test_{'_'.join(words).lower()}.py": f"{kind}/test.py",
    }
    templates = files("dse.plugins") / "templates"
    for path, source in sources.items():
        text = Template((templates / f"{source}.template").read_text(encoding="utf-8")).substitute(values)
        _write(path, text)
    return NewPackage(folder, tuple(sources))


def _words(name: str) -> list[str]:
    """Return the words of a name that becomes part of a package's and a module's name."""
    if not _NAME.fullmatch(name):
        raise PackageError(
            "a plugin and its package cannot have this name",
            expected="words of letters and digits, joined by - or _, that begin with a letter, such as my-plugin",
            found=repr(name),
        )
    return re.split("[-_]", name)


def _check_free(name: str, package: str, module: str) -> None:
    """Refuse a name that a plugin, an installed package or a module has."""
    for info in plugins_list():
        if info.name == name:
            raise PackageError(
                f"a plugin called {name!r} exists already",
                found=" of ".join(part for part in (info.kind or info.status, info.distribution) if part),
                fix="choose another name",
            )
    try:
        installed = f"package {package} {distribution(package).version}"
    except PackageNotFoundError:
        installed = f"module {module}" if find_spec(module) is not None else ""
    if installed:
        raise PackageError(
            f"the package of a plugin called {name!r} would have the name of an installed package",
            found=installed,
            fix="choose another name",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PackageError(f"the package cannot be written: {error.strerror}", where=error.filename) from error
