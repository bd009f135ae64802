"""Structure that a json must have to be COCO's; what data sets and scoring ask beyond is tested with them."""

import json

import pytest

from igdet.formats.coco.reading import CocoJsonError, are_finite, is_finite, is_plain_json, path_of, read_coco_json

REQUIRED = {"images": ("id", "width", "height"), "categories": ("id", "name")}


@pytest.fixture
def read(tmp_path):
    def write_and_read(content):
        (tmp_path / "some.json").write_text(content if isinstance(content, str) else json.dumps(content))
        return read_coco_json(tmp_path / "some.json", REQUIRED)

    return write_and_read


def content(**changes):
    image = {"id": 1, "width": 4, "height": 3}
    return {"images": [image], "categories": [{"id": 7, "name": "cat"}]} | changes


def test_a_sound_file_is_given_as_it_is(read):
    assert read(content()) == content()


BROKEN = {
    "no JSON": ("{", "some.json is no JSON"),
    "a list": ("[]", "expected a list under the key 'images'"),
    "no row": (content(images=[5]), "entry 0 of 'images' lacks id, width, height"),
    "an id as text": (content(categories=[{"id": "7", "name": "cat"}]), "entry 0 of 'categories' has the id '7'"),
    "an id below 0": (content(categories=[{"id": -7, "name": "cat"}]), "entry 0 of 'categories' has the id -7"),
    "an id twice": (
        content(images=2 * content()["images"]),
        r"1 ids in 'images' are listed more than once",
    ),
    "no height": (content(images=[{"id": 1, "width": 4, "height": 0}]), "image 1 must have a width and height above 0"),
    "true as an id": (content(categories=[{"id": True, "name": "cat"}]), "entry 0 of 'categories' has the id True"),
    "true as a width": (
        content(images=[{"id": 1, "width": True, "height": 3}]),
        "image 1 must have a width and height",
    ),
    "half a pixel": (content(images=[{"id": 1, "width": 4.5, "height": 3}]), "4.5 x 3 pixels; expected whole numbers"),
    "a huge image": (content(images=[{"id": 1, "width": 10**9, "height": 5}]), "at most 4,294,967,295"),
    "null as a name": (content(categories=[{"id": 7, "name": None}]), "category 7 has the name None; expected text"),
    "a list as a name": (content(categories=[{"id": 7, "name": ["cat"]}]), r"category 7 has the name \['cat'\]"),
    "no name": (content(categories=[{"id": 7, "name": " "}]), "category 7 has the name ' '; expected text"),
    "half a character": (content(categories=[{"id": 7, "name": "\ud800"}]), r"the name '\\ud800'; expected text"),
    "deep lists": ("[" * 200_000, "its lists are nested too deep"),
    "an endless number": ('{"images": [' + "1" * 5000 + "]}", "some.json is no JSON: .*4300"),
    "a name twice": (
        content(categories=[{"id": 7, "name": "cat"}, {"id": 8, "name": "cat"}]),
        "the name 'cat' is in more than one of 'categories'",
    ),
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named(read, broken, message):
    with pytest.raises(CocoJsonError, match=message):
        read(broken)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CocoJsonError, match=r"some\.json: there is no such file"):
        read_coco_json(tmp_path / "some.json", REQUIRED)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_every_encoding_of_json_is_read(tmp_path, encoding):
    path = tmp_path / "some.json"
    path.write_text(json.dumps(content(categories=[{"id": 7, "name": "Kätzchen"}]), ensure_ascii=False), encoding)
    assert read_coco_json(path, REQUIRED)["categories"][0]["name"] == "Kätzchen"
    assert is_plain_json(path) == (encoding == "utf-8")


def test_a_root_and_the_class_of_its_name_are_read(read):
    rows = [{"id": 0, "name": "cat", "supercategory": "none"}, {"id": 1, "name": "cat", "supercategory": "cat"}]
    assert len(read(content(categories=rows))["categories"]) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, False), (1, True), (0.5, True), (float("nan"), False), ("1", False), (None, False), (10**400, False)],
)
def test_what_is_a_finite_number(value, expected):
    assert is_finite(value) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], True),
        ([True, 1], False),
        ([1, 0.5], True),
        ([1, float("inf")], False),
        ([1, "1"], False),
        ([[1]], False),
        ([10**400], False),
    ],
)
def test_lists_of_finite_numbers(values, expected):
    assert are_finite(values) == expected


def test_images_of_coco_and_of_lvis():
    assert path_of({"file_name": "1.jpg", "coco_url": "http://host/val2017/2.jpg"}) == "1.jpg"
    assert path_of({"coco_url": "http://host/val2017/2.jpg"}) == "val2017/2.jpg"
