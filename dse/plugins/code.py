"""Code that a plugin's results depend on: the modules that its objects come from, and those that these import.

Modules of installed packages other than the plugin's own count by the version of their distribution, and all others by
their files.
"""

import ast
import importlib.metadata
import importlib.util
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import CellType, FunctionType, MethodType, ModuleType

from dse.files import hash_parts

INSTALLED = {"site-packages", "dist-packages"}
"""Names of the folders of installed packages."""
NOT_CODE = {
    *("dse", "pluggy", "pydantic", "pydantic_core", "annotated_types", "typing_extensions"),
    *sys.stdlib_module_names,
}
"""Top-level modules that are in no key: the core, which has versions of its own, Python, and what only checks values."""


@dataclass(frozen=True, slots=True)
class Code:
    """Code of a plugin.

    Attributes:
        files: files of Python, that of the plugin's ``build`` first.
        releases: name and version of each distribution that these files import from.
    """

    files: tuple[Path, ...]
    releases: tuple[str, ...]

    @property
    def content(self) -> str:
        """Hash of the files."""
        return hash_parts((file.read_bytes() for file in self.files), size=8).hex()


def code_of(*parts: object, file: Path | None = None) -> Code:
    """Return the code of a plugin.

    Imports within functions count: plugins load heavy packages only when they need them.

    Args:
        parts: the callable that builds the plugin, and the built plugin, whose attributes may hold other plugins.
        file: file that announces the plugin, if it is a bare one.
    """
    files: dict[Path, None] = {}
    releases: set[str] = set()
    starts = [module for module in _list_modules(parts) if module.partition(".")[0] not in NOT_CODE]
    own = {module.partition(".")[0] for module in starts[:1]}
    waiting = [] if file is None else [file]
    waiting += [path for module in starts for path in _files_of_start(module, own, releases)]
    while waiting:
        path = waiting.pop(0)
        if path in files or not path.is_file():
            continue
        files[path] = None
        names = _list_imported(path, path.stat().st_mtime_ns)
        imported = [file for name in names for file in _find(name, path, own, releases)]
        waiting += sorted(file for file in imported if file not in files)
    return Code((*list(files)[:1], *sorted(list(files)[1:])), tuple(sorted(releases)))


def _list_modules(parts: Iterable[object]) -> list[str]:
    """Return the names of the modules that define these objects, and everything that they are made of."""
    waiting, seen = list(parts), dict[int, object]()
    modules: dict[str, None] = {}
    while waiting:
        value = waiting.pop(0)
        if id(value) in seen:
            continue
        seen[id(value)] = value  # the value stays alive, so that no other value gets its id
        waiting += _parts_of(value, modules)
    return list(modules)


def _parts_of(value: object, modules: dict[str, None]) -> Iterable[object]:
    """Note the module of an object; return what the object is made of."""
    if isinstance(value, type):
        modules.update(dict.fromkeys(base.__module__ for base in value.__mro__))
        return ()
    if isinstance(value, FunctionType):
        modules[value.__module__] = None
        return [cell.cell_contents for cell in value.__closure__ or () if cell != CellType()]
    if isinstance(value, MethodType):
        return value.__self__, value.__func__
    if isinstance(value, partial):
        return value.func, value.args, value.keywords
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return value
    top = type(value).__module__.partition(".")[0]
    inside = isinstance(value, ModuleType) or (top in NOT_CODE - {"types"})
    slots = [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
    return type(value), *(() if inside else (*getattr(value, "__dict__", {}).values(), *slots))


def _files_of_start(module: str, own: set[str], releases: set[str]) -> list[Path]:
    """Return the file of a module that the plugin's objects come from, or its whole folder if it is a package."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or _released(Path(file), module, own, releases):
        return []
    path = Path(file)
    return [path, *sorted(path.parent.rglob("*.py"))] if path.name == "__init__.py" else [path]


def _find(name: str, importer: Path, own: set[str], releases: set[str]) -> list[Path]:
    """Return the files that the import of a dotted name runs, the packages above the module included."""
    top, *rest = name.split(".")
    if top in NOT_CODE:
        return []
    folder = _folder_of(top, importer)
    if folder is None or _released(folder / top, top, own, releases):
        return []
    files = []
    for count in range(len(rest) + 1):
        path = folder.joinpath(top, *rest[:count])
        files += [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]
    return files


def _folder_of(top: str, importer: Path) -> Path | None:
    """Return the folder that holds a top-level module: that of the importer's package, or another one that Python knows."""
    for folder in (_root_of(importer).parent, importer.parent):
        if (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file():
            return folder
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec is not None else [""]
    return Path(places[0]).parent if places[0] else None


def _root_of(path: Path) -> Path:
    """Return the folder of the outermost package around a file, or the file itself."""
    root = path
    while (root.parent / "__init__.py").is_file():
        root = root.parent
    return root


def _released(path: Path, module: str, own: set[str], releases: set[str]) -> bool:
    """Return whether a module counts by the version of its distribution, which is noted."""
    top = module.partition(".")[0]
    if top in own or not (INSTALLED & set(path.parts) or path.is_relative_to(sysconfig.get_path("stdlib"))):
        return False
    releases.add(_release(top))
    return True


@cache
def _release(top: str) -> str:
    """Return name and version of the distribution of a top-level module."""
    try:
        return f"{top} {importlib.metadata.version(top)}"
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(top, [])  # slow: it reads every installed package
        return " ".join([top, *(f"{name} {importlib.metadata.version(name)}" for name in sorted(set(names)))])


@cache
def _list_imported(path: Path, changed_ns: int) -> tuple[str, ...]:
    """Return the dotted names that a file may import; for ``from a import b`` both ``a`` and ``a.b``."""
    del changed_ns  # it tells an edited file from the one that was read before
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return ()
    root = _root_of(path)
    package = () if root == path else (root.name, *path.relative_to(root).parts[:-1])
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [item.name for item in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*above, *([node.module] if node.module else [])])
            names += [name, *(f"{name}.{item.name}" for item in node.names)]
    return tuple(names)
