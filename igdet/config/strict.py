"""Strict reading of YAML configs: a key written twice, unknown or of the wrong type is named with its file."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from detectron2.config import CfgNode

BASE_KEY = "_BASE_"


class ConfigError(ValueError):
    """A config that cannot be run; the message says where it is wrong and how to mend it."""


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, refusing a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        first_lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if key in first_lines:
                where = f"{key_node.start_mark.name}, lines {first_lines[key]} and {line}"
                raise ConfigError(f"{where}: the key {key!r} is written twice; keep one of them")
            first_lines[key] = line
        return super().construct_mapping(node, deep)


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
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a YAML file that can be read safely: {error}") from error
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path}: expected `KEY: value` lines on top, found a {type(content).__name__}")
    return content or {}


def merge_config_file(cfg: CfgNode, path: str | Path) -> None:
    """Merge a config file, after the files named by its `_BASE_`, into a config in place.

    Args:
        cfg: a config that has every allowed key.
        path: the YAML file; `_BASE_` (a path or a list of paths) counts from the file's own folder.

    Raises:
        ConfigError: as `read_yaml`; or a key is unknown, has a value of another type, or `_BASE_` comes back to itself.
    """
    for file, content in _with_bases(Path(path).expanduser(), ()):
        _refuse_unknown_keys(cfg, content, file, "")
        try:
            cfg.merge_from_other_cfg(CfgNode(content))
        except (ValueError, KeyError, AssertionError) as error:
            raise ConfigError(f"{file}: {error}") from error


def merge_overrides(cfg: CfgNode, opts: list[str]) -> None:
    """Merge the `KEY VALUE` pairs of a command line into a config in place.

    Args:
        cfg: a config that has every allowed key.
        opts: key, value, key, value ...

    Raises:
        ConfigError: a key is unknown, has no value, or the value is of another type.
    """
    if len(opts) % 2:
        raise ConfigError(f"command line: overrides come as KEY VALUE pairs, but {opts[-1]!r} has no partner")
    for key, value in zip(opts[::2], opts[1::2], strict=True):
        _refuse_unknown_keys(cfg, _nested(key.split("."), value), "command line", "")
        try:
            cfg.merge_from_list([key, value])
        except (ValueError, KeyError, AssertionError) as error:
            raise ConfigError(f"command line: {key} {value}: {error}") from error


def did_you_mean(name: str, known: list[str]) -> str:
    """The end of an error message that points to the known name closest to an unknown one.

    Args:
        name: the unknown name.
        known: the names there are.

    Returns:
        "; did you mean 'X'?", or nothing when no known name is close.
    """
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _with_bases(path: Path, above: tuple[Path, ...]) -> list[tuple[Path, dict]]:
    """The file and all its bases as (path, content), bases first."""
    if path.resolve() in above:
        raise ConfigError(f"{path}: its {BASE_KEY} leads back to itself")
    content = read_yaml(path)
    bases = content.pop(BASE_KEY, [])
    chain = []
    for base in [bases] if isinstance(bases, str) else bases:
        chain += _with_bases(path.parent / Path(base).expanduser(), (*above, path.resolve()))
    return [*chain, (path, content)]


def _refuse_unknown_keys(cfg: CfgNode, content: dict, source: str | Path, prefix: str) -> None:
    if cfg.is_new_allowed():
        return
    for key, value in content.items():
        name = f"{prefix}{key}"
        if key not in cfg:
            raise ConfigError(f"{source}: unknown key {name!r}{did_you_mean(name, [prefix + k for k in cfg])}")
        if isinstance(value, dict) and isinstance(cfg[key], CfgNode):
            _refuse_unknown_keys(cfg[key], value, source, f"{name}.")


def _nested(keys: list[str], value: str) -> dict:
    """["A", "B"], v -> {"A": {"B": v}}."""
    for key in reversed(keys):
        value = {key: value}
    return value
