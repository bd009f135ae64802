"""Classes of a folder-per-class set: the choice among them, and their words."""

import pytest

from igdet.curation.simulate import Classes, ClassesError, choose_classes, words_of_lexicon, words_of_synsets
from igdet.world.taxonomy import Synset

NAMES = ["n1", "n2", "n3"]
ANIMAL, DOG, PUPPY, GOLDFISH = "n00000001", "n00000002", "n00000003", "n00000008"


@pytest.fixture
def images(tmp_path):
    for name in NAMES:
        (tmp_path / "images" / name).mkdir(parents=True)
    (tmp_path / "images/readme.txt").write_text("")
    return tmp_path / "images"


def test_choosing_classes(images):
    path = images.parent / "list.txt"
    path.write_text("n3\nn1\nn3\n")
    choices = {"all": NAMES, "first:1": ["n1"], "last:2": ["n2", "n3"], "last:9": NAMES, str(path): ["n3", "n1"]}
    assert {choice: choose_classes(images, choice).chosen for choice in choices} == choices
    assert choose_classes(images, "last:2").held_out == ["n1"] and choose_classes(images, "all").held_out == []


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("first:x", "expected all, first:N"),
        ("nowhere.txt", "expected all, first:N"),
        ("first:0", "of its 3 class folders, 'first:0' leaves no class"),
        ("last:0", "leaves no class"),
    ],
)
def test_bad_choices_are_named(images, choice, message):
    with pytest.raises(ClassesError, match=message):
        choose_classes(images, choice)


def test_chosen_classes_without_a_folder_are_named(images):
    (images.parent / "list.txt").write_text("n1 n7\n")
    with pytest.raises(ClassesError, match=r"1 classes without a folder: \['n7'\]"):
        choose_classes(images, str(images.parent / "list.txt"))


def test_folders_without_classes(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ClassesError, match="expected a folder with one folder of images a class"):
            choose_classes(folder, "all")


def test_words_come_from_the_file(tmp_path):
    path = tmp_path / "synsets.txt"
    path.write_text("n2\towl\nn1\tbear, ursus\n")
    assert words_of_synsets(Classes(["n1"], ["n2"]), path) == {"n1": Synset(("bear", "ursus"))}
    with pytest.raises(ClassesError, match=r"no line for \['n3'\]"):
        words_of_synsets(Classes(["n1", "n3"], []), path)


def test_words_come_from_the_lexicon_and_the_name(animals):
    words = words_of_lexicon(Classes([DOG, GOLDFISH, "snowy_owl"], []), animals)
    assert list(words.items()) == [
        (DOG, Synset(("dog", "hound"), ANIMAL)),
        (GOLDFISH, Synset(("goldfish",), ANIMAL)),
        ("snowy_owl", Synset(("snowy owl",))),
        (ANIMAL, Synset(("animal",))),
    ]


def test_a_wider_label_that_is_itself_a_class(animals):
    assert words_of_lexicon(Classes([PUPPY, DOG], []), animals)[DOG] == Synset(("dog", "hound"), ANIMAL)
    assert words_of_lexicon(Classes([PUPPY], [DOG]), animals) == {PUPPY: Synset(("puppy",))}
