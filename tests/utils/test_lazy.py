"""Names that a package imports when they are asked for."""

import sys

import pytest

from igdet.utils.lazy import lazy_names


def test_a_name_is_imported_when_it_is_asked_for(tmp_path, monkeypatch):
    folder = tmp_path / "lazily_named"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "part.py").write_text("thing = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    names, get = lazy_names("lazily_named", {"part": ("thing",)})
    assert names == ["thing"] and "lazily_named.part" not in sys.modules
    assert get("thing") == 3 and "lazily_named.part" in sys.modules
    with pytest.raises(AttributeError, match="module 'lazily_named' has no attribute 'other'"):
        get("other")
