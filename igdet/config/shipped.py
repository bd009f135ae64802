"""The configs that come with igdet: beside the package in a clone, inside it where it is installed."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped_configs() -> Path:
    """Return the folder of the configs that come with igdet."""
    installed = PACKAGE / "configs"
    return installed if installed.is_dir() else PACKAGE.parent / "configs"
