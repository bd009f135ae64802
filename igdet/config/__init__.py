"""igdet's configuration: its keys, strict reading of files, and the checks made before any work."""

from igdet.config.defaults import add_igdet_config
from igdet.config.strict import merge_config_file, merge_overrides
from igdet.utils.lazy import lazy_names
from igdet.utils.yaml import ConfigError, read_yaml

_lazy, __getattr__ = lazy_names(__name__, {"check": ("check_config",)})  # needs Detectron2
__all__ = ["ConfigError", "add_igdet_config", "merge_config_file", "merge_overrides", "read_yaml", *_lazy]
