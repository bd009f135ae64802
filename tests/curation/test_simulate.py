"""Simulated posts: words of the right class, deterministic, in the forms that training and curation read."""

import csv
from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from igdet.curation.simulate import SimulationError, choose_classes, simulate_posts
from igdet.formats.posts.parsing import tags_of_captions, tags_of_lists
from igdet.formats.vocabulary import Vocabulary, normalise_tag
from igdet.world.habit import FUNCTIONAL_TAGS, Habit
from igdet.world.taxonomy import Synset

PLAIN = Habit(class_skew=0, missing=0, wider=0, wrong=0, replaced=0, misspelt=0, functional_tags=0)
WORDS = {
    "n1": Synset(("brown bear", "bruin"), "n9"),
    "n2": Synset(("owl",)),
    "n3": Synset(("river", "stream")),
    "n9": Synset(("animal",)),
}
FORMS = {"n1": {"brownbear", "bruin"}, "n2": {"owl"}, "n3": {"river", "stream"}}


@pytest.fixture
def images(tmp_path):
    """Three classes of twenty images, some in folders below, and files that are no images."""
    for name in FORMS:
        (tmp_path / "images" / name / "below").mkdir(parents=True)
        for i in range(20):
            (tmp_path / "images" / name / ("below" if i < 5 else "") / f"{i}.JPEG").write_bytes(b"")
        (tmp_path / "images" / name / "boxes.txt").write_text("")
    return tmp_path / "images"


@pytest.fixture
def simulate(images):
    """Simulate posts into a Parquet file; give them as dicts."""

    def run(habit=PLAIN, seed=0, choice="all"):
        out, classes = images.parent / "tagged/posts.parquet", choose_classes(images, choice)
        words = {name: words for name, words in WORDS.items() if name not in classes.held_out}
        count = simulate_posts(images, classes, words, out, habit, seed)
        posts = pq.read_table(out).to_pylist()
        assert len(posts) == count
        return posts

    return run


def tags_by_class(posts):
    """Return the normal forms of each class's tags, counted."""
    found = {name: Counter() for name in FORMS}
    for post in posts:
        found[post["image"].split("/")[0]].update(map(normalise_tag, post["tags"]))
    return found


def test_every_image_is_a_post_with_a_word_of_its_class(images, simulate):
    posts = simulate()
    assert [post["id"] for post in posts] == [f"{i:09d}" for i in range(60)]
    assert {images / post["image"] for post in posts} == set(images.rglob("*.JPEG"))
    found = tags_by_class(posts)
    assert {name: set(tags) for name, tags in found.items()} == FORMS
    assert all(tags.total() == 20 for tags in found.values())


def test_a_csv_table_holds_the_same_posts(images, simulate):
    posts = simulate(Habit())
    out = images.parent / "csv/posts.csv"
    simulate_posts(images, choose_classes(images, "all"), WORDS, out, Habit(), 0)
    with out.open() as file:
        assert list(csv.DictReader(file)) == [{"image": post["image"], "hashtags": post["caption"]} for post in posts]


def test_held_out_classes_are_listed_and_neither_shown_nor_named(images, simulate):
    posts = simulate(replace(PLAIN, replaced=0.5), choice="first:2")
    assert {post["image"].split("/")[0] for post in posts} == {"n1", "n2"}
    assert not any("river" in post["caption"].lower() for post in posts)
    tagged = images.parent / "tagged"
    assert (tagged / "classes.txt").read_text() == "n1\nn2\n" and (tagged / "held_out.txt").read_text() == "n3\n"
    assert Vocabulary.read(tagged / "vocabulary.txt").names == ["brownbear", "owl", "animal"]


def test_captions_and_lists_hold_the_same_hashtags(images, simulate):
    posts = simulate(Habit(class_skew=0))
    table = pq.read_table(images.parent / "tagged/posts.parquet")
    captions = tags_of_captions(table["caption"].combine_chunks()).to_pylist()
    lists = tags_of_lists(table["tags"].combine_chunks()).to_pylist()
    assert captions == lists == [post["tags"] for post in posts]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"missing": 1.0, "wider": 1.0}, {"animal"}),
        ({"missing": 1.0, "functional_tags": 3.0}, set(FUNCTIONAL_TAGS)),
        ({"replaced": 1.0}, {"animal", "owl"} | FORMS["n3"]),
    ],
)
def test_habits(simulate, change, expected):
    found = set(tags_by_class(simulate(replace(PLAIN, **change)))["n1"])
    assert found and found <= expected


def test_a_post_without_a_hashtag_is_left_out(simulate):
    posts = simulate(replace(PLAIN, missing=0.5))
    assert 0 < len(posts) < 60 and all(post["tags"] for post in posts)
    with pytest.raises(SimulationError, match="none with a hashtag"):
        simulate(replace(PLAIN, missing=1.0))


def test_a_skew_makes_classes_rare(simulate):
    posts = simulate(replace(PLAIN, class_skew=2))
    counts = sorted(Counter(post["image"].split("/")[0] for post in posts).values())
    assert counts[2] == 20 > counts[1] > counts[0]  # about 20, 20 / 4, 20 / 9


def test_the_seed_decides(simulate):
    assert simulate(Habit(), 1) == simulate(Habit(), 1) != simulate(Habit(), 2)


def test_what_cannot_be_written_is_named(images, tmp_path):
    classes = choose_classes(images, "all")
    with pytest.raises(SimulationError, match=r"expected \.csv or \.parquet"):
        simulate_posts(images, classes, WORDS, tmp_path / "posts.json", PLAIN, 0)
    (tmp_path / "empty/n1").mkdir(parents=True)
    with pytest.raises(SimulationError, match="no image in its 1 class folders"):
        simulate_posts(
            tmp_path / "empty", choose_classes(tmp_path / "empty", "all"), WORDS, tmp_path / "x.csv", PLAIN, 0
        )


def test_files_that_differ_are_not_written_over(images, simulate):
    simulate()
    simulate(seed=1)  # the same words
    tagged = images.parent / "tagged"
    before = {path: path.read_bytes() for path in tagged.iterdir()}
    with pytest.raises(SimulationError, match=r"vocabulary\.txt is there already and differs from"):
        simulate(choice="first:2")
    assert {path: path.read_bytes() for path in tagged.iterdir()} == before
    (tagged / "vocabulary.txt").unlink()
    with pytest.raises(SimulationError, match=r"classes\.txt is there already"):
        simulate(choice="first:2")


def add_images(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")


def test_the_folder_above_class_folders_is_refused(tmp_path):
    add_images(tmp_path / "set", "n1/cat/1.jpg", "n1/dog/1.jpg", "n2/cat/2.jpg")
    classes = choose_classes(tmp_path / "set", "all")
    message = "set: its folder n1 holds no image itself, but 2 folders with images, such as cat: .* give .*set/n1"
    with pytest.raises(SimulationError, match=message):
        simulate_posts(tmp_path / "set", classes, WORDS, tmp_path / "out/posts.csv", PLAIN, 0)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_images_in_a_class_folder_is_no_class(tmp_path):
    """The layout in which Tiny ImageNet is published."""
    add_images(tmp_path / "set", "n1/images/1.jpg", "n2/images/1.jpg")
    (tmp_path / "set/n1/boxes").mkdir()
    classes = choose_classes(tmp_path / "set", "all")
    assert simulate_posts(tmp_path / "set", classes, WORDS, tmp_path / "out/posts.csv", PLAIN, 0) == 2
