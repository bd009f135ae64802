"""English plurals."""

import pytest

from igdet.curation.lexicon.words import irregular_plurals, plurals


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("dog", "dogs"),
        ("bus", "buses"),
        ("box", "boxes"),
        ("waltz", "waltzes"),
        ("church", "churches"),
        ("brush", "brushes"),
        ("fireman", "firemen"),
        ("puppy", "puppies"),
        ("toy", "toys"),
        ("caf\u00e9", "caf\u00e9s"),
    ],
)
def test_regular_plurals(singular, plural):
    assert (plural, singular, "plural") in plurals([singular])


@pytest.mark.parametrize(
    ("singular", "plural"),
    [("mouse", "mice"), ("foot", "feet"), ("leaf", "leaves"), ("childbed", None), ("ox", "oxen")],
)
def test_irregular_plurals(singular, plural):
    found = [form for form, _, rule in plurals([singular]) if rule == "irregular"]
    assert found == ([plural] if plural else [])


def test_what_ends_in_ss_is_no_plural():
    assert "glass" not in [plural for plural, _, _ in plurals(["glas", "gla"])]


def test_a_plural_of_several_words_starts_with_the_likeliest():
    found = [(singular, rule) for plural, singular, rule in plurals(["leave", "leaf"]) if plural == "leaves"]
    assert found == [("leaf", "irregular"), ("leave", "irregular"), ("leave", "plural")]


def test_the_list_of_irregular_plurals():
    pairs = irregular_plurals()
    assert ("geese", "goose") in pairs
    assert ("aidesdecamp", "aidedecamp") in pairs  # "aides-de-camp", as a hashtag
    assert ("axes", "ax") in pairs
    assert ("axes", "axis") in pairs
