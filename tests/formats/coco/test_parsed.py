"""Annotation files that are parsed once."""

import json
import os

import pytest

from igdet.formats.coco import parsed
from igdet.formats.coco.reading import CocoJsonError

CONTENT = {"images": [{"id": 1, "width": 2.5, "license": None}], "categories": [{"name": "größe"}], "annotations": []}


@pytest.fixture
def file(tmp_path):
    """A file of annotations, forgotten after the test."""
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(CONTENT))
    yield path
    parsed.forget(path)


@pytest.fixture
def parses(monkeypatch):
    """The texts that are parsed as JSON."""
    texts, loads = [], json.loads
    monkeypatch.setattr(json, "loads", lambda text, **kwargs: texts.append(text) or loads(text, **kwargs))
    return texts


def test_a_file_is_parsed_once(file, parses):
    assert parsed.content_of(file) == parsed.content_of(str(file)) == CONTENT
    assert len(parses) == 1


def test_a_change_of_what_was_given_reaches_nobody_else(file):
    parsed.content_of(file)["images"][0]["id"] = 7
    parsed.content_of(file)["images"].clear()
    assert parsed.content_of(file) == CONTENT


def test_a_file_that_was_written_again_is_parsed_again(file, parses):
    parsed.content_of(file)
    file.write_text(json.dumps({"images": []}))
    os.utime(file, ns=(0, 0))
    assert parsed.content_of(file) == {"images": []}
    assert len(parses) == 2


def test_a_forgotten_file_is_parsed_again(file, parses):
    parsed.keep(file, CONTENT)
    assert parsed.content_of(file) == CONTENT
    assert not parses
    parsed.forget(file)
    parsed.content_of(file)
    assert len(parses) == 1


def test_a_file_that_is_gone_is_named_though_it_was_kept(file):
    parsed.content_of(file)
    file.unlink()
    with pytest.raises(CocoJsonError, match=r"annotations\.json"):
        parsed.content_of(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CocoJsonError, match=r"none\.json"):
        parsed.content_of(tmp_path / "none.json")
