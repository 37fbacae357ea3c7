"""Values of result tables as plain Python values that JSON can hold."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def plain_value(value: Any) -> Any:
    """Return the value as JSON can hold it: lists for arrays and tuples, None for a missing value."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): plain_value(item) for name, item in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    return None if type(value).__name__ in {"NAType", "NaTType"} else str(value)
