"""Tests of the names that people read."""

import pytest

from igdet.formats.class_lists import read_readable_names
from igdet.formats.errors import DatasetError


def test_from_a_file_or_the_folders(tmp_path):
    (tmp_path / "names.txt").write_text("n2\tdog, hound\nn1\tcat\n")
    assert read_readable_names(str(tmp_path / "names.txt"), ["n1", "n2"]) == ["cat", "dog, hound"]
    assert read_readable_names("", ["n1"]) == ["n1"]
    with pytest.raises(DatasetError, match=r"for 1 classes: \['n3'\]"):
        read_readable_names(str(tmp_path / "names.txt"), ["n1", "n3"])


def test_lemmas_that_timm_ships():
    pytest.importorskip("timm")
    names = read_readable_names("timm:lemmas", ["n02084071", "n01440764"])
    assert names == ["dog, domestic dog, Canis familiaris", "tench, Tinca tinca"]
