"""Strict reading of YAML files: a key written twice is refused, and so is what YAML would read as something else."""

import math
import os
import re
import typing
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import IO, Any

import yaml

from igdet.utils.errors import UserError
from igdet.utils.messages import brief, did_you_mean, shown
from igdet.utils.old_keys import rename_old_keys

BASE_KEY = "_BASE_"  # names the file or files that a config is a change of
MAX_BYTES = 2**17  # of one file: PyYAML takes 2 to 7 s for so much; the largest config here has 3% of it
MAX_VALUES = 2**17  # that a file stands for, aliases repeated: as many as it can write out; ten lines can mean 1e9
MAX_DEPTH = 50  # levels; the deepest key of Detectron2 has 4
MAX_FILES = 100  # that one config is put together of: ten files that name ten each, and so on, never end
LARGEST = 2**63  # whole numbers below it are computed with
_PREFIX = "tag:yaml.org,2002:"
_MERGE = f"{_PREFIX}merge"
_NUMBERS = (f"{_PREFIX}int", f"{_PREFIX}float")
_OTHER_BASE = re.compile(r"[-+]?0[0-9_]+|.*:.*")  # 010 is 8 to YAML 1.1, and 1:30 is 90
_SCIENTIFIC = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+")  # without a dot or sign, a text to YAML 1.1
# What PyYAML's constructors raise for a text that is none of the tag's: `2024-02-31`, `!!bool 3`, 5,000 digits.
_NOT_OF_TAG = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
# How an error message calls a type.
NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number such as 0.01 or 1.0e-4",
    bool: "true or false",
    list: "a list",
    dict: "a mapping of keys",
}
DERIVED = {"derived": True}  # metadata of a dataclass field that no file sets
NUMBER = int | float  # kept as it is written: to a config, 1 and 1.0 differ


class ConfigError(UserError):
    """A config that cannot be run; the message says where it is wrong and how to fix it."""


class _Loader(yaml.SafeLoader):
    """YAML's safe loader; 1e-3 is a number to it."""

    def construct_scalar(self, node: yaml.ScalarNode) -> str:
        value = super().construct_scalar(node)
        if isinstance(value, str) and "\0" in value:
            where = f"{node.start_mark.name}, line {node.start_mark.line + 1}"
            raise ConfigError(f"{where}: {shown(value)} holds a NUL byte, which no path and no name can")
        return value

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put the pairs of merged mappings before a mapping's own, which count; of those in a list the first counts.

        As YAML 1.1 defines merge keys (yaml.org/type/merge.html); PyYAML 6.0.4 lets others count.
        """
        merged, own = [], []
        for key, value in node.value:
            if key.tag != _MERGE:
                own.append((key, value))
                continue
            for source in reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(source, yaml.MappingNode):
                    problem = f"expected a mapping, or a list of them, to merge, found a {source.id}"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=source.start_mark)
                self.flatten_mapping(source)
                merged += source.value
        node.value = merged + own


_Loader.add_implicit_resolver(f"{_PREFIX}float", _SCIENTIFIC, list("-+0123456789"))


def read_with_bases(path: str | Path) -> list[tuple[Path, dict]]:
    """Read a config file and the files that it is a change of.

    Args:
        path: the YAML file; its `_BASE_` (a path or a list of paths) counts from the file's own folder.

    Returns:
        (file, its content without `_BASE_`) of each file, bases first: a later one counts.

    Raises:
        ConfigError: as `read_yaml`; or a `_BASE_` is no path, leads back to its own file or to too many files.
    """
    chain: list[tuple[Path, dict]] = []
    _add_with_bases(Path(path).expanduser(), (), chain)
    return chain


def _add_with_bases(path: Path, above: tuple[Path, ...], chain: list[tuple[Path, dict]]) -> None:
    content = read_yaml(path)
    if path.resolve() in above:
        raise ConfigError(f"{path}: its {BASE_KEY} leads back to itself")
    if len(above) + len(chain) >= MAX_FILES:
        raise ConfigError(f"{path}: its {BASE_KEY} is one of more than {MAX_FILES} files; expected fewer")
    for base in _bases(path, content.pop(BASE_KEY, [])):
        _add_with_bases(path.parent / Path(base).expanduser(), (*above, path.resolve()), chain)
    chain.append((path, content))


def _bases(path: Path, named: object) -> list[str]:
    bases: list[Any] = named if isinstance(named, list) else [named]
    for base in bases:
        if not isinstance(base, str) or not base:
            raise ConfigError(f"{path}: {BASE_KEY} is {shown(named)}: expected a path or a list of paths")
        if "://" in base:
            raise ConfigError(f"{path}: {BASE_KEY} is the address {shown(base)}: save the file here, and name its path")
    return bases


def read_yaml(path: str | os.PathLike) -> dict:
    """Read one YAML file whose top level is a mapping.

    Args:
        path: the file, in UTF-8, or in UTF-16 with a byte-order mark.

    Returns:
        The mapping; empty for an empty file. Its keys are texts, in today's spelling.

    Raises:
        ConfigError: the file is missing, is not YAML, holds a Python tag, a key twice, or no mapping; it is larger,
            deeper or stands for more than any config; a value cannot be read as what YAML takes it for.
    """
    path = Path(path).expanduser()
    _check_file(path)
    with path.open("rb") as file:  # an open file: YAML's error marks then carry its name
        content = _load(file, str(path))
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path}: expected `KEY: value` lines on top, found a {type(content).__name__}")
    content = content or {}
    rename_old_keys(content, path)
    return content


def read_value(text: str, where: str) -> Any:
    """Read one value of a command line as YAML.

    Args:
        text: such as "[1, 2]".
        where: what it is the value of, for the message.

    Raises:
        ConfigError: as `read_yaml`.
    """
    return _load(text, where)


def unsound(value: object) -> str:
    """Tell why a number cannot be computed with, "" when it can: a whole number beyond 64 bits, or NaN."""
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        return "expected a whole number of at most 64 bits"
    return "expected a number" if isinstance(value, float) and math.isnan(value) else ""


def _check_file(path: Path) -> None:
    try:
        is_file, size = path.is_file(), path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError) as error:  # a NUL among its characters, or too many of them
        raise ConfigError(f"{brief(path)}: no path of a config file: {brief(error)}") from error
    if not is_file:
        found = "is a folder; expected a YAML file" if path.is_dir() else "there is no such config file"
        raise ConfigError(f"{brief(path)}: {found}")
    if size > MAX_BYTES:
        raise ConfigError(f"{path}: has {size:,} bytes; expected a config file, of at most {MAX_BYTES:,}")


def _load(stream: IO[bytes] | str, source: str) -> Any:
    try:
        loader = _Loader(stream)
        node = loader.get_single_node()
        if node is None:
            return None
        _Check(loader, source).count(node, ())
        return loader.construct_document(node)
    except RecursionError as error:
        raise ConfigError(f"{source}: is nested too deeply; expected at most {MAX_DEPTH} levels") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ConfigError(f"{source}: not YAML that can be read safely: {brief(error)}") from error


class _Check:
    """Looks through a file's nodes before anything is made of them.

    Args:
        loader: that has read them.
        source: the file, for messages.
    """

    def __init__(self, loader: _Loader, source: str) -> None:
        self._loader, self._source = loader, source
        self._counts: dict[int, int] = {}  # by id of a node that is looked through; 0 while that is going on

    def count(self, node: yaml.Node, keys: tuple[str, ...]) -> int:
        """Count the values that a node stands for, with those that its aliases repeat.

        Args:
            node: a value of the file.
            keys: those that lead to it.

        Raises:
            ConfigError: there are too many, or one cannot be read as what it is taken for.
        """
        if isinstance(node, yaml.ScalarNode):
            self._check_scalar(node, keys)
            return 1
        if count := self._counts.get(id(node)):
            return count
        if count == 0:
            raise self._error(keys, "its alias stands for what it is a part of; write it out")
        if len(keys) > MAX_DEPTH:
            raise self._error(keys, f"is nested too deeply; expected at most {MAX_DEPTH} levels")
        self._counts[id(node)] = 0
        count = 1 + sum(self.count(value, (*keys, key)) for key, value in self._children(node, keys))
        if count > MAX_VALUES:
            raise self._error(keys, f"its aliases stand for {count:,} values; expected at most {MAX_VALUES:,}")
        self._counts[id(node)] = count
        return count

    def _children(self, node: yaml.CollectionNode, keys: tuple[str, ...]) -> list[tuple[str, yaml.Node]]:
        if isinstance(node, yaml.SequenceNode):
            return [(f"[{position}]", item) for position, item in enumerate(node.value)]
        self._check_keys(node, keys)
        return [(key.value, value) for key, value in node.value]

    def _check_keys(self, node: yaml.MappingNode, keys: tuple[str, ...]) -> None:
        first_lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a text", problem_mark=key.start_mark)
            if key.tag not in (_MERGE, f"{_PREFIX}str"):
                kind = key.tag.removeprefix(_PREFIX)
                raise self._error(keys, f"line {line}: the key {shown(key.value)} is a YAML {kind}; put it in quotes")
            if key.value in first_lines:
                where = f"{self._source}, lines {first_lines[key.value]} and {line}"
                raise ConfigError(f"{where}: the key {shown(key.value)} is written twice; keep one of them")
            first_lines[key.value] = line

    def _check_scalar(self, node: yaml.ScalarNode, keys: tuple[str, ...]) -> None:
        kind = node.tag.removeprefix(_PREFIX)
        try:
            value = self._loader.construct_object(node)
        except ConfigError:  # names its line itself
            raise
        except _NOT_OF_TAG as error:
            raise self._error(
                keys, f"{shown(node.value)} is no {kind} ({brief(error)}); put a text in quotes"
            ) from error
        if node.tag in _NUMBERS and _OTHER_BASE.fullmatch(node.value):
            raise self._error(
                keys, f"YAML reads {node.value} as {value}; write the number in full, or a text in quotes"
            )

    def _error(self, keys: tuple[str, ...], why: str) -> ConfigError:
        return ConfigError(
            ": ".join([self._source, *([brief(".".join(keys).replace(".[", "["))] if keys else []), why])
        )


def from_mapping(kind: type, node: object, where: str) -> Any:
    """Build a dataclass from a YAML mapping whose keys are its fields in upper case.

    Args:
        kind: the dataclass; its fields, but for those with the metadata DERIVED, may be str, int, float, NUMBER, bool,
            lists and dicts of them, dataclasses.
        node: what YAML gave.
        where: where the mapping stands, for error messages.

    Returns:
        The instance; keys that are absent take the fields' defaults.

    Raises:
        ConfigError: a key is unknown, missing or of the wrong type.
    """
    if not isinstance(node, dict):
        raise ConfigError(f"{where}: expected a mapping of keys, got {shown(node)}")
    known = {item.name.upper(): item for item in fields(kind) if not item.metadata.get("derived")}
    for key in node:
        if key not in known:
            raise ConfigError(
                f"{where}: unknown key {shown(key)}; known keys: {', '.join(known)}{did_you_mean(str(key), known)}"
            )
    for key, item in known.items():
        if key not in node and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{where}: the key {key} is missing")
    return kind(**{key.lower(): _convert(known[key].type, value, f"{where}: {key}") for key, value in node.items()})


def _convert(kind: Any, value: Any, where: str) -> Any:
    """A YAML value as its field's type; containers and dataclasses are gone into."""
    if isinstance(kind, UnionType) and kind != NUMBER:  # `Section | None`: None is for a key that is absent
        kind = typing.get_args(kind)[0]
    if isinstance(kind, type) and is_dataclass(kind):
        return from_mapping(kind, value, where)
    outer, inner = (float, ()) if kind == NUMBER else (typing.get_origin(kind) or kind, typing.get_args(kind))
    accepted: Any = (int, float) if outer is float else outer
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
