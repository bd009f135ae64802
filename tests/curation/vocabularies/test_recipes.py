"""Which labels each recipe keeps, and what is said about the others."""

import pytest

from igdet.curation.labels.label_table import vocabulary_of
from igdet.curation.vocabularies.recipes import RECIPES, Recipe, select
from igdet.formats.vocabulary import Vocabulary
from igdet.utils.yaml import ConfigError, from_mapping


@pytest.fixture
def choose(animals, animal_labels):
    def run(**settings):
        return select(animal_labels, Recipe(**settings), animals)

    return run


@pytest.fixture
def targets(tmp_path):
    def write(text, name="targets.txt"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def names(selection):
    return selection.labels["name"].to_pylist()


def test_wordnet_nouns(choose):
    selection = choose(name="wordnet-nouns", min_posts=2)
    assert names(selection) == ["dog", "crane", "cat", "puppy"]
    assert selection.dropped == {"blocked": (1, 2), "below MIN_POSTS": (1, 1), "not in the lexicon": (1, 5)}
    assert selection.matches == ()


def test_without_block_lists_and_minimum_every_noun_stays(choose):
    selection = choose(block_lists=[])
    assert names(selection) == ["dog", "crane", "cat", "puppy", "animal"]
    assert selection.dropped == {"blocked": (0, 0), "below MIN_POSTS": (0, 0), "not in the lexicon": (2, 7)}


def test_top_k_counts_what_is_neither_blocked_nor_rare(choose, targets):
    selection = choose(name="top-k", top=2, block_lists=[targets("hound\n", "block.txt")])
    assert names(selection) == ["crane", "cat"]
    assert selection.dropped["not among the 2 most frequent of the lexicon"] == (4, 10)


def test_a_word_kept_as_its_own_label_is_a_noun(animals, animal_labels):
    labels = animal_labels.set_column(0, "label", [["dog", *animal_labels["label"].to_pylist()[1:]]])
    assert "dog" in names(select(labels, Recipe(), animals))


def test_list_takes_synonyms_and_homonyms(choose, targets):
    selection = choose(name="list", targets=targets("n00000004\nn00000006\n#Love\ntoy puppies\n"))
    assert names(selection) == ["love", "crane", "cat", "puppy"]
    assert [match.rule for match in selection.matches] == ["wnid", "wnid", "name", "last word"]
    assert selection.dropped["no target class"] == (2, 7)


def test_list_takes_coco_categories(choose, targets):
    path = targets('{"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}', "coco.json")
    assert names(choose(name="list", targets=path)) == ["dog", "cat"]


def test_a_chosen_vocabulary_is_kept_label_by_label(choose, targets):
    selection = choose(name="vocabulary", targets=targets("#Hound doggy\ncats\nwalrus\n"))
    assert names(selection) == ["dog", "cat"]
    assert selection.others["reason"].to_pylist().count("not in the vocabulary given") == 4


def test_imagenet_1k_takes_another_list_too(choose, targets):
    assert names(choose(name="imagenet-1k", targets=targets("n00000003\n"))) == ["puppy"]


def test_unknown_names_are_listed_together(choose, targets):
    path = targets("pupy\ncat\nwalrus\n")
    with pytest.raises(ConfigError) as error:
        choose(name="list", targets=path)
    assert "these 2 target classes" in str(error.value)
    assert "'pupy'; did you mean 'puppy'?" in str(error.value)
    assert "'walrus'" in str(error.value)


def test_unknown_names_may_be_passed_over(choose, targets):
    selection = choose(name="list", targets=targets("pupy\ncat\n"), allow_unknown=True)
    assert names(selection) == ["cat"]
    assert [match.rule for match in selection.matches] == ["unmatched", "name"]


def test_of_many_unknown_names_some_are_spelt_out(choose, targets):
    with pytest.raises(ConfigError, match=r"'xq19'\n  and 5 more$"):
        choose(name="list", targets=targets("".join(f"xq{number}\n" for number in range(25))))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"name": "imagenet"},
            "'imagenet' is none of imagenet-1k, wordnet-nouns, top-k, list, vocabulary; did you mean",
        ),
        ({"name": "list"}, "needs TARGETS"),
        ({"name": "list", "targets": "/none.txt"}, r"TARGETS: /none\.txt"),
        ({"name": "top-k", "top": 0}, "TOP must be > 0, not 0"),
    ],
)
def test_wrong_settings_are_refused(choose, settings, message):
    with pytest.raises(ConfigError, match=message):
        choose(**settings)


def test_settings_are_read_from_yaml():
    recipe = from_mapping(Recipe, {"NAME": "top-k", "TOP": 3, "BLOCK_LISTS": ["own.txt"]}, "RECIPE")
    assert recipe == Recipe("top-k", top=3, block_lists=["own.txt"])


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in ("list", "imagenet-1k", "vocabulary")])
def test_an_empty_table_gives_an_empty_selection(animals, animal_labels, name):
    selection = select(animal_labels.slice(0, 0), Recipe(name), animals)
    assert len(selection.labels) == 0
    assert set(selection.dropped.values()) == {(0, 0)}


def test_every_row_is_kept_or_has_a_reason(choose, animal_labels):
    for settings in ({}, {"name": "top-k", "top": 1}, {"min_posts": 4}):
        selection = choose(**settings)
        assert len(selection.labels) + sum(count for count, _ in selection.dropped.values()) == len(animal_labels)


def test_the_vocabulary_can_be_read_back(choose, tmp_path):
    vocabulary_of(choose().labels).write(tmp_path / "vocabulary.txt")
    vocabulary = Vocabulary.read(tmp_path / "vocabulary.txt")
    assert vocabulary.names == ["dog", "crane", "cat", "puppy", "animal"]
    assert vocabulary.id_of("#Hound") == 0
