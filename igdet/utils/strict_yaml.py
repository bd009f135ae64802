"""Strict reading of YAML files: a key written twice is refused, and named with its file and lines."""

from pathlib import Path
from typing import Any

import yaml

from igdet.utils.errors import UserError
from igdet.utils.shown import shown

BASE_KEY = "_BASE_"  # names the file or files that a config is a change of


class ConfigError(UserError):
    """A config that cannot be run; the message says where it is wrong and how to mend it."""


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, refusing a key that stands twice in one mapping."""

    def construct_scalar(self, node: yaml.ScalarNode) -> str:
        value = super().construct_scalar(node)
        if isinstance(value, str) and "\0" in value:
            where = f"{node.start_mark.name}, line {node.start_mark.line + 1}"
            raise ConfigError(f"{where}: {shown(value)} holds a NUL byte, which no path and no name can")
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        first_lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if key in first_lines:
                where = f"{key_node.start_mark.name}, lines {first_lines[key]} and {line}"
                raise ConfigError(f"{where}: the key {key!r} is written twice; keep one of them")
            first_lines[key] = line
        return super().construct_mapping(node, deep)


def read_with_bases(path: str | Path) -> list[tuple[Path, dict]]:
    """Read a config file and the files that it is a change of.

    Args:
        path: the YAML file; its `_BASE_` (a path or a list of paths) counts from the file's own folder.

    Returns:
        (file, its content without `_BASE_`) of each file, bases first: a later one counts.

    Raises:
        ConfigError: as `read_yaml`; or a `_BASE_` leads back to its own file.
    """
    return _with_bases(Path(path).expanduser(), ())


def _with_bases(path: Path, above: tuple[Path, ...]) -> list[tuple[Path, dict]]:
    if path.resolve() in above:
        raise ConfigError(f"{path}: its {BASE_KEY} leads back to itself")
    content = read_yaml(path)
    bases = content.pop(BASE_KEY, [])
    chain = []
    for base in [bases] if isinstance(bases, str) else bases:
        chain += _with_bases(path.parent / Path(base).expanduser(), (*above, path.resolve()))
    return [*chain, (path, content)]


def read_yaml(path: str | Path) -> dict:
    """Read one YAML file whose top level is a mapping.

    Args:
        path: the file.

    Returns:
        the mapping; empty for an empty file.

    Raises:
        ConfigError: the file is missing, is not YAML, holds a Python tag, a key twice, or no mapping.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such config file")
    try:
        with path.open(encoding="utf-8") as file:  # an open file: YAML's error marks then carry its name
            content = yaml.load(file, Loader=_StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ConfigError(f"{path}: not a YAML file that can be read safely: {error}") from error
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path}: expected `KEY: value` lines on top, found a {type(content).__name__}")
    return content or {}
