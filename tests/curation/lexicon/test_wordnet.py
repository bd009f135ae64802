"""WordNet's nouns, read as hashtags."""

from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.lexicon import Lexicon, wordnet
from igdet.curation.lexicon.table import read_text
from igdet.curation.lexicon.words import FOLDER, JUDGED_NAME, TABLE_NAME
from igdet.formats.vocabulary import normalise_tag

JUDGED = read_text(FOLDER / JUDGED_NAME)
NOTHING_JUDGED = pa.table({name: pa.array([], pa.string()) for name in JUDGED.column_names})


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.wordnet()


@pytest.fixture(scope="module")
def unjudged() -> Lexicon:
    """The lexicon as the rules alone make it."""
    with mock.patch.object(wordnet, "read_text", return_value=NOTHING_JUDGED):
        return Lexicon(wordnet.read_senses(), wordnet.read_hypernyms())


@pytest.mark.parametrize(
    ("word", "labels"),
    [
        ("brownbear", ("n02132136",)),
        ("dog", 7),
        ("zebra", ("n02391049",)),
        ("stpatricksday", ("n15187988",)),
        ("nice", ()),  # the city; SemCor has the adjective alone
        ("funny", ()),  # mostly an adjective
        ("jones", ()),  # any Jones, not Mother Jones
        ("motherjones", ("n11090884",)),
        ("shoes", ()),  # the plural of what SemCor has more often, not somebody's situation
        ("woods", ("n08438533",)),  # SemCor has it more often than "wood"
        ("us", ()),  # too short
        ("qwertyuiop", ()),
    ],
)
def test_labels_of_words(unjudged, word, labels):
    found = unjudged.labels_of(word)
    assert (len(found) if isinstance(labels, int) else found) == labels


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("dog", "n02084071"),  # SemCor's most frequent sense
        ("crane", "n02012849"),  # the bird, then the machine
        ("wren", "n01584225"),  # the bird, then the architect
        ("toaster", "n04442312"),  # the appliance, then one who proposes a toast
        ("hotdog", "n07697537"),  # the food, then the show-off
        ("leopard", "n02128385"),  # the animal, then its pelt
    ],
)
def test_the_first_sense(unjudged, word, label):
    assert unjudged.labels_of(word)[0] == label


def test_senses_without_uses_follow_the_order_of_what_photos_show(unjudged):
    assert unjudged.labels_of("hotdog") == ("n07697537", "n07676602", "n10187710")  # two foods, then a person


def test_words_of_a_label_are_those_of_its_synset(unjudged):
    synsets = pq.read_table(FOLDER / TABLE_NAME)
    words = [
        {normalise_tag(word.replace(".", "").replace("'", "").replace("/", "")) for word in row}
        for row in synsets["words"].to_pylist()
    ]
    assert len(words) == 82_115
    for label, row in list(zip(synsets["label"].to_pylist(), words, strict=True))[::50]:
        assert set(unjudged.words_of(label)) <= row


def test_hypernyms(lexicon):
    assert lexicon.hypernyms("n02132136") == ("n02131653",)  # a brown bear is a bear
    assert "n02132136" in lexicon.hyponyms("n02131653")
    assert lexicon.hypernyms("n08932568") == ("n08691669",)  # Paris is an instance of a national capital


def test_names(lexicon):
    assert {"paris", "chicago"} <= lexicon.names
    assert not {"dog", "turkey", "crane"} & lexicon.names


def test_judged_labels_exist():
    labels = set(pq.read_table(FOLDER / TABLE_NAME)["label"].to_pylist())
    assert set(JUDGED["label"].to_pylist()) <= {"", *labels}


def test_judged_words_are_normal_forms_in_order_and_have_reasons():
    words = JUDGED["word"].to_pylist()
    assert words == sorted(set(words))
    assert words == [normalise_tag(word) for word in words]
    assert all(JUDGED["reason"].to_pylist())


def test_judged_words_mean_what_is_said(lexicon):
    for word, label, _ in zip(*JUDGED.to_pydict().values(), strict=True):
        assert lexicon.labels_of(word)[:1] == ((label,) if label else ()), word


def test_every_judgement_changes_something(lexicon, unjudged):
    dead = [word for word in JUDGED["word"].to_pylist() if lexicon.labels_of(word)[:1] == unjudged.labels_of(word)[:1]]
    assert dead == []


def test_judged_words_keep_their_other_meanings(lexicon, unjudged):
    assert sorted(lexicon.labels_of("kite")) == sorted(unjudged.labels_of("kite"))


def test_judged_words_can_name_labels_that_wordnet_gives_them_not(lexicon):
    assert lexicon.words_of("n09119277")[0] == "newyork"
    assert "nyc" in lexicon.words_of("n09119277")
