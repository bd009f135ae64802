"""Variables and home folders in paths."""

from pathlib import Path

import pytest

from igdet.utils.paths import expanded


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
