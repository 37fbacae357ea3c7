"""Plugins of strangers that are odd, hostile or broken: each works, or is named with its fault, and spoils nothing else."""

from __future__ import annotations

import json
import py_compile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.robustness.test_strange_plugins import stranger
from tests.support.campaign import Campaign, Case, Home, Outcome, Words

PLUGINS = Campaign()
case = PLUGINS.case
QUIET = ("-q", "--device", "cpu")
CHECK = ("check", "robust.toml", *QUIET)
RUN = ("run", "robust.toml", *QUIET)
STUDY = ("results/robust*", "results/own*")
NAMES = {"generator": "shared-prefix", "compressor": "none", "scheduler": "fixed", "hardware": "isaac"}
GOOD = stranger("scheduler", "    pass\n")


def use(home: Home, kind: str, code: str, name: str = "stranger.py") -> None:
    """Write a plugin file and make the space file use it, in a study of its own."""
    home.write(name, code)
    home.change("plugin_files = []", f'plugin_files = ["{name}"]')
    home.change('name = "robust"', 'name = "own"')
    home.change(f'["{NAMES[kind]}"]', '["stranger"]')
    if kind == "hardware":
        home.change("[hardware.isaac.parameters]\nadc_bits = {}\ncell_bits = {}\n", 'unnamed = "search"\n')


def lists(
    name: str, kind: str, code: str, *told: str, quick: bool = False, file: str = "stranger.py", whole: bool = True
) -> None:
    """Add a case of `plugins list --format json`: the listing is whole JSON in which the built-in plugins work."""

    def make(home: Home) -> Words:
        home.write(file, code.encode("utf-8", "surrogateescape"))
        return ("plugins", "list", "--plugin", file, "--format", "json", "--time-limit", "15")

    def check(home: Home, outcome: Outcome) -> None:
        del home
        rows = json.loads(outcome.stdout)
        assert {"isaac", "none", "fixed", "independent"} <= {row["name"] for row in rows}
        if whole:
            assert [row["name"] for row in rows].count("stranger") == 1

    PLUGINS.add(name, Case(kind, make, 0, told, check=check, quick=quick))


def studies(
    name: str,
    kind: str,
    plugin: str,
    body: str,
    *told: str,
    status: int = 1,
    command: tuple[str, ...] = CHECK,
    top: str = "",
    check: Callable[[Home, Outcome], None] | None = None,
    quick: bool = False,
) -> None:
    """Add a case of a study with a built-in plugin that has another body; it names `stranger` where it is refused."""

    def make(home: Home) -> Words:
        use(home, plugin, top + stranger(plugin, body))
        return command

    PLUGINS.add(name, Case(kind, make, status, (*(("stranger",) if status else ()), *told), STUDY, check, quick))


# what an import does to its process
lists("closes_the_streams", "process", "import os\nos.close(1)\nos.close(2)\n" + GOOD, quick=True)
lists("takes_the_streams_away", "process", "import sys\nsys.stdout = sys.stderr = None\n" + GOOD)
lists("leaves_a_child_that_holds_the_pipe", "process", "import subprocess\nsubprocess.Popen(['sleep', '100'])\n" + GOOD)
lists("sleeps_at_the_end", "process", "import atexit, time\natexit.register(time.sleep, 1000)\n" + GOOD)
lists(
    "a_thread_that_stays",
    "process",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\n" + GOOD,
)
lists("no_recursion", "process", "import sys\nsys.setrecursionlimit(60)\n" + GOOD, whole=False)
lists(
    "ignores_signals",
    "process",
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass\n",
    "stranger.py",
    "15",
    whole=False,
)
lists("no_path_of_modules", "process", "import sys\nsys.path.clear()\n" + GOOD, "stranger.py", whole=False)
lists("open_is_patched", "process", "import builtins\nbuiltins.open = None\n" + GOOD)
STRICT = "import warnings\nwarnings.simplefilter('error')\n" + GOOD
lists("warnings_are_errors", "process", STRICT, "DeprecationWarning", "state api=", whole=False)
lists("warnings_are_errors_and_there_are_none", "process", STRICT.replace('summary="x"', 'summary="x", api=2'))
lists("no_file_may_grow", "process", "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n" + GOOD)
lists(
    "no_file_may_be_opened",
    "process",
    "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n" + GOOD,
    "stranger.py",
    whole=False,
)
lists("every_file_is_closed", "process", "import os\nos.closerange(3, 1024)\n" + GOOD, "stranger.py", whole=False)


@case("process", 0, "stranger.py", "isaac")
def kills_its_group(home: Home) -> Words:
    home.write("stranger.py", "import os, signal\nos.killpg(0, signal.SIGKILL)\n" + GOOD)
    return "$DSE plugins list --plugin stranger.py --format json"


# hooks
HOOK = "import dse\nfrom dse_plugins.schedulers.fixed import Fixed, FixedOptions\n\n@dse.hookimpl\ndef dse_schedulers():\n{}"
RECORD = "dse.Scheduler(**dict(dict(name='stranger', summary='x', build=Fixed, options=FixedOptions), {}))"
lists(
    "endless_records",
    "hooks",
    HOOK.format(f"    while True:\n        yield {RECORD.format('')}\n"),
    "stranger.py",
    whole=False,
)
lists(
    "raises_after_a_record",
    "hooks",
    HOOK.format(f"    yield {RECORD.format('')}\n    raise OSError('late')\n"),
    "late",
    whole=False,
)
lists(
    "a_coroutine",
    "hooks",
    HOOK.format(f"    return [{RECORD.format('')}]\n").replace("def dse_sch", "async def dse_sch"),
    "stranger.py",
    whole=False,
)
lists(
    "a_table_of_records",
    "hooks",
    HOOK.format(f"    return {{'stranger': {RECORD.format('')}}}\n"),
    "stranger.py",
    whole=False,
)
lists(
    "a_record_twice",
    "hooks",
    HOOK.format(f"    yield {RECORD.format('')}\n    yield {RECORD.format('')}\n"),
    "stranger",
    "yielded twice",
    whole=False,
)
lists(
    "a_hook_that_is_a_class",
    "hooks",
    "import dse\n\n@dse.hookimpl\nclass dse_schedulers:\n    pass\n",
    "stranger.py",
    whole=False,
)

# records
for name, change, told in (
    ("a_name_with_an_escape", r"name='\x1b[2Jred'", r"\\x1b[2Jred"),
    ("a_name_with_a_line_break", r"name='two\nlines'", r"two\\nlines"),
    ("a_name_without_letters", "name=''", "stranger.py"),
    ("a_name_with_dots", "name='a.b.c'", "a.b.c"),
    ("a_name_of_a_megabyte", "name='x' * 10**6", "stranger.py"),
    ("a_summary_that_is_none", "summary=None", "summary"),
    ("a_build_that_is_text", "build='Fixed'", "build"),
    ("options_that_are_a_table", "options={}", "options"),
    ("a_version_that_is_a_number", "version=2", "version"),
    ("an_api_that_is_text", "api='1'", "api '1'"),
    ("an_api_of_a_megabyte", "api='1' * 10**6", "api '1111"),
    ("an_api_of_nan", "api=float('nan')", "api nan"),
):
    lists(
        name,
        "records",
        HOOK.format(f"    yield {RECORD.format(change)}\n"),
        told,
        whole=False,
        quick=name == "a_name_with_an_escape",
    )
lists(
    "a_summary_of_escapes",
    "records",
    HOOK.format("    yield " + RECORD.format(r"summary='\x1b[2J' + 'x' * 10**6") + "\n"),
    "summary",
    whole=False,
)

# files
lists("named_as_json", "files", GOOD, file="json.py", quick=True)
lists("named_as_numpy", "files", GOOD, file="numpy.py")
lists("named_as_dse", "files", GOOD, file="dse.py")
lists("named_as_a_keyword", "files", GOOD, file="class.py")
lists("name_with_a_dash_and_a_space", "files", GOOD, file="my - plugin.py")
lists("windows_line_ends_and_a_mark", "files", "\ufeff" + GOOD.replace("\n", "\r\n"))
lists("coding_that_is_not", "files", "# -*- coding: utf-9 -*-\n" + GOOD, "utf-9", whole=False)
lists("zero_bytes", "files", GOOD + "\0" * 16, "stranger.py", "null bytes", whole=False)
lists("tabs_and_spaces", "files", "if True:\n\tx = 1\n        y = 2\n" + GOOD, "stranger.py", "TabError", whole=False)
lists("a_helper_beside_it", "files", "import helper_beside\n" + GOOD, "helper_beside", whole=False)
lists("a_thousand_brackets", "files", "x = " + "[" * 5000 + "]" * 5000 + "\n" + GOOD, "stranger.py", whole=False)


@case("files", 1, "stranger.py")
def a_zip_with_the_ending_of_python(home: Home) -> Words:
    use(home, "scheduler", GOOD)
    home.write("stranger.py", b"PK\x03\x04" + home.chance.randbytes(500))
    return CHECK


@case("files", 1, "stranger.py")
def text_in_another_encoding(home: Home) -> Words:
    use(home, "scheduler", GOOD)
    home.write("stranger.py", GOOD.encode("utf-16"))
    return CHECK


@case("files", 1, "stranger.py")
def code_that_is_compiled(home: Home) -> Words:
    use(home, "scheduler", GOOD)
    py_compile.compile(str(home.folder / "stranger.py"), str(home.folder / "stranger.pyc"), doraise=True)
    (home.folder / "stranger.pyc").replace(home.folder / "stranger.py")
    return CHECK


@case("files", 0, "stranger", writes=STUDY)
def twice_in_the_space_file(home: Home) -> Words:
    use(home, "scheduler", GOOD)
    home.change('plugin_files = ["stranger.py"]', 'plugin_files = ["stranger.py", "./stranger.py"]')
    return CHECK


@case("files", 0, "stranger", "exists already")
def a_copy_under_another_name(home: Home) -> Words:
    home.write("stranger.py", GOOD)
    home.write("other.py", GOOD)
    return ("plugins", "list", "--plugin", "stranger.py", "--plugin", "other.py", "--format", "json")


@case("files", 0, "stranger", writes=STUDY)
def the_same_file_twice(home: Home) -> Words:
    use(home, "scheduler", GOOD)
    (home.folder / "other.py").symlink_to("stranger.py")
    return (*CHECK, "--plugin", "stranger.py", "--plugin", "./other.py")


# parameters
for name, declared, told in (
    ("a_default_outside", "dse.Int(name='a', low=1, high=3, default=9)", "default"),
    ("a_default_that_is_text", "dse.Float(name='a', low=1.0, high=3.0, default='2')", "default"),
    ("a_default_that_is_no_choice", "dse.Choice(name='a', choices=(1, 2), default=3)", "default"),
    ("no_choices", "dse.Choice(name='a', choices=(), default=1)", "choices"),
    ("choices_that_are_lists", "dse.Choice(name='a', choices=([1], [2]), default=[1])", "choices"),
    ("a_bound_of_nan", "dse.Float(name='a', low=float('nan'), high=1.0, default=0.5)", "nan to 1.0"),
    ("a_default_of_nothing", "dse.Float(name='a', low=0.0, high=1.0, default=None)", "default of 'a'"),
    ("a_bound_that_cannot_be_compared", "dse.Float(name='a', low=0.0, high=1.0, default=0.5, limits=(0.0, []))", "'a'"),
    ("a_logarithm_of_zero", "dse.Float(name='a', low=0.0, high=1.0, default=0.5, log=True)", "log"),
    ("a_scope_that_is_not", "dse.Int(name='a', low=1, high=3, default=1, scope=('batch',))", "scope"),
    ("a_name_of_a_parameter_with_dots", "dse.Int(name='a.b', low=1, high=3, default=1)", "a.b"),
    ("a_parameter_that_is_a_class", "dse.Int", "parameters"),
    ("a_bound_of_an_array", "dse.Int(name='a', low=__import__('numpy').array([1, 2]), high=3, default=1)", "low"),
):
    studies(
        name,
        "parameters",
        "scheduler",
        f"    def parameters(self, workload):\n        return ({declared},)\n",
        told,
        quick=name == "no_choices",
    )
studies(
    "endless_parameters",
    "parameters",
    "scheduler",
    "    def parameters(self, workload):\n        import itertools\n        return (dse.Int(name=f'a{n}', low=1, high=3, default=1) for n in itertools.count())\n",
    "parameters",
)

# what is handed over must not be changed
for name, line in (
    ("changes_the_counts", "counts.inputs[...] = 0"),
    ("changes_the_demand", "demand.rows[...] = 0"),
    ("changes_the_parameters", "params['adc_bits'][...] = 4"),
    ("changes_the_tasks", "workload.tasks = ()"),
):
    body = f"    def components(self, workload, demand, counts, footprint, params):\n        {line}\n        return super().components(workload, demand, counts, footprint, params)\n"
    studies(name, "changes", "hardware", body, "where: ")

# numbers
COSTS = "    def components(self, *args, **named):\n        held = super().components(*args, **named)\n        return dataclasses.replace(held, {})\n"
for name, change, told in (
    ("areas_that_are_text", "area_mm2=held.area_mm2.astype(str)", "area_mm2"),
    ("areas_of_another_shape", "area_mm2=held.area_mm2.T", "area_mm2"),
    ("areas_as_a_list", "area_mm2=held.area_mm2.tolist()", "area_mm2"),
    ("areas_that_are_objects", "area_mm2=held.area_mm2.astype(object)", "area_mm2"),
    ("areas_that_are_masked", "area_mm2=__import__('numpy').ma.masked_all(held.area_mm2.shape)", "area_mm2"),
    ("areas_of_one_point", "area_mm2=held.area_mm2[:1, ..., :0]", "area_mm2"),
    ("areas_beyond_numbers", "area_mm2=held.area_mm2 * 1e308 * 10", "area_mm2"),
    ("areas_that_lack_a_component", "area_mm2=held.area_mm2[..., 1:]", "shape (1, "),
    ("components_that_are_none", "names=None", "0 different names"),
    ("components_without_names", "names=()", "0 different names"),
    ("components_with_one_name", "names=tuple('x' for _ in held.names)", "1 different names"),
):
    studies(name, "numbers", "hardware", COSTS.format(change), told, quick=name == "areas_of_another_shape")

# orders
for name, change, told in (
    ("an_order_of_tasks_that_are_not", "task=held.task + 100", "the schedule does not serve every task"),
    ("an_order_of_negative_tasks", "task=held.task - 2", "the schedule does not serve every task"),
    ("an_order_of_fractions", "task=held.task + 0.5", "order() gives task"),
    ("an_order_of_one_task", "task=held.task * 0", "the schedule does not serve every task"),
    ("an_order_without_steps", "task=held.task[:, :0]", "order() gives task"),
    ("an_order_of_text", "task=held.task.astype(str)", "order() gives task"),
):
    studies(
        name,
        "orders",
        "scheduler",
        f"    def order(self, *args, **named):\n        held = super().order(*args, **named)\n        return dataclasses.replace(held, {change})\n",
        told,
    )

# owners
for name, change, told in (
    ("owners_that_are_not", "owner=held.owner + 100", "an owner that does not exist"),
    ("owners_of_fractions", "owner=held.owner + 0.5", "plan() gives owner"),
    ("owners_that_are_text", "owner=held.owner.astype(str)", "plan() gives owner"),
    ("owners_of_one_layer", "owner=held.owner[..., :1]", "plan"),
    ("no_owners", "owner=None", "plan() gives owner"),
):
    studies(
        name,
        "owners",
        "generator",
        f"    def plan(self, *args, **named):\n        held = super().plan(*args, **named)\n        return dataclasses.replace(held, {change})\n",
        told,
    )

# exceptions that bite
EVIL = "class Evil(Exception):\n    def __str__(self):\n        {}\n    __repr__ = __str__\n"
studies(
    "an_error_that_cannot_be_said",
    "exceptions",
    "scheduler",
    "    def order(self, *args, **named):\n        raise Evil\n",
    "order",
    top=EVIL.format("raise Evil"),
)
studies(
    "an_error_that_is_no_text",
    "exceptions",
    "scheduler",
    "    def order(self, *args, **named):\n        raise Evil\n",
    "order",
    top=EVIL.format("return 7"),
)
studies(
    "an_error_of_a_megabyte_of_escapes",
    "exceptions",
    "scheduler",
    "    def order(self, *args, **named):\n        raise ValueError('\\x1b[2J' * 10**6)\n",
    "order",
    quick=True,
)
studies(
    "an_error_within_itself",
    "exceptions",
    "scheduler",
    "    def order(self, *args, **named):\n        error = ValueError('round')\n        error.__cause__ = error\n        raise error\n",
    "round",
)
studies(
    "a_group_of_errors",
    "exceptions",
    "scheduler",
    "    def order(self, *args, **named):\n        raise ExceptionGroup('many', [ValueError('one'), OSError('two')])\n",
    "many",
)
studies(
    "no_end_of_calls",
    "exceptions",
    "scheduler",
    "    def order(self, *args, **named):\n        return self.order(*args, **named)\n",
    "order",
    "RecursionError",
)
studies(
    "a_stop_of_iteration",
    "exceptions",
    "scheduler",
    "    def order(self, *args, **named):\n        raise StopIteration\n",
    "order",
)


# what a study must not feel
def has_the_same_trials(home: Home, outcome: Outcome) -> None:
    """The trials are those of the same study without the stranger."""
    del outcome
    columns = ["trial", "area_mm2", "energy_uj", "param.hardware.isaac.adc_bits", "param.hardware.isaac.cell_bits"]
    own, usual = (
        pd.read_parquet(home.folder / "results" / name / "trials.parquet")[columns] for name in ("own", "robust")
    )
    pd.testing.assert_frame_equal(own, usual)


FELT = "    def order(self, *args, **named):\n        {}\n        return super().order(*args, **named)\n"
studies(
    "sets_the_seeds",
    "felt",
    "scheduler",
    FELT.format("import random, numpy, torch; random.seed(0); numpy.random.seed(0); torch.manual_seed(0)"),
    status=0,
    command=(*RUN, "--in-process"),
    check=has_the_same_trials,
)
studies(
    "changes_the_encoding_of_numbers",
    "felt",
    "scheduler",
    FELT.format("import numpy, decimal; numpy.seterr(all='raise'); decimal.getcontext().prec = 2"),
    status=0,
    command=(*RUN, "--in-process"),
    check=has_the_same_trials,
)
studies(
    "prints_without_end_of_line",
    "felt",
    "scheduler",
    FELT.format("import sys; sys.stdout.write('x' * 70000)"),
    status=0,
    command=(*RUN, "--format", "json"),
    check=has_the_same_trials,
)
studies(
    "closes_the_streams_at_work",
    "felt",
    "scheduler",
    FELT.format("import os; os.closerange(1, 3)"),  # unlike `close`, it may be called again
    status=0,
    command=RUN,
    check=has_the_same_trials,
)
studies(
    "sleeps_at_the_end_of_the_worker",
    "felt",
    "scheduler",
    FELT.format("import atexit, time; atexit.register(time.sleep, 1000)"),
    status=0,
    command=RUN,
    check=has_the_same_trials,
)
studies(
    "no_file_may_grow_at_work",
    "felt",
    "scheduler",
    FELT.format("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"),
    status=0,
    command=RUN,
    check=has_the_same_trials,
)
studies(
    "child_of_the_worker",
    "felt",
    "scheduler",
    FELT.format("import subprocess; subprocess.Popen(['sleep', '50'])"),
    status=0,
    command=RUN,
    check=has_the_same_trials,
)
studies(
    "changes_the_environment",
    "felt",
    "scheduler",
    FELT.format("import os; os.environ.clear(); os.umask(0o777)"),
    status=0,
    command=(*RUN, "--in-process"),
    check=has_the_same_trials,
)


# new packages
def is_importable(home: Home, outcome: Outcome) -> None:
    del outcome
    for file in home.folder.glob("own/src/*/__init__.py"):
        compile(file.read_text(encoding="utf-8"), str(file), "exec")
    import tomllib

    tomllib.loads((home.folder / "own" / "pyproject.toml").read_text(encoding="utf-8"))


def makes(name: str, status: int, plugin: str, *told: str, more: tuple[str, ...] = (), quick: bool = False) -> None:
    def make(home: Home) -> Words:
        del home
        return ("plugins", "new", "scheduler", "--out", "own", *more, "--", plugin)

    PLUGINS.add(
        name,
        Case("new", make, status, told, ("own/*",) if status == 0 else (), None if status else is_importable, quick),
    )


makes("a_path_as_a_name", 1, "../../x", "../../x")
makes("no_name", 1, "", "name")
makes("a_keyword_as_a_name", 0, "class")
makes("digits_as_a_name", 1, "1", "1")
makes("a_name_in_another_script", 1, "größe", "größe")
makes("a_name_of_a_module", 0, "json")
makes("a_name_that_is_taken", 1, "fixed", "fixed")
makes("quotes_in_the_description", 0, "own", more=("--description", "a \"\"\" b ''' c \\ {d} %s $e"), quick=True)
makes("lines_in_the_description", 1, "own", "description", more=("--description", "a\nb\r\nc"))
makes("escapes_in_the_description", 1, "own", "description", more=("--description", "a\x1b[2Jb\\"))


@case("new", 1, "robust.toml")
def a_file_as_the_folder(home: Home) -> Words:
    del home
    return ("plugins", "new", "scheduler", "own", "--out", "robust.toml")


# options of `plugins check`
def checks(name: str, option: str, *told: str, status: int = 1) -> None:
    def make(home: Home) -> Words:
        del home
        return ("plugins", "check", "fixed", "-q", "--option", option)

    PLUGINS.add(name, Case("options", make, status, told))


checks("an_option_without_a_value", "order", "order")
checks("an_option_without_a_name", '=["a"]', "--option")
checks("an_option_that_is_no_toml", "order=[", "order")
checks("an_option_of_two_lines", 'order=["a"]\nbatch = 3', "--option")
checks("an_option_that_is_not", "oder=3", "oder", "order")


@pytest.mark.parametrize("name", PLUGINS.list_params())
def test_a_hostile_plugin_ends_as_it_should(name: str, stage: Path) -> None:
    PLUGINS.judge(name, stage)


def test_the_campaign_is_wide() -> None:
    assert len(PLUGINS.cases) >= 30
    assert len({case.kind for case in PLUGINS.cases.values()}) >= 12
