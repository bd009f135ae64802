"""From a YAML mapping to a dataclass whose fields are the keys in lower case."""

import math
import typing
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType

from igdet.utils.shown import shown
from igdet.utils.spelling import did_you_mean
from igdet.utils.strict_yaml import ConfigError, unsound

# How an error message calls a type.
NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number such as 0.01 or 1.0e-4",
    bool: "true or false",
    list: "a list",
    dict: "a mapping of keys",
}
NUMBER = int | float  # kept as it is written: to a config, 1 and 1.0 differ


def from_mapping(kind: type, node: object, where: str):
    """Build a dataclass from a YAML mapping whose keys are its fields in upper case.

    Args:
        kind: the dataclass; its fields may be str, int, float, NUMBER, bool, lists and dicts of them, dataclasses.
        node: what YAML gave.
        where: where the mapping stands, for error messages.

    Returns:
        the instance; keys that are absent take the fields' defaults.

    Raises:
        ConfigError: a key is unknown, missing or of the wrong type.
    """
    if not isinstance(node, dict):
        raise ConfigError(f"{where}: expected a mapping of keys, got {shown(node)}")
    known = {item.name.upper(): item for item in fields(kind)}
    for key in node:
        if key not in known:
            raise ConfigError(
                f"{where}: unknown key {shown(key)}; known keys: {', '.join(known)}{did_you_mean(str(key), known)}"
            )
    for key, item in known.items():
        if key not in node and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{where}: the key {key} is missing")
    return kind(**{key.lower(): _convert(known[key].type, value, f"{where}: {key}") for key, value in node.items()})


def _convert(kind: type, value: object, where: str):
    """A YAML value as its field's type; containers and dataclasses are gone into."""
    if isinstance(kind, UnionType) and kind != NUMBER:  # `Section | None`: None is for a key that is absent
        kind = typing.get_args(kind)[0]
    if is_dataclass(kind):
        return from_mapping(kind, value, where)
    outer, inner = (float, ()) if kind == NUMBER else (typing.get_origin(kind) or kind, typing.get_args(kind))
    accepted = (int, float) if outer is float else outer
    # To Python, true is a number.
    if not isinstance(value, accepted) or isinstance(value, bool) != (outer is bool):
        raise ConfigError(f"{where} must be {NAMES[outer]}, got {shown(value)}")
    if why := unsound(value) or (outer is float and math.isinf(value) and "expected a finite number"):
        raise ConfigError(f"{where} is {shown(value)}: {why}")
    if outer is dict and inner:
        return {key: _convert(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if outer is list:
        return [_convert(inner[0], item, f"{where}[{position}]") for position, item in enumerate(value)]
    return value if kind == NUMBER else outer(value)
