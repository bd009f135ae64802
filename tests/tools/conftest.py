"""Fixtures shared by the tests of tools/."""

import runpy
from pathlib import Path
from typing import Any

import pytest
import setuptools


@pytest.fixture
def packaging(repository: Path, monkeypatch) -> dict[str, Any]:
    """What setup.py gives to setuptools."""
    given = {}
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: given.update(arguments))
    runpy.run_path(str(repository / "setup.py"))
    return given
