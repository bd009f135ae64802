"""The table of labels, and settings of the stage that are refused before any work."""

import pyarrow as pa
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.label_table import SCHEMA
from igdet.curation.settings import Curation, LexiconSettings, SourceSettings
from igdet.curation.stages.labels import STAGE, label_table
from igdet.utils.errors import UserError


def test_labels_by_posts_named_by_their_most_frequent_hashtag():
    tags = {"tag": ["tv", "dog", "television", "x"], "label": ["n1", "n2", "n1", ""], "posts": [5, 5, 2, 1]}
    table = label_table(pa.table(tags), pa.table({"label": ["n2", "n1"], "posts": [5, 6]}))
    assert table.schema == SCHEMA
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("n1", "tv", 6, ["tv", "television"]),
        ("n2", "dog", 5, ["dog"]),
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
