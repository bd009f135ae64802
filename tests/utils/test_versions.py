"""What needs newer libraries says so, with the version that is there."""

import pytest

from igdet.utils import versions
from igdet.utils.versions import NEEDS, release, too_old


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.8.0", (2, 8, 0)),
        ("2.10.0a0+git1f0e5a7", (2, 10, 0)),
        ("2.4.0+cpu", (2, 4, 0)),
        ("0.22.0.dev20250301", (0, 22, 0)),
        ("3", (3,)),
        ("unknown", ()),
    ],
)
def test_the_numbers_of_a_version(text, expected):
    assert release(text) == expected


@pytest.mark.parametrize("installed", ["2.8.0", "2.8.0a0+nv25.6", "2.10.0+cu130", "3.0"])
def test_what_is_new_enough_has_no_problem(installed, monkeypatch):
    monkeypatch.setattr(versions, "version", {"torch": installed}.__getitem__)
    assert too_old("ONNX export") == ""


@pytest.mark.parametrize("installed", ["2.4.0", "2.7.1+cu126", "1.13.1"])
def test_what_is_too_old_is_named_with_what_is_needed(installed, monkeypatch):
    monkeypatch.setattr(versions, "version", {"torch": installed}.__getitem__)
    expected = f"ONNX export needs torch 2.8 or later, this is {installed}: {NEEDS['ONNX export'].why}"
    assert too_old("ONNX export") == expected
