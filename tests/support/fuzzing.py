"""How inputs are fuzzed, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings

from dse.errors import DseError

FUZZ = settings(
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def readable(call: Callable[[], object]) -> bool:
    """Whether it succeeds; an error for a person is the only one allowed."""
    try:
        call()
    except DseError as error:
        return not str(error).strip()
    return True
