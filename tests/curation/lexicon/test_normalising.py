"""Normal forms of many hashtags at once."""

import random

import pyarrow as pa
import pytest

from igdet.curation.lexicon.words import normal_forms, word_forms
from igdet.formats.vocabulary import normalise_tag

ASCII = [chr(code) for code in range(0x80)]
OTHERS = "éßİΣﬁ＃𝓵🐻\u00ad\u061c\u200b\u200d\u200e\u200f\u202e\u2069\ufe0f\ufeff\u2010\u0301"


@pytest.mark.parametrize(
    ("tag", "normal"),
    [
        ("#brown_bear", "brownbear"),
        ("#BrownBear", "brownbear"),
        ("##brown-bear", "brownbear"),
        ("ＢＥＡＲ", "bear"),
        ("𝓫𝓮𝓪𝓻", "bear"),
        ("ⓑⓔⓐⓡ", "bear"),
        ("be\u200bar\u200d", "bear"),
        ("\u202bbear\u202c\u200e", "bear"),
        ("🐻❤\ufe0f", "🐻❤"),
        ("שלום", "שלום"),
        ("##", ""),
        ("_ -", ""),
        ("", ""),
    ],
)
def test_a_hashtag(tag, normal):
    assert normal_forms(pa.array([tag])).to_pylist() == [normal] == [normalise_tag(tag)]


@pytest.mark.parametrize("characters", [ASCII, [*ASCII, *OTHERS]])
def test_many_hashtags_are_the_same_as_one_by_one(characters):
    source = random.Random(0)
    tags = ["".join(source.choices(characters, k=source.randrange(6))) for _ in range(3000)]
    assert normal_forms(pa.array(tags)).to_pylist() == [normalise_tag(tag) for tag in tags]


def test_a_hashtag_of_10_kb():
    assert normal_forms(pa.array(["A_" * 5000])).to_pylist() == ["a" * 5000]


def test_no_hashtags():
    assert normal_forms(pa.array([], pa.string())).to_pylist() == []


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("St._Patrick's_Day", "stpatricksday"),
        ("jack-o'-lantern", "jackolantern"),
        ("Ursus arctos", "ursusarctos"),
        ("Lao’s", "laos"),
        ("...", ""),
    ],
)
def test_words_lose_their_punctuation(word, form):
    assert word_forms(pa.array([word])).to_pylist() == [form]
