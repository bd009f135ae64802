"""Reading a suite file: YAML keys in upper case become the fields of a Suite, strictly."""

import os
import typing
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass

import yaml

from igdet.benchmark.suite import Suite
from igdet.benchmark.suite_checks import hint, problems
from igdet.config.strict import ConfigError, read_yaml

# How an error message calls a type.
NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number such as 0.01 or 1.0e-4",
    list: "a list",
    dict: "a mapping of keys",
}


def read_suite(path: str | os.PathLike, overrides: Sequence[str] = ()) -> Suite:
    """Read and check a suite file.

    Args:
        path: the YAML file.
        overrides: KEY VALUE KEY VALUE ...; top-level keys of the file, values in YAML.

    Returns:
        The suite.

    Raises:
        ConfigError: a key is unknown, missing, written twice or of the wrong type, or what it says cannot be run.
    """
    if len(overrides) % 2:
        raise ConfigError(f"overrides come in pairs KEY VALUE, but {overrides[-1]!r} has no value")
    node = read_yaml(path)
    node.update({key: yaml.safe_load(value) for key, value in zip(overrides[::2], overrides[1::2], strict=True)})
    suite = _build(Suite, node, str(path))
    if found := problems(suite):
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in found))
    return suite


def _build(kind: type, node: object, where: str):
    """An instance of a dataclass from a YAML mapping whose keys are its fields in upper case."""
    if not isinstance(node, dict):
        raise ConfigError(f"{where}: expected a mapping of keys, got {node!r}")
    known = {item.name.upper(): item for item in fields(kind)}
    for key in node:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}{hint(str(key), known)}; known keys: {', '.join(known)}")
    for key, item in known.items():
        if key not in node and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{where}: the key {key} is missing")
    return kind(**{key.lower(): _convert(known[key].type, value, f"{where}: {key}") for key, value in node.items()})


def _convert(kind: type, value: object, where: str):
    """A YAML value as its field's type; containers and dataclasses are gone into."""
    if is_dataclass(kind):
        return _build(kind, value, where)
    outer, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    accepted = (int, float) if outer is float else outer
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise ConfigError(f"{where} must be {NAMES[outer]}, got {value!r}")
    if outer is dict and inner:
        return {key: _convert(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if outer is list:
        return [_convert(inner[0], item, f"{where}[{position}]") for position, item in enumerate(value)]
    return outer(value)
