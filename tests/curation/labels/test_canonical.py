"""Which label a hashtag counts as."""

import random

import pyarrow as pa
import pytest

from igdet.curation.labels.canonical import AMBIGUOUS, RULES, Canonical, Canonicaliser
from igdet.curation.lexicon import Lexicon
from igdet.utils.yaml import ConfigError

# word, label, which sense of the word it is, is it a name
SENSES = [
    ("brownbear", "bear", 1, False),
    ("bruin", "bear", 1, False),
    ("crane", "bird", 1, False),
    ("crane", "machine", 2, False),
    ("mouse", "rodent", 1, False),
    ("box", "box", 1, False),
    ("cherry", "fruit", 1, False),
    ("glass", "glass", 1, False),
    ("gla", "gla", 1, False),
    ("fireman", "fireman", 1, False),
    ("paris", "city", 1, True),
    ("ford", "brand", 1, True),
    ("leaf", "leaf", 1, False),
    ("leave", "farewell", 1, False),
]
HYPERNYMS = {"label": ["bird", "rodent", "machine"], "hypernyms": [["animal"], ["animal"], ["artifact"]]}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    words, labels, ranks, names = zip(*SENSES, strict=True)
    return Lexicon(pa.table({"word": words, "label": labels, "rank": ranks, "name": names}), pa.table(HYPERNYMS))


@pytest.fixture(scope="module")
def wordnet() -> Lexicon:
    return Lexicon.wordnet()


@pytest.mark.parametrize(
    "tag", ["#brown_bear", "#BrownBear", "brownbear", "##Brown-Bear", "#ｂｒｏｗｎｂｅａｒ", "#𝓫𝓻𝓸𝔀𝓷bear"]
)
def test_spellings_of_one_hashtag(lexicon, tag):
    assert Canonicaliser(lexicon).canonical(tag) == Canonical("brownbear", "bear", "lemma")


@pytest.mark.parametrize(
    ("tag", "label", "rule"),
    [
        ("bruin", "bear", "lemma"),
        ("bruins", "bear", "plural"),
        ("boxes", "box", "plural"),
        ("cherries", "fruit", "plural"),
        ("firemen", "fireman", "plural"),
        ("mice", "rodent", "irregular"),
        ("leaves", "leaf", "irregular"),  # before the regular plural of "leave"
        ("glass", "glass", "lemma"),
        ("brownbear2018", "bear", "year"),
        ("bruins_1999", "bear", "year"),
        ("mice2018", "rodent", "year"),
        ("crane2018", "bird", "first_sense"),
        ("cranes", "bird", "first_sense"),
        ("paris", "city", "lemma"),
        ("paris2024", "city", "year"),
        ("fords", "fords", "outside"),  # names have no plural
        ("bear", "bear", "outside"),
        ("bruin2118", "bruin2118", "outside"),
        ("bruin20188", "bruin20188", "outside"),
        ("bruin20182019", "bruin20182019", "outside"),
        ("2018", "2018", "outside"),
        ("bruin٢٠١٨", "bruin٢٠١٨", "outside"),
        ("🐻", "🐻", "outside"),
        ("##", "", "empty"),
        ("\u200b", "", "empty"),
        ("a" * 10_000, "a" * 10_000, "outside"),
    ],
)
def test_label_and_rule(lexicon, tag, label, rule):
    assert Canonicaliser(lexicon).canonical(tag)[1:] == (label, rule)


def test_without_morphology_a_plural_is_a_label_of_its_own(lexicon):
    assert Canonicaliser(lexicon, morphology=False).canonical("bruins")[1:] == ("bruins", "outside")


@pytest.mark.parametrize(
    ("ambiguous", "label"), [("first_sense", "bird"), ("own_label", "crane"), ("drop", ""), ("context", "bird")]
)
@pytest.mark.parametrize("tag", ["crane", "Cranes", "crane_2018"])
def test_ambiguous_words(lexicon, ambiguous, label, tag):
    canonicaliser = Canonicaliser(lexicon, ambiguous)
    assert canonicaliser.canonical(tag)[1:] == (label, ambiguous)
    assert canonicaliser.canonical("bruin")[1:] == ("bear", "lemma")


def test_an_unknown_rule_is_refused(lexicon):
    with pytest.raises(ConfigError, match=r"'first_sens'; known: first_sense, own_label, drop, context.*first_sense"):
        Canonicaliser(lexicon, "first_sens")


@pytest.mark.parametrize("post", [["mice"], [], ["love", "##"], ["cranes", "Crane2018"]])
def test_context_without_evidence_for_another_meaning(lexicon, post):
    assert Canonicaliser(lexicon, "context").resolve(["crane", *post])[0] == "bird"


def test_context_decides(animals):
    canonicaliser = Canonicaliser(animals, "context")
    bird, derrick = "n00000005", "n00000006"
    assert canonicaliser.resolve(["#Cranes", "machine", "zoo", "##"]) == [derrick, "n00000007", "zoo", ""]
    assert canonicaliser.resolve(["crane", "dog"]) == [bird, "n00000002"]
    assert canonicaliser.resolve([]) == []


def test_other_rules_do_not_look_at_the_post(animals):
    assert Canonicaliser(animals).resolve(["crane", "machine"]) == ["n00000005", "n00000007"]
    assert Canonicaliser(animals, "drop").resolve(["crane", "machine"]) == ["", "n00000007"]


@pytest.mark.parametrize("ambiguous", AMBIGUOUS)
def test_a_table_is_the_same_as_one_by_one(wordnet, ambiguous):
    source = random.Random(0)
    words = source.sample(sorted(wordnet.words), 2000)
    starts, ends = ["", "#", "_", "É", "𝓼"], ["", "s", "es", "2018", "_1999", "s2018", "2200", "é", "🐻"]
    tags = [source.choice(starts) + word + source.choice(ends) for word in words]
    tags += ["", "#", "2018", "mice", "feet2012", "men", "glasses", "CRANE"]
    canonicaliser = Canonicaliser(wordnet, ambiguous)
    table = canonicaliser.table(pa.array(tags))
    assert table["tag"].to_pylist() == tags
    columns = (table[name].to_pylist() for name in Canonical._fields)
    assert [Canonical(*row) for row in zip(*columns, strict=True)] == [canonicaliser.canonical(tag) for tag in tags]
    assert set(table["rule"].to_pylist()) <= {*AMBIGUOUS, *RULES}


def test_a_table_of_no_hashtags(lexicon):
    table = Canonicaliser(lexicon).table(pa.array([], pa.large_string()))
    assert table.to_pydict() == {"tag": [], "normal": [], "label": [], "rule": []}


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("#dogs", "dog"),
        ("#puppies", "puppy"),
        ("#BrownBears", "brownbear"),
        ("#women", "woman"),
        ("#teeth", "tooth"),
        ("#shoes", "shoe"),
        ("#BlueEyes", "blueeyes"),
        ("#eyes", "eye"),
        ("#glasses", "spectacles"),
        ("#cakes", "cake"),
        ("#NYC", "newyork"),
        ("#sunglasses", "sunglasses"),
        ("#tv", "televisionreceiver"),
        ("#happy", "happy"),
        ("#me", "me"),
        ("#follow", "follow"),
        ("#instagood", "instagood"),
    ],
)
def test_hashtags_of_photos(wordnet, tag, name):
    label = Canonicaliser(wordnet).canonical(tag).label
    assert (wordnet.words_of(label) or (label,))[0] == name


@pytest.mark.parametrize("ambiguous", AMBIGUOUS)
@pytest.mark.parametrize("cache", ["new", "filled", "broken", "none"])
def test_what_is_kept_of_wordnet_is_what_is_derived(wordnet, ambiguous, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path / "cache"))
    tags = pa.array(["#BrownBears2018", "crane", "mice", "qqqq", "", "brownbear", "Paris"])
    expected = [Canonicaliser(wordnet, ambiguous).canonical(tag) for tag in tags.to_pylist()]  # one by one
    if cache in ("filled", "broken"):
        Canonicaliser(wordnet, ambiguous).table(tags)
    if cache == "broken":
        [kept] = (tmp_path / "cache").rglob("label.arrow")
        kept.write_bytes(kept.read_bytes()[:100])
    if cache == "filled":
        monkeypatch.setattr(Canonicaliser, "_listed", lambda *_: pytest.fail("derived again"))
    if cache == "none":
        (tmp_path / "cache").write_text("no folder can be made here")
    found = Canonicaliser(wordnet, ambiguous).table(tags).drop_columns(["tag"]).to_pylist()
    assert found == [canonical._asdict() for canonical in expected]
