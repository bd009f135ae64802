"""Restart markers in JPEGs, so that training need not decode what lies above and beside a crop."""

from pathlib import Path
from types import ModuleType

from igdet.utils.bindings import load_binding
from igdet.utils.yaml import ConfigError

# Of 8 x 8 pixels. An interval takes about 5 bytes: its marker, the bits before it, DC coefficients without a neighbour.
# Shorter ones save readers less than they cost (docs/notes/jpeg_decoding.md).
_BLOCKS_PER_INTERVAL = 12

_binding, _missing = load_binding("igdet.curation.images._restarts", Path(__file__).parent)


def require_binding() -> ModuleType:
    """Return what adds markers: the bytes of shards must not depend on whether it happens to be installed.

    Raises:
        ConfigError: it was not built.
    """
    if _binding is None:
        raise ConfigError(f"restart_markers needs a binding to libjpeg-turbo: {_missing}; or set it to false")
    return _binding


def add_restarts(data: bytes) -> bytes | None:
    """Code a JPEG's coefficients again, sequentially, with restart markers within the rows.

    Args:
        data: a JPEG file.

    Returns:
        A JPEG file with the same coefficients, thus the same pixels; None where it is damaged.

    Raises:
        ConfigError: the binding to libjpeg-turbo was not built.
    """
    binding = require_binding()
    try:
        return binding.add_restarts(data, _BLOCKS_PER_INTERVAL)
    except ValueError:
        return None
