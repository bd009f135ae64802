"""Paths as people write them in configs and environment variables."""

import os
from pathlib import Path


def expanded(path: str | os.PathLike) -> Path:
    """Replace $VARIABLES, where they are set, and then a leading ~ by what they stand for."""
    return Path(os.path.expandvars(path)).expanduser()
