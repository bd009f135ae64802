"""Lexica of one's own."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.lexicon.table import LexiconError, read_table

ROWS = {"word": ["brownbear", "jackolantern", "007", "null"], "label": ["bear", "0012", "7", "NA"]}
WORDS = {"word": ["Brown_Bear", "jack-o'-lantern", "007", "null"], "label": ROWS["label"]}


def as_text(separator):
    rows = zip(WORDS["label"], ["more"] * 4, WORDS["word"], strict=True)
    return "\n".join(separator.join(row) for row in [("label", "note", "word"), *rows])


def write(path, content):
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", as_text(",")),
        ("a.tsv", as_text("\t")),
        ("a.csv", "\ufeff" + as_text(",")),
        ("a.parquet", pa.table(WORDS)),
    ],
)
def test_every_format_reads_the_same(tmp_path, name, content):
    table = read_table(write(tmp_path / name, content))
    assert table.select(["word", "label"]).to_pydict() == ROWS
    assert table["rank"].to_pylist() == [0, 1, 2, 3]
    assert not any(table["name"].to_pylist())


def test_numbers_in_parquet_are_labels_too(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"word": pa.array(["a"]).dictionary_encode(), "label": [7]}))
    assert read_table(path)["label"].to_pylist() == ["7"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "word,label\n", r"formats \.csv, \.tsv, \.parquet"),
        ("a.csv", "", "cannot be read as csv"),
        ("a.csv", "word,label\na,b,c\n", "cannot be read as csv: .*[Ee]xpected 2 columns"),
        ("a.csv", b"word,label\n\xff,a\n", "cannot be read as csv"),
        ("a.parquet", "word,label\n", "cannot be read as parquet"),
        ("a.csv", "word,tag\na,b\n", r"lacks \['label'\]; a lexicon has the columns .*'word', 'label'.* found .*'tag'"),
        ("a.csv", "a\tb\n", r"lacks \['word', 'label'\]"),
        ("a.csv", "word,label\n", "has no rows"),
        ("a.csv", "word,label\na,1\n,2\n", "row 2 has no word"),
        ("a.csv", "word,label\n'_',1\n", "row 1 has no word"),
        ("a.csv", "word,label\na,1\nb,\n", "row 2 has no label"),
        ("a.parquet", pa.table({"word": ["a", None], "label": ["1", "2"]}), "row 2 has no word"),
        ("a.parquet", pa.table({"word": [["a"]], "label": ["1"]}), "column word"),
    ],
)
def test_broken_tables_are_named(tmp_path, name, content, message):
    path = write(tmp_path / name, content)
    with pytest.raises(LexiconError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LexiconError, match=r"missing\.parquet"):
        read_table(tmp_path / "missing.parquet")
