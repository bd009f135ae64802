"""A lexicon: words, their labels, and which label is wider than which."""

import pyarrow as pa
import pytest

from igdet.curation.lexicon import Lexicon, LexiconError

DOG, PUPPY, CAT, BIRD, DERRICK = (f"n{number:08d}" for number in range(2, 7))
ANIMAL = "n00000001"


def test_labels_of_a_word_are_in_the_order_of_its_senses(animals):
    assert animals.labels_of("crane") == (BIRD, DERRICK)
    assert animals.labels_of("hound") == (DOG,)
    assert animals.labels_of("zoo") == ()


def test_ranks_order_senses_whatever_the_order_of_the_rows():
    senses = pa.table({"word": ["a", "a", "a"], "label": ["3", "1", "2"], "rank": [3, 1, 2], "name": [False] * 3})
    assert Lexicon(senses).labels_of("a") == ("1", "2", "3")


def test_words_of_a_label_start_with_its_name(animals):
    assert animals.words_of(DOG) == ("dog", "hound")
    assert animals.words_of(DERRICK) == ("crane", "derrick")
    assert animals.words_of("n99999999") == ()


def test_every_word_is_given_once(animals):
    assert " ".join(sorted(animals.words)) == "animal cat crane derrick dog goldfish hound machine puppy"


def test_wider_and_narrower_labels(animals):
    assert animals.hypernyms(PUPPY) == (DOG,)
    assert animals.hypernyms(ANIMAL) == ()
    assert animals.hyponyms(ANIMAL)[:3] == (DOG, CAT, BIRD)
    assert animals.hyponyms(PUPPY) == ()


def test_all_that_is_wider_has_its_height(animals):
    assert animals.heights(PUPPY) == {PUPPY: 0, DOG: 1, ANIMAL: 2}
    assert animals.heights(PUPPY, 1) == {PUPPY: 0, DOG: 1}
    assert animals.heights("n99999999") == {"n99999999": 0}


def test_a_word_is_a_name_when_all_its_meanings_are():
    senses = pa.table(
        {
            "word": ["paris", "turkey", "turkey"],
            "label": ["city", "bird", "country"],
            "rank": [1, 1, 2],
            "name": [True, False, True],
        }
    )
    assert Lexicon(senses).names == {"paris"}


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("word,label\nBrown Bear,bear\nbruin,bear\njaguar,cat\njaguar,car\n")
    lexicon = Lexicon.read(str(path))
    assert lexicon.labels_of("brownbear") == ("bear",)
    assert lexicon.labels_of("jaguar") == ("cat", "car")
    assert lexicon.words_of("bear") == ("brownbear", "bruin")
    assert lexicon.hypernyms("bear") == lexicon.hyponyms("bear") == ()
    assert not lexicon.names


def test_a_broken_table_of_ones_own(tmp_path):
    with pytest.raises(LexiconError, match=r"missing\.csv"):
        Lexicon.read(tmp_path / "missing.csv")
