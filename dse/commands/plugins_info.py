"""`dse plugins info`: everything about one plugin, before a study uses the plugin."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dse.commands.plugins_list import TIME_LIMIT_S, plugins_list
from dse.errors import UnknownNameError, unknown_name
from dse.plugins.call import describe_error
from dse.plugins.declared import check_parameters
from dse.plugins.listing import PluginInfo, unknown_of
from dse.plugins.options import OptionInfo, option_infos
from dse.plugins.registry import load_sources
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.parameters import Parameter
from dse.records.plugin import ALL_KINDS, HardwareModel, Kind
from dse.study.load import Request, load, request
from dse.worker.process import Worker


@dataclass(frozen=True, slots=True)
class PluginDetails(PluginInfo):
    """One plugin in full.

    Attributes:
        source: paper or table that the plugin follows, if any.
        options: values that a space file may set once per study.
        parameters: values that a search may choose, as declared with default options for a small example workload, or as
            declared for the workload of a space file, with its options.
        example: names of the parameters whose range or default follows from the workload, and so from the example; empty for
            the workload of a space file.
        undeclared: reason why the plugin declared no parameters, if so.
        uncharged: reason why a hardware model charges nothing for a quantity, by quantity.
        unit_costs: costs of a product on a hardware model as multiples of those of ISAAC, by name.
    """

    source: str = ""
    options: tuple[OptionInfo, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    example: tuple[str, ...] = ()
    undeclared: str = ""
    uncharged: Mapping[str, str] = field(default_factory=dict)
    unit_costs: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return values by attribute; a parameter also has its ``type`` and ``example``."""
        parameters = [
            {"type": type(item).__name__, **asdict(item), "example": item.name in self.example}
            for item in self.parameters
        ]
        return {**asdict(self), "parameters": parameters}


def plugins_info(
    name: str,
    kind: str | None = None,
    plugins: Iterable[Path | str] = (),
    *,
    space: Path | str | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> PluginDetails:
    """Return everything about one plugin; a plugin that does not work has only a status and a reason.

    Args:
        name: name in space files; the name of the entry point or file for a plugin that does not load.
        kind: generator, compressor, scheduler or hardware; needed if several kinds have a plugin of that name.
        plugins: bare plugin files to load as well.
        space: space file, for whose encoder, tasks, traffic and options the parameters are declared. Its base and data are
            fetched.
        time_limit_s: time after which a silent plugin is ended, s.

    Raises:
        TimeLimitError: the plugin was silent for too long.
        WorkerError: the plugin ended the process that asked it.
        UnknownNameError: there is no such plugin, no such kind, or several plugins of that name.
        PluginLoadError: there is no such plugin, but some plugins did not load.
    """
    if kind is not None and kind not in ALL_KINDS:
        raise unknown_name("kind of plugin", kind, ALL_KINDS)
    wanted = request(space, "auto", None, plugins) if space is not None else None
    if wanted is not None:
        time_limit_s = max(time_limit_s, wanted.space.search.time_limit_s)  # the base and data may have to be fetched
    files = [*(wanted.space.plugin_paths if wanted else ()), *plugins]
    info = _find_plugin(plugins_list(plugins=files, time_limit_s=time_limit_s), name, kind)
    if info.status != "ok":
        return PluginDetails(**info.as_dict())
    with Worker(time_limit_s, ignore_progress) as worker:
        details: PluginDetails = worker.call(_describe_plugin, info, wanted)
        return details


def _find_plugin(infos: list[PluginInfo], name: str, kind: str | None) -> PluginInfo:
    """Return the one plugin of that name; plugins that work go before those that do not."""
    named = [info for info in infos if info.name == name]
    fitting = [info for info in named if kind in (None, info.kind) or not info.kind]
    chosen = [info for info in fitting if info.status == "ok"] or fitting
    if len(chosen) == 1:
        return chosen[0]
    if not named:
        raise unknown_of(infos, kind or "plugin", name)
    if not chosen:
        raise UnknownNameError(
            f"there is no {kind} called {name!r}",
            found=", ".join(f"a {info.kind} of that name" for info in named),
            fix=f"give --kind {named[0].kind}",
        )
    raise UnknownNameError(
        f"{len(chosen)} plugins are called {name!r}",
        expected="one of: "
        + "; ".join(
            f"{info.kind or info.status} ({info.distribution}): {info.summary or info.reason}" for info in chosen
        ),
        fix="name the kind of the plugin with --kind",
    )


def _describe_plugin(info: PluginInfo, wanted: Request | None, report: ProgressCallback) -> PluginDetails:
    """Ask a plugin what it declares; called in a worker."""
    from dse.testing.anchors import compare_product
    from dse.testing.workloads import tiny_workload

    kind: Kind = next(kind for kind in ALL_KINDS if kind == info.kind)
    file = Path(info.provider)
    registry = load_sources([file if file.is_absolute() else info.provider])
    record = registry.get(kind, info.name)
    declared: list[tuple[Parameter, ...]] = []
    undeclared, costs = "", dict[str, float]()
    # A parameter that differs between two workloads follows from the workload.
    examples = [tiny_workload(), tiny_workload(2, layers=6, hidden=64, ffn=128, heads=8, batch=8.0)]
    options = wanted.space.kind(kind).table(info.name).options if wanted else None
    for workload in [load(wanted, report)[0].workload] if wanted else examples:
        try:
            plugin = registry.build(kind, info.name, options)
            declared.append(check_parameters(f"{kind} {info.name!r}", plugin.parameters(workload)))
            costs = compare_product(plugin) if kind == "hardware" else {}
        except BaseException as error:  # a worker gets no Ctrl-C: it is the plugin's
            undeclared = undeclared or " ".join(describe_error(error).split())
    first = declared[0] if declared else ()
    return PluginDetails(
        **info.as_dict(),
        source=record.source,
        options=option_infos(record.options),
        parameters=first,
        example=tuple(item.name for item in first if item not in declared[-1]),
        undeclared="" if declared else undeclared,
        uncharged=dict(record.uncharged) if isinstance(record, HardwareModel) else {},
        unit_costs=costs,
    )
