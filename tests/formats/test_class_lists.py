"""Tests of lists of classes."""

import pytest

from igdet.formats.class_lists import is_file, read_class_list
from igdet.formats.errors import DatasetError


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("dog\n\n  cat \n", ["dog", "cat"]),
        ("/a/alley 1\n/a/airfield 0\n", ["/a/airfield", "/a/alley"]),  # as categories_places365.txt
        ("room 1\nroom 3\n", ["room 1", "room 3"]),  # numbers that are no ids belong to the name
        ("\ufeffcat\n", ["cat"]),
    ],
)
def test_names_in_the_order_of_their_ids(tmp_path, content, names):
    (tmp_path / "list.txt").write_text(content, encoding="utf-8")
    assert read_class_list(str(tmp_path / "list.txt")) == names


@pytest.mark.parametrize(("content", "message"), [("", "it names 0"), ("a\nb\na\n", "it names 3; 'a' is listed twice")])
def test_lists_that_are_no_use(tmp_path, content, message):
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_class_list(str(tmp_path / "list.txt"))


def test_a_list_that_is_no_text(tmp_path):
    (tmp_path / "list.txt").write_bytes("cat\nchâteau\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"list\.txt: line 2 is no UTF-8 text; save the file as UTF-8"):
        read_class_list(str(tmp_path / "list.txt"))


def test_a_shipped_list():
    pytest.importorskip("timm")
    assert read_class_list("timm:imagenet-1k")[:2] == ["n01440764", "n01443537"]


def test_what_must_exist():
    assert [is_file(source) for source in ("classes.txt", "timm:imagenet-1k", "")] == [True, False, False]
