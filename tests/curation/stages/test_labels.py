"""The table of labels, and settings of the stage that are refused before any work."""

import pyarrow as pa
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.labels.label_table import SCHEMA
from igdet.curation.labels.labelling import canonicaliser_of
from igdet.curation.settings import Curation, LexiconSettings, SourceSettings
from igdet.curation.stages.labels import STAGE, label_table, tag_table
from igdet.utils.errors import UserError


def test_hashtags_by_posts_with_what_they_mean(tmp_path):
    (tmp_path / "lexicon.csv").write_text("word,label\ntv,n1\ncrane,n3\ncrane,n4\n")
    canonicaliser = canonicaliser_of(LexiconSettings(str(tmp_path / "lexicon.csv"), "context"))
    counts = {"tag": ["x", "crane", "tv", "crane"], "label": [None, "n4", None, "n3"], "posts": [2, 1, 2, 1]}
    table = tag_table(pa.table(counts), canonicaliser)
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("tv", "n1", "lemma", 2),
        ("x", "x", "outside", 2),
        ("crane", "n3", "context", 1),
        ("crane", "n4", "context", 1),
    ]


def test_labels_by_posts_named_by_their_most_frequent_hashtag():
    tags = {"tag": ["tv", "dog", "owl", "television", "x"], "label": ["n1", "n2", "n0", "n1", ""]}
    repeats = pa.table({"label": ["n1"], "posts": [1]})  # one post has #tv and #television
    table = label_table(pa.table({**tags, "posts": [5, 5, 5, 2, 1]}), repeats)
    assert table.schema == SCHEMA
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("n1", "tv", 6, ["tv", "television"]),
        ("n2", "dog", 5, ["dog"]),
        ("n0", "owl", 5, ["owl"]),
    ]


def test_no_labels():
    none = pa.array([], pa.string())
    empty = pa.table({"tag": none, "label": none, "posts": pa.array([], pa.int64())})
    assert label_table(empty, empty.select(["label", "posts"])) == SCHEMA.empty_table()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ambiguous": "first"}, "unknown rule 'first'.*did you mean 'first_sense'"),
        ({"path": "none.csv"}, r"none\.csv: cannot be read"),
        ({"path": "lexicon.csv"}, r"lexicon\.csv: lacks \['label'\]"),
    ],
)
def test_a_lexicon_that_cannot_be_used(tmp_path, monkeypatch, settings, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lexicon.csv").write_text("word\nbear\n")
    lexicon = LexiconSettings(**{"path": ""} | settings)
    with pytest.raises(UserError, match=message):
        STAGE.settings(Curation("out", SourceSettings(["x"]), lexicon=lexicon))
