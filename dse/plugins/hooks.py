"""Hooks of a plugin's module and the records that they yield, checked before anything uses them."""

import inspect
import warnings

from dse.errors import PluginContractError, unknown_name
from dse.records.plugin import API, OLDEST_API, RECORD_TYPES, Kind, Options

GROUP = "dse"
HOOKS: dict[str, Kind] = {
    "dse_generators": "generator",
    "dse_compressors": "compressor",
    "dse_schedulers": "scheduler",
    "dse_hardware_models": "hardware",
    "dse_cell_models": "cell_model",
}


def refuse_unknown_hooks(plugin: object, source: str) -> None:
    """Raise for a function that only looks like a hook: pluggy alone sees only those marked with hookimpl."""
    for name, value in inspect.getmembers(plugin, inspect.isroutine):
        if name.startswith("dse_") and name not in HOOKS:
            near = unknown_name("hook", name, HOOKS, where=source)
            raise PluginContractError(near.what, where=source, expected=near.expected, fix=near.fix)
        if name in HOOKS and not hasattr(value, f"{GROUP}_impl"):
            raise PluginContractError(
                f"function {name} is not marked as a hook", where=source, fix="put @dse.hookimpl above it"
            )
        if name in HOOKS and inspect.signature(value).parameters:
            raise PluginContractError(
                f"hook {name} takes arguments", where=source, expected="none", found=f"{name}{inspect.signature(value)}"
            )


def check_record(record: object, kind: Kind, hook: str, source: str) -> None:
    """Refuse what a hook yielded unless it is a record of the hook's kind that can be used.

    Raises:
        PluginContractError: the record has another type or version, or its name, a text or its options are unusable.
    """
    expected = RECORD_TYPES[kind]
    if not isinstance(record, expected):
        what, needed = f"hook {hook} yielded a value that is not a record", f"dse.{expected.__name__}"
        raise PluginContractError(what, where=source, expected=needed, found=type(record).__name__)
    for field in ("name", "summary", "version", "source"):
        text = getattr(record, field)
        if not isinstance(text, str) or not text.isprintable() or not (text.strip() or field != "name"):
            what = f"hook {hook} yielded a record whose {field} is not one line of text: {text!a:.80}"
            raise PluginContractError(what, where=source)
    who = f"{kind} {record.name!r}"
    options: object = record.options
    build: object = record.build
    if record.api not in range(OLDEST_API, API + 1):
        fix, given = "install a release of the plugin for this version of dse", f"api {record.api!a:.80}"
        what = f"{who} is made for another version of the plugin contract, {given}"
        raise PluginContractError(what, where=source, expected=f"api {OLDEST_API} to {API}", found=given, fix=fix)
    if record.api < API:
        told = f"{source}: {who} is written for contract {record.api} of plugins; state api={API} once it follows contract {API}"
        warnings.warn(told, DeprecationWarning, stacklevel=2)
    if not callable(build):
        what = f"the build of {who} cannot be called"
        raise PluginContractError(what, where=source, expected="a function of the options", found=repr(build))
    if not (isinstance(options, type) and issubclass(options, Options)):
        what, needed = f"the options of {who} are not a class of options", "a subclass of dse.Options"
        raise PluginContractError(what, where=source, expected=needed, found=repr(options))
