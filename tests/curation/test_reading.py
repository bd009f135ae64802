"""Reading posts: what each format gives, what is counted as unusable, and what is refused."""

import json

import pyarrow as pa
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.reading import (
    BROKEN_LINE,
    CROWDED,
    FIELDS,
    LONG_TAGS,
    NO_ID,
    NO_IMAGE,
    NO_TAGS,
    PostReader,
    SourceSettings,
    format_of,
)
from igdet.formats.posts.csv_rows import Dialect
from igdet.formats.posts.parsing import MAX_TAGS
from igdet.formats.posts.text_table import ROWS, TextTable, _json_post
from igdet.utils.yaml import ConfigError

LISTS = pa.list_(pa.string())


def read(source_format, *columns, **source):
    """Read a batch; give id, image and hashtags of each post, and the counts that are not 0."""
    settings = SourceSettings(["x"], **source)
    if source_format == "jsonl":
        columns = rows_of(settings, columns[0].to_pylist())
    elif source_format == "csv":
        text, images = columns
        lists, faults = pa.nulls(len(text), LISTS), pa.nulls(len(text), pa.string())
        columns = [images, images, text, lists, faults]
    posts = PostReader(settings, source_format)(*columns)
    assert posts.type == FIELDS
    rows = posts.to_pylist()
    counts = {entry["reason"]: entry["posts"] for entry in rows[0]["tally"] if entry["posts"]}
    return [(row["id"], row["image"], row["tags"]) for row in rows], counts


def rows_of(settings, lines):
    """Return the columns of `ROWS` that lines of JSON become."""
    table = TextTable("x", settings.columns, "jsonl", "utf-8", Dialect())
    return table._batch([_json_post(line, settings.columns) for line in lines], 1).columns[1:]


def lines(*posts):
    return pa.array([post if isinstance(post, str) else json.dumps(post) for post in posts], pa.string())


@pytest.mark.parametrize(
    ("tags", "source"),
    [
        (pa.array(["#bear zoo", None]), {"tags": "tags"}),
        (pa.array(["bear|zoo", ""]), {"tags": "tags", "separator": "|"}),
        (pa.array(["a #bear in the #zoo", "no hashtag"]), {"caption": "text"}),
    ],
)
@pytest.mark.parametrize("source_format", ["parquet", "csv"])
def test_lists_strings_and_captions(source_format, tags, source):
    posts, counts = read(source_format, tags, pa.array(["a.jpg", "b.jpg"]), **source)
    assert posts == [("a.jpg", "a.jpg", ["bear", "zoo"]), ("b.jpg", "b.jpg", [])]
    assert counts == {NO_TAGS: 1}


@pytest.mark.parametrize("tags", [["bear", "#zoo"], [{"name": "bear", "url": "u"}, {"name": "#zoo", "url": None}]])
def test_lists_of_texts_and_of_structures(tags):
    posts, counts = read("parquet", pa.array([tags, None]), pa.array(["a.jpg", "b.jpg"]), tags="tags")
    assert posts == [("a.jpg", "a.jpg", ["bear", "zoo"]), ("b.jpg", "b.jpg", [])]
    assert counts == {NO_TAGS: 1}


def test_whole_numbers_are_ids_and_what_has_none_is_unusable():
    images, ids = pa.array(["a", "b", None, "", "e"]), pa.array([7, None, 9, None, 2**40])
    posts, counts = read("parquet", pa.array(["x"] * 5), images, ids, tags="tags", id="id")
    assert posts == [("7", "a", ["x"]), (None, "b", []), ("9", None, []), (None, "", []), ("1099511627776", "e", ["x"])]
    assert counts == {NO_IMAGE: 2, NO_ID: 1}


def test_long_hashtags_and_crowded_posts_are_cut():
    crowd = [str(number) for number in range(10_000)]
    posts, counts = read("parquet", pa.array([["t" * 10_000, "ok"], crowd], LISTS), pa.array(["a", "b"]), tags="tags")
    assert [tags for _, _, tags in posts] == [["ok"], crowd[:MAX_TAGS]]
    assert counts == {LONG_TAGS: 1, CROWDED: 1}


def test_json_lines_of_any_kind():
    posts, counts = read(
        "jsonl",
        lines(
            {"image": "a", "tags": ["x", 1, None, "#y"]},
            {"image": 7, "tags": "x, y"},
            {"image": "c", "tags": {"x": 1}},
            {"image": True, "tags": ["x"]},
            {"tags": ["x"]},
            "\ufeff" + json.dumps({"image": "f", "tags": "x"}),
            {"image": "g", "tags": ["half a pair \ud83d"]},
        ),
        tags="tags",
    )
    assert [(image, tags) for _, image, tags in posts] == [
        ("a", ["x", "y"]),
        ("7", ["x", "y"]),
        ("c", []),
        (None, []),
        (None, []),
        ("f", ["x"]),
        ("g", ["half a pair ?"]),
    ]
    assert counts == {NO_TAGS: 1, NO_IMAGE: 2}


@pytest.mark.parametrize("line", ["", "{", "[]", "7", "null", "[" * 100_000, "1" * 10_000])
def test_broken_lines_are_counted(line):
    posts, counts = read("jsonl", lines(line, {"image": "a", "tags": "x"}), tags="tags")
    assert posts == [(None, None, []), ("a", "a", ["x"])]
    assert counts == {BROKEN_LINE: 1}


def test_dots_lead_into_json_and_a_name_with_a_dot_is_one():
    post = {"media": {"file": "a"}, "user": {"id": 3}, "text.en": "#x"}
    source = {"image": "media.file", "id": "user.id", "caption": "text.en"}
    posts, _ = read("jsonl", lines(post, {"media": "b", "user": {"id": 4}}), **source)
    assert posts == [("3", "a", ["x"]), ("4", None, [])]


@pytest.mark.parametrize("url", ["{root}/b/1.tar", "file://{root}/b/1.tar"])
def test_an_image_in_a_tar_is_named_by_tar_and_key(tmp_path, url):
    root = tmp_path / "a (b+c) é"
    source = {"caption": "json.caption", "root": str(root)}
    urls, captions = pa.array([url.format(root=root)] * 2), pa.array(["#x", None])
    posts, counts = read("webdataset", captions, urls, pa.array(["k/1", "k/2"]), **source)
    assert posts == [(f"b/1.tar::k/{i}", f"b/1.tar::k/{i}", tags) for i, tags in ((1, ["x"]), (2, []))]
    assert counts == {NO_TAGS: 1}


@pytest.mark.parametrize(
    ("source_format", "source", "inputs"),
    [
        ("parquet", {"tags": "t"}, ["t", "image"]),
        ("csv", {"caption": "c", "image": "i", "id": "n"}, ROWS.names[1:]),
        ("webdataset", {"caption": "json.c"}, ["json.c", "__url__", "__key__"]),
        ("jsonl", {"caption": "c"}, ROWS.names[1:]),
    ],
)
def test_columns_that_are_wanted(source_format, source, inputs):
    assert PostReader(SourceSettings(["x"], **source), source_format).inputs == inputs


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (
            {"image": pa.string(), "tag": LISTS},
            r"x\.parquet: there is no column 'tags'; there are .*did you mean 'tag'",
        ),
        ({"image": pa.string(), "tags": pa.int64()}, "column 'tags' holds int64; expected list of texts or text"),
        ({"image": pa.int64(), "tags": LISTS}, "column 'image' holds int64; expected text$"),
        ({"image": pa.string(), "tags": LISTS, "id": pa.float64()}, "'id' holds double; expected text or whole number"),
    ],
)
def test_columns_that_cannot_be_read_are_named(types, message):
    reader = PostReader(SourceSettings(["x"], tags="tags", id="id" if "id" in types else ""), "parquet")
    with pytest.raises(ConfigError, match=message):
        reader.check(types, "x.parquet")


def test_an_empty_column_may_have_no_type():
    reader = PostReader(SourceSettings(["x"], tags="tags"), "parquet")
    types = {"image": pa.string(), "tags": pa.null()}
    assert reader.check(types, "x") != reader.check({**types, "tags": LISTS}, "x")
    assert read("parquet", pa.nulls(1), pa.array(["a"]), tags="tags") == ([("a", "a", [])], {NO_TAGS: 1})


@pytest.mark.parametrize("source", [{}, {"tags": "a", "caption": "b"}])
def test_hashtags_come_from_one_column(source):
    with pytest.raises(ConfigError, match="name one column"):
        PostReader(SourceSettings(["x"], **source), "csv")


@pytest.mark.parametrize(
    ("path", "named", "expected"),
    [
        ("a/B.PARQUET", "", "parquet"),
        ("a.ndjson", "", "jsonl"),
        ("https://host/a.tar?key=1", "", "webdataset"),
        ("a.csv.part", "csv", "csv"),
    ],
)
def test_formats(path, named, expected):
    assert format_of(SourceSettings([path], format=named), path) == expected


@pytest.mark.parametrize(("path", "named"), [("a.xml", ""), ("a", ""), ("a.csv", "cvs")])
def test_an_unknown_format(path, named):
    with pytest.raises(ConfigError, match=r"is none of parquet, csv, jsonl, webdataset"):
        format_of(SourceSettings([path], format=named), path)
