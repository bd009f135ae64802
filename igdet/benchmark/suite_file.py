"""Reading a suite file: YAML keys in upper case become the fields of a Suite, strictly."""

import os
from collections.abc import Sequence

from igdet.benchmark.suite import Suite
from igdet.benchmark.suite_checks import problems
from igdet.utils.shown import brief, shown
from igdet.utils.strict_yaml import ConfigError, read_value, read_yaml
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
        raise ConfigError(f"overrides come in pairs KEY VALUE, but {shown(overrides[-1])} has no value")
    node = read_yaml(path)
    pairs = zip(overrides[::2], overrides[1::2], strict=True)
    node.update({key: read_value(value, f"override {brief(key)}") for key, value in pairs})
    suite = from_mapping(Suite, node, str(path))
    if found := problems(suite):
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in found))
    return suite
