"""Tagged tables of folder-per-class sets."""

import csv

import pytest

from igdet.vocabulary import Vocabulary
from igdet.world.habit import Habit
from igdet.world.simulate import SimulationError, choose_classes, simulate_posts

WNIDS = ["n1", "n2", "n3"]
PLAIN = Habit(class_skew=0, missing=0, wider=0, wrong=0, replaced=0, misspelt=0, functional_tags=0)


@pytest.fixture
def images(tmp_path):
    for wnid in WNIDS:
        (tmp_path / "images" / wnid).mkdir(parents=True)
        for i in range(20):
            (tmp_path / "images" / wnid / f"{i}.jpg").write_bytes(b"")
    (tmp_path / "synsets.txt").write_text("n1\tbear, ursus\nn2\towl\nn3\triver, stream\n")
    return tmp_path / "images"


def simulate(images, classes="all", habit=PLAIN, seed=0):
    out = images.parent / "tagged" / "posts.csv"
    simulate_posts(images, images.parent / "synsets.txt", out, classes, habit, seed)
    with out.open() as file:
        return list(csv.DictReader(file))


def test_every_picture_is_tagged_with_words_of_its_class(images):
    rows = simulate(images)
    vocabulary = Vocabulary.read(images.parent / "tagged/vocabulary.txt")
    assert vocabulary.names == ["bear", "owl", "river"] and len(rows) == 60
    for row in rows:
        assert (images / row["image"]).is_file()
        assert vocabulary.ids(row["hashtags"].split()).tolist() == [WNIDS.index(row["image"].split("/")[0])]


def test_held_out_classes_are_listed_and_neither_shown_nor_named(images):
    rows = simulate(images, classes="first:2", habit=Habit(class_skew=0, replaced=0.5))
    assert {row["image"].split("/")[0] for row in rows} == {"n1", "n2"}
    tagged = images.parent / "tagged"
    assert (tagged / "classes.txt").read_text() == "n1\nn2\n" and (tagged / "held_out.txt").read_text() == "n3\n"
    assert Vocabulary.read(tagged / "vocabulary.txt").names == ["bear", "owl"]
    assert not any("river" in row["hashtags"].lower() for row in rows)


def test_a_post_without_a_hashtag_is_left_out(images):
    rows = simulate(images, habit=Habit(**{**vars(PLAIN), "missing": 0.5}))
    assert 0 < len(rows) < 60 and all(row["hashtags"] for row in rows)


def test_a_skew_keeps_the_most_popular_class_whole(images):
    rows = simulate(images, habit=Habit(class_skew=2))
    counts = sorted(sum(row["image"].startswith(wnid) for row in rows) for wnid in WNIDS)
    assert counts[2] == 20 > counts[1] > counts[0]  # about 20, 20 / 4, 20 / 9


def test_the_seed_decides(images):
    assert simulate(images, habit=Habit()) == simulate(images, habit=Habit()) != simulate(images, habit=Habit(), seed=1)


def test_choosing_classes(tmp_path):
    (tmp_path / "list.txt").write_text("n3\nn1\n")
    choices = {"all": WNIDS, "first:1": ["n1"], "last:2": ["n2", "n3"], str(tmp_path / "list.txt"): ["n3", "n1"]}
    assert {choice: choose_classes(WNIDS, choice) for choice in choices} == choices
    assert choose_classes(WNIDS, "last:0") == [] and choose_classes(WNIDS, "last:9") == WNIDS


@pytest.mark.parametrize(
    ("classes", "message"),
    [("first:x", "expected all, first:N"), ("nowhere.txt", "expected all, first:N"), ("first:0", "leaves no class")],
)
def test_bad_choices_are_named(images, classes, message):
    with pytest.raises(SimulationError, match=message):
        simulate(images, classes)


def test_what_does_not_fit_is_named(images):
    (images.parent / "list.txt").write_text("n1 n7\n")
    with pytest.raises(SimulationError, match=r"1 classes without a folder: \['n7'\]"):
        simulate(images, str(images.parent / "list.txt"))
    (images.parent / "synsets.txt").write_text("n1\tbear\n")
    with pytest.raises(SimulationError, match=r"no line for \['n2', 'n3'\]"):
        simulate(images)
