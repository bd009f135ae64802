"""Simulated posts: words of the right class, deterministic, in the form that curation reads."""

from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from igdet.curation.parsing import tags_of_captions, tags_of_lists
from igdet.curation.simulate import class_names, class_words, simulate_posts
from igdet.utils.strict_yaml import ConfigError
from igdet.vocabulary import normalise_tag
from igdet.world.habit import FUNCTIONAL_TAGS, Habit
from igdet.world.synsets import Synset

PLAIN = Habit(class_skew=0, missing=0, wider=0, wrong=0, replaced=0, misspelt=0, functional_tags=0)
GOLDFISH, DOG, OWL = "n00000008", "n00000002", "snowy_owl"
SYNSETS = {GOLDFISH: Synset(("gold fish", "Carassius auratus"))}
WORDS_OF = {GOLDFISH: {"goldfish", "carassiusauratus"}, DOG: {"dog", "hound"}, OWL: {"snowyowl"}}


@pytest.fixture
def images(tmp_path):
    """Three classes of twenty pictures, some in folders below, and files that are no pictures."""
    for name in WORDS_OF:
        (tmp_path / "images" / name / "below").mkdir(parents=True)
        for i in range(20):
            (tmp_path / "images" / name / ("below" if i < 5 else "") / f"{i}.JPEG").write_bytes(b"")
        (tmp_path / "images" / name / "boxes.txt").write_text("")
    (tmp_path / "images" / "readme.txt").write_text("")
    return tmp_path / "images"


@pytest.fixture
def simulate(images, animals):
    """Simulate posts with a habit and a seed; give the table."""

    def run(habit=PLAIN, seed=0):
        words = class_words(class_names(images), SYNSETS, animals)
        count = simulate_posts(images, words, images.parent / "posts.parquet", habit, seed)
        table = pq.read_table(images.parent / "posts.parquet")
        assert len(table) == count
        return table

    return run


def tags_by_class(table):
    """Give the normal forms of each class's tags, counted."""
    found = {name: Counter() for name in WORDS_OF}
    for post in table.to_pylist():
        found[post["image"].split("/")[0]].update(map(normalise_tag, post["tags"]))
    return found


def test_words_come_from_synsets_the_lexicon_and_the_name(images, animals):
    assert class_names(images) == [DOG, GOLDFISH, OWL]
    assert class_words(class_names(images), SYNSETS, animals) == {
        "n00000001": Synset(("animal",)),
        DOG: Synset(("dog", "hound"), "n00000001"),
        GOLDFISH: Synset(("gold fish", "Carassius auratus"), "n00000001"),
        OWL: Synset(("snowy owl",)),
    }


def test_every_picture_is_a_post_with_a_word_of_its_class(images, simulate):
    table = simulate()
    assert table["id"].to_pylist() == [f"{i:09d}" for i in range(60)]
    assert all(
        (images / image).suffix == ".JPEG" and (images / image).is_file() for image in table["image"].to_pylist()
    )
    assert len(set(table["image"].to_pylist())) == 60
    found = tags_by_class(table)
    assert {name: set(tags) for name, tags in found.items()} == WORDS_OF
    assert all(tags.total() == 20 for tags in found.values())


def test_captions_and_lists_hold_the_same_hashtags(simulate):
    table = simulate(Habit(class_skew=0))
    captions = tags_of_captions(table["caption"].combine_chunks())
    assert (
        captions.to_pylist() == tags_of_lists(table["tags"].combine_chunks()).to_pylist() == table["tags"].to_pylist()
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"missing": 1.0}, set()),
        ({"missing": 1.0, "wider": 1.0}, {"animal"}),
        ({"missing": 1.0, "functional_tags": 3.0}, set(FUNCTIONAL_TAGS)),
        ({"replaced": 1.0}, {"animal", "snowyowl"} | WORDS_OF[GOLDFISH]),
    ],
)
def test_habits(simulate, change, expected):
    found = set(tags_by_class(simulate(replace(PLAIN, **change)))[DOG])
    assert found <= expected and bool(found) == bool(expected)


def test_a_skew_makes_classes_rare(simulate):
    counts = Counter(
        image.split("/")[0] for image in simulate(replace(PLAIN, class_skew=2)).column("image").to_pylist()
    )
    first, second, third = (count for _, count in counts.most_common())
    assert first == 20 and second < 15 and third < 10  # about 20, 20 / 4, 20 / 9


def test_the_seed_decides(simulate):
    habit = Habit(class_skew=0)
    once = simulate(habit, 1)
    assert once.equals(simulate(habit, 1)) and not once.equals(simulate(habit, 2))


def test_folders_without_classes_or_pictures(tmp_path, animals):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError, match="expected a folder with one folder of pictures a class"):
            class_names(folder)
    (tmp_path / "bear").mkdir()
    with pytest.raises(ConfigError, match="no picture in its class folders"):
        simulate_posts(tmp_path, class_words(["bear"], {}, animals), tmp_path / "posts.parquet", PLAIN, 0)
