"""Synset files and the vocabularies made of them."""

import pytest

from igdet.world.taxonomy import (
    LEAVES,
    SYNSETS,
    VOCABULARY,
    WIDER,
    Synset,
    hashtag_of,
    read_synsets,
    vocabulary_of,
    write_synsets,
)


def test_files_come_back(tmp_path):
    write_synsets(tmp_path / "synsets.txt", LEAVES)
    found = read_synsets(tmp_path / "synsets.txt")
    assert {wnid: synset.lemmas for wnid, synset in found.items()} == {w: s.lemmas for w, s in LEAVES.items()}


def test_spaces_may_stand_for_the_tab(tmp_path):
    (tmp_path / "synsets.txt").write_text("n1 brown bear, Ursus arctos\n")
    assert read_synsets(tmp_path / "synsets.txt") == {"n1": Synset(("brown bear", "Ursus arctos"))}


@pytest.mark.parametrize(
    ("text", "message"),
    [("n1\towl\nn1\tbear\n", "line 2: 'n1' is listed twice"), ("n1\towl\nn2\t , \n", "line 2: 'n2' has no lemma")],
)
def test_broken_lines_are_named(tmp_path, text, message):
    (tmp_path / "synsets.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_synsets(tmp_path / "synsets.txt")


def test_hashtags_are_one_plain_word():
    assert [hashtag_of(lemma) for lemma in ("Hot air balloon", "jack-o'-lantern")] == ["hotairballoon", "jackolantern"]


def test_a_shared_word_counts_as_the_first_and_a_wordless_synset_is_no_label():
    vocabulary = vocabulary_of([Synset(("crane", "grus")), Synset(("Crane", "derrick")), Synset(("grus",))])
    assert vocabulary.text() == "crane grus\nderrick\n"


def test_the_worlds_words_are_all_different():
    assert len(VOCABULARY) == len(SYNSETS) == len(LEAVES) + len(WIDER) == 22
    for label, synset in enumerate(SYNSETS.values()):
        assert [VOCABULARY.id_of(hashtag_of(lemma)) for lemma in synset.lemmas] == [label] * len(synset.lemmas)
