"""Block lists: the shipped one, one's own, and what they drop."""

import pytest

from igdet.curation.vocabularies.recipes import blocked_rows, read_block_lists
from igdet.formats.vocabulary import normalise_tag
from igdet.utils.yaml import ConfigError


def test_the_shipped_list_names_functional_hashtags_and_no_things():
    shipped = read_block_lists(["default"])
    assert {"instagood", "tbt", "follow4follow", "likeforlike", "photooftheday", "nofilter", "vscocam"} <= shipped
    assert shipped.isdisjoint({"love", "dog", "beach", "selfie", "food", "crane", "fashion", "camera"})


def test_the_shipped_list_holds_each_normal_form_once(repository):
    lines = (repository / "igdet/curation/vocabularies/block_list.txt").read_text(encoding="utf-8").splitlines()
    forms = [line for line in lines if line and not line.startswith("# ")]
    assert [normalise_tag(form) for form in forms] == forms
    assert len(set(forms)) == len(forms) > 300


def test_ones_own_list_is_added(tmp_path):
    (tmp_path / "own.txt").write_text("# comment\n\n#Brown_Bear\nzoo\n", encoding="utf-8")
    own = read_block_lists([str(tmp_path / "own.txt")])
    assert own == {"brownbear", "zoo"}
    assert read_block_lists(["default", str(tmp_path / "own.txt")]) == own | read_block_lists(["default"])
    assert read_block_lists([]) == frozenset()


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00z"])
def test_a_list_that_cannot_be_read_is_named(tmp_path, content):
    if content:
        (tmp_path / "own.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=r"BLOCK_LISTS: cannot read .*own\.txt"):
        read_block_lists([str(tmp_path / "own.txt")])


def test_one_hashtag_spoils_its_label(animal_labels):
    assert blocked_rows(animal_labels, frozenset({"hound", "love"})).tolist() == [True, True] + [False] * 5
