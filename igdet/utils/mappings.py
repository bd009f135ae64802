"""Nested mappings, such as configs, by keys with dots."""

from collections.abc import Iterator, Mapping
from typing import Any


def flat(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a nested mapping: {"A": {"B": v}} gives ("A.B", v); empty mappings give nothing."""
    for key, value in nested.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
