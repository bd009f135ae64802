"""Variables and home folders in paths."""

from pathlib import Path

import pytest

from igdet.utils.files import expanded, other_spelling


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a/b", "a/b"),
        ("$SET/b", "/data/b"),
        ("${SET}/b", "/data/b"),
        ("$UNSET/b", "$UNSET/b"),
        ("~/b", "/home/me/b"),
        ("$HOMELY/b", "/home/me/x/b"),
        (Path("$SET"), "/data"),
    ],
)
def test_what_is_meant(monkeypatch, written, meant):
    for name, value in {"SET": "/data", "HOME": "/home/me", "HOMELY": "~/x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("UNSET", raising=False)
    assert expanded(written) == Path(meant)


@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("a\\b c.jpg", "a/b c.jpg"),
        ("a/b%20c.jpg", "a/b c.jpg"),
        ("caf\u00e9.jpg", "cafe\u0301.jpg"),
        ("x.jpg ", "x.jpg"),
        ("/a/b c.jpg", "a/b c.jpg"),
        ("images/x.jpg", "x.jpg"),
    ],
)
def test_another_spelling_that_is_there_is_named(tmp_path, written, there):
    for name in ("a/b c.jpg", "cafe\u0301.jpg", "x.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"")
    assert other_spelling(tmp_path / "images", written) == f"; {there} is there: write it so"


@pytest.mark.parametrize("written", ["no.jpg", "..\\x.jpg", "%2Fx.jpg", "a\0b", "x" * 5000, ""])
def test_no_hint_where_nothing_is_there_or_it_lies_outside(tmp_path, written):
    (tmp_path / "x.jpg").write_bytes(b"")
    (tmp_path / "images").mkdir()
    assert other_spelling(tmp_path / "images", written) == ""
