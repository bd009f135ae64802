"""Strict merging into a config: a key that is written twice, unknown or of the wrong type is named with its file."""

from collections.abc import Sequence
from pathlib import Path

from yacs.config import CfgNode

from igdet.config.defaults import add_igdet_config
from igdet.config.projects import add_project_keys
from igdet.utils.messages import brief, did_you_mean, shown
from igdet.utils.old_keys import current_key
from igdet.utils.yaml import ConfigError, read_with_bases, unsound

MAY_BE_NONE = ("SOLVER.WEIGHT_DECAY_BIAS",)  # Detectron2's defaults have no other None
# What yacs raises for values that do not fit, and Python for a text of a hundred thousand brackets.
_NOT_MERGED = (ValueError, KeyError, AssertionError, TypeError, AttributeError, RecursionError, MemoryError)


def merge_config_file(cfg: CfgNode, path: str | Path) -> set[str]:
    """Merge a config file, after the files named by its `_BASE_`, into a config in place.

    Args:
        cfg: a config that has every allowed key.
        path: the YAML file; `_BASE_` (a path or a list of paths) counts from the file's own folder.

    Returns:
        The keys that the files write, such as "SOLVER.BASE_LR".

    Raises:
        ConfigError: as `read_with_bases`; or a key is unknown or has a value of another type.
    """
    written = set()
    files = read_with_bases(path)
    for _, content in files:
        add_project_keys(cfg, content)
    for file, content in files:
        _refuse_unknown_keys(cfg, content, file, "")
        try:
            cfg.merge_from_other_cfg(type(cfg)(content))
            _open_free_sections(cfg)
        except _NOT_MERGED as error:
            raise ConfigError(f"{file}: {brief(error)}") from error
        _refuse_unsound(cfg, file)
        written |= _keys(content)
    return written


def merge_all(cfg: CfgNode, config_file: str, opts: Sequence[str]) -> set[str]:
    """Give a config igdet's keys, then merge a file and overrides into it, in place.

    Args:
        cfg: Detectron2's defaults.
        config_file: as for `merge_config_file`; "" for none.
        opts: as for `merge_overrides`.

    Returns:
        The keys that both write.

    Raises:
        ConfigError: as `merge_config_file` and `merge_overrides`.
    """
    add_igdet_config(cfg)
    written = merge_config_file(cfg, config_file) if config_file else set()
    return written | merge_overrides(cfg, opts)


def merge_overrides(cfg: CfgNode, opts: Sequence[str], source: str = "command line") -> set[str]:
    """Merge the `KEY VALUE` pairs of a command line into a config in place.

    Args:
        cfg: a config that has every allowed key.
        opts: key, value, key, value ...
        source: where they come from, for messages.

    Returns:
        The keys.

    Raises:
        ConfigError: an option is among them; a key is unknown, has no value, or the value is of another type.
    """
    if options := [word for word in opts if word.startswith("--")]:
        raise ConfigError(f"{source}: {options[0]} comes after KEY VALUE: options come before the first KEY")
    if len(opts) % 2:
        raise ConfigError(f"{source}: overrides come as KEY VALUE pairs, but {shown(opts[-1])} has no partner")
    written = set()
    for old_or_current, value in zip(opts[::2], opts[1::2], strict=True):
        key = current_key(old_or_current, source)
        content = _nested(key.split("."), value)
        add_project_keys(cfg, content)
        _refuse_unknown_keys(cfg, content, source, "")
        try:
            cfg.merge_from_list([key, value])
        except _NOT_MERGED as error:
            raise ConfigError(f"{source}: {brief(key)} {brief(value)}: {brief(error)}") from error
        _refuse_unsound(cfg, source)
        written.add(key)
    return written


def _keys(content: dict, prefix: str = "") -> set[str]:
    """{"A": {"B": 1}} -> {"A.B"}."""
    keys = set()
    for key, value in content.items():
        keys |= _keys(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}"}
    return keys


def _open_free_sections(cfg: CfgNode) -> None:
    """Where a section takes any key (DATASETS.OWN), so do the sections that a file has just put into it."""
    for section in cfg.values():
        if isinstance(section, CfgNode):
            if section.is_new_allowed():
                section.set_new_allowed(True)  # of all below it as well
            else:
                _open_free_sections(section)


def _refuse_unknown_keys(cfg: CfgNode, content: dict, source: str | Path, prefix: str) -> None:
    if cfg.is_new_allowed():
        return
    for key, value in content.items():
        name = f"{prefix}{key}"
        if key not in cfg:
            raise ConfigError(f"{source}: unknown key {shown(name)}{did_you_mean(name, [prefix + k for k in cfg])}")
        if isinstance(value, dict) and isinstance(cfg[key], CfgNode):
            _refuse_unknown_keys(cfg[key], value, source, f"{name}.")


def _refuse_unsound(node: object, source: str | Path, name: str = "") -> None:
    """Refuse what yacs takes for a value of any key: nothing, and numbers that cannot be computed with."""
    if isinstance(node, dict | list | tuple):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            _refuse_unsound(value, source, f"{name}.{key}" if name else str(key))
    elif node is None and name not in MAY_BE_NONE:
        raise ConfigError(f"{source}: {brief(name)} is empty: write a value, '' for no text, or leave the key out")
    elif why := unsound(node):
        raise ConfigError(f"{source}: {brief(name)} is {shown(node)}: {why}")


def _nested(keys: list[str], value: str) -> dict:
    """["A", "B"], v -> {"A": {"B": v}}."""
    first, *rest = keys
    return {first: _nested(rest, value) if rest else value}
