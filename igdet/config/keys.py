"""Checks of a config's files and keys alone, without PyTorch and Detectron2, whose import takes seconds."""

import ast
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from yacs.config import CfgNode

from igdet.config.strict import merge_all
from igdet.utils.errors import UserError


def check_keys(config_file: str, opts: Sequence[str]) -> None:
    """Refuse what reading the whole config would refuse later.

    Args:
        config_file: its file; "" for the defaults.
        opts: KEY VALUE KEY VALUE ... that override it.

    Raises:
        ConfigError: a file is missing or no YAML, a key is unknown, or a value is of another type.
        UserError: Detectron2 is not installed.
    """
    merge_all(_detectron2_defaults(), config_file, opts)


def _detectron2_defaults() -> CfgNode:
    """Run Detectron2's list of keys by itself: all that it imports is the class of its nodes."""
    detectron2 = find_spec("detectron2")
    if detectron2 is None or detectron2.origin is None:
        raise UserError(
            "igdet is a plugin of Detectron2, which is not installed here: run `python tools/install_detectron2.py` "
            "from igdet's source tree, or follow Detectron2's own installation page"
        )
    path = Path(detectron2.origin).with_name("config") / "defaults.py"
    module = ast.parse(path.read_text(encoding="utf-8"), path)
    module.body = [statement for statement in module.body if not isinstance(statement, ast.ImportFrom)]
    names = {"CN": CfgNode}
    exec(compile(module, path, "exec"), names)
    return names["_C"]
