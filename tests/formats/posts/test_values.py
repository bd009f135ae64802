"""Values of JSON and of cells: paths, lists as text, and texts that mean nothing."""

import pyarrow as pa
import pytest

from igdet.formats.posts.parsing import tags_of_lists, tags_of_strings
from igdet.formats.posts.values import as_hashtags, as_text, field


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("['cat', 'dog']", ["cat", "dog"]),
        ('["cat","dog"]', ["cat", "dog"]),
        ("['brown bear', \"mother's\"]", ["brown bear", "mother's"]),
        ("['cat' 'dog'\n 'bear']", ["cat", "dog", "bear"]),
        ('["caf\\u00e9", "a\\"b"]', ["café", 'a"b']),
        ("[u'cat', nan, None, 'nan']", ["cat", "nan"]),
        ("('cat',)", ["cat"]),
        ('{cat,"brown bear"}', ["cat", "brown bear"]),
        ("[cat, dog]", ["cat", "dog"]),
        ("[{'name': 'cat', 'url': 'u'}]", ["cat"]),
        ('[{"x": 1}]', []),
        ("[]", []),
        *((text, []) for text in ("nan", " NaN ", "None", "null", "NULL", "<NA>", "\\N", "#N/A", "")),
        ("#nan", ["nan"]),
        ("none", ["none"]),
        ("cat|dog，bear、zoo\u3000owl", ["cat", "dog", "bear", "zoo", "owl"]),
    ],
)
def test_hashtags_of_a_cell(text, tags):
    assert tags_of_strings(pa.array([text, "x"])).to_pylist() == [tags, ["x"]]


def test_what_means_nothing_as_a_cell_may_stand_in_a_list():
    assert tags_of_lists(pa.array([["nan", "None"]])).to_pylist() == [["nan", "None"]]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("edges.0.node.text", "a"),
        ("edges.1.node.text", None),
        ("edges.node", [{"text": "a"}]),
        ("tags.label", ["x", "y"]),
        ("edges.99999999999999999999", None),
        ("n.0", None),
    ],
)
def test_numbers_lead_into_lists_and_names_into_all_of_them(path, value):
    post = {"edges": [{"node": {"text": "a"}}], "tags": [{"label": "x"}, {"label": "y"}], "n": 1}
    assert field(post, path) == value


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ([{"name": "a"}, {"text": "b", "indices": [0, 1]}, {"tag": "c"}, {"_content": "d"}], ["a", "b", "c", "d"]),
        ({"name": "a"}, ["a"]),
        ([{"x": 1}, None, 1, ["b"]], []),
        ("a", None),
        (1, None),
    ],
)
def test_hashtags_of_objects(value, tags):
    assert as_hashtags(value) == tags


def test_numbers_as_text():
    assert [as_text(value) for value in (7, True, 1.5, "a\ud83d", 10**5000)] == ["7", None, None, "a?", None]
