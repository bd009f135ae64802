"""Modules that are compiled from the C files beside them, and that igdet can do without."""

import hashlib
from importlib import import_module
from pathlib import Path
from types import ModuleType

_TO_BUILD_IT = (
    "to build it, install a C compiler and libjpeg-turbo's headers (Debian: apt install gcc libjpeg62-turbo-dev, "
    "Ubuntu: gcc libjpeg-turbo8-dev), then igdet again"
)


def load_binding(name: str, folder: Path) -> tuple[ModuleType | None, str]:
    """Import a compiled module, unless its C files have changed since.

    Args:
        name: with its packages.
        folder: of the C files, all of which belong to it.

    Returns:
        The module and "", or None and why it cannot be used, with what to do.
    """
    try:
        binding = import_module(name)
    except ImportError as error:
        return None, f"{error}; {_TO_BUILD_IT}"
    if _hash(folder) != binding.SOURCE:
        return None, f"{binding.__file__} was built from another version of its source: install igdet again"
    return binding, ""


def _hash(folder: Path) -> str:
    """Compute what setup.py computes when it builds the module."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.[ch]")))).hexdigest()
