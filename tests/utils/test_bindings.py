"""Compiled modules are used when they are there and were built from the C files beside them."""

import hashlib
import sys
from types import ModuleType

import pytest

from igdet.utils.bindings import load_binding


@pytest.fixture
def folder(tmp_path):
    """A folder with two C files, and what else may lie there."""
    for name, text in (("b.c", "two"), ("a.h", "one"), ("other.py", "three")):
        (tmp_path / name).write_text(text)
    return tmp_path


def provide(monkeypatch, source: str) -> ModuleType:
    module = ModuleType("built")
    module.SOURCE, module.__file__ = source, "built.so"
    monkeypatch.setitem(sys.modules, "built", module)
    return module


def test_a_module_of_these_sources_is_used(folder, monkeypatch):
    module = provide(monkeypatch, hashlib.sha256(b"onetwo").hexdigest())
    assert load_binding("built", folder) == (module, "")


def test_a_module_of_other_sources_is_not_used(folder, monkeypatch):
    provide(monkeypatch, hashlib.sha256(b"onetwo").hexdigest())
    (folder / "a.h").write_text("changed")
    binding, why = load_binding("built", folder)
    assert binding is None
    assert why == "built.so was built from another version of its source: install igdet again"


def test_where_none_was_built_the_reason_says_how_to(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "built", None)
    binding, why = load_binding("built", folder)
    assert binding is None
    assert "built" in why and "libjpeg62-turbo-dev" in why
