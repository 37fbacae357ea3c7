"""`dse plugins list`: every plugin, and why some do not load."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

from dse.errors import DseError, TimeLimitError, WorkerError
from dse.plugins.call import describe_error
from dse.plugins.listing import PluginInfo, list_source, merge_infos, plugin_infos
from dse.plugins.registry import Registry, list_points
from dse.records.callbacks import ignore_progress
from dse.threads import count_cores

TIME_LIMIT_S = 20.0
"""Time that a plugin has to be imported."""


def plugins_list(*, plugins: Iterable[Path | str] = (), time_limit_s: float = TIME_LIMIT_S) -> list[PluginInfo]:
    """Return every plugin: those that work, then those that do not load, then those that are switched off.

    Plugins that come with `dse` are imported here, and each other package and file in a process of its own.

    Args:
        plugins: bare plugin files to load as well.
        time_limit_s: time after which the import of a package or a file is ended, s.
    """
    points, disabled = list_points()
    home = {point.dist.name for point in entry_points(group="console_scripts", name="dse") if point.dist}
    own = [point for point in points if point.dist and point.dist.name in home]
    registry = Registry()
    registry.disabled += disabled
    for point in own:
        registry.add_point(point)
    sources: list[Path | str] = [point.name for point in points if point not in own]
    sources += [Path(path).resolve() for path in plugins]
    with ThreadPoolExecutor(count_cores()) as pool:
        others = pool.map(partial(_list_apart, time_limit_s), dict.fromkeys(sources))
        return merge_infos(plugin_infos(registry), others)


def describe_end(error: DseError, limit_s: float) -> str:
    """Return what a worker did that a plugin kept from answering."""
    return str(error.found) if isinstance(error, WorkerError) else f"was silent for {limit_s:g} s"


def _list_apart(limit_s: float, source: Path | str) -> list[PluginInfo]:
    """List the plugins of an entry point or a file, which a worker imports."""
    from dse.worker.process import Worker  # most lists need no worker

    try:
        with Worker(limit_s, ignore_progress) as worker:
            infos: list[PluginInfo] = worker.call(list_source, source)
            return infos
    except (WorkerError, TimeLimitError) as error:
        reason = f"{describe_end(error, limit_s)} while it was imported"
    except DseError as error:
        reason = describe_error(error).splitlines()[0]
    return [PluginInfo("", str(source), "", str(source), "broken", reason=reason, provider=str(source))]
