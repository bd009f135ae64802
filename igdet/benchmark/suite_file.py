"""Reading a suite file: YAML keys in upper case become the fields of a Suite, strictly."""

import os
from collections.abc import Sequence

import yaml

from igdet.benchmark.suite import Suite
from igdet.benchmark.suite_checks import problems
from igdet.utils.strict_yaml import ConfigError, read_yaml
from igdet.utils.yaml_fields import from_mapping


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
    suite = from_mapping(Suite, node, str(path))
    if found := problems(suite):
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in found))
    return suite
