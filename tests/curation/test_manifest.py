"""Manifests: read back, current or not, broken."""

import json
from dataclasses import replace

import pytest

from igdet.curation.manifest import (
    Manifest,
    ManifestError,
    content_hash,
    file_facts,
    manifest_path,
    read_manifest,
    versions,
)
from igdet.utils.hashing import fingerprint

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def manifest(tmp_path):
    """The manifest of one file in tmp_path, a/b.txt."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.txt").write_text("abc")
    files = file_facts(tmp_path, [tmp_path / "a/b.txt"])
    return Manifest("labels", "f00", "", {"TOP": 1}, versions("1"), 3, 2, {"höhere": 1}, files)


def test_it_comes_back_as_it_was_written(manifest, tmp_path):
    assert read_manifest(tmp_path, "labels") is None
    manifest.write(tmp_path)
    assert read_manifest(tmp_path, "labels") == manifest
    assert manifest.files == {"a/b.txt": {"bytes": 3, "sha256": SHA256_OF_ABC}}


def test_it_is_current_while_inputs_and_files_are_the_same(manifest, tmp_path):
    assert manifest.is_current("f00", tmp_path)
    assert not manifest.is_current("f01", tmp_path)
    (tmp_path / "a/b.txt").write_text("ab")
    assert not manifest.is_current("f00", tmp_path)
    (tmp_path / "a/b.txt").unlink()
    assert not manifest.is_current("f00", tmp_path)
    assert replace(manifest, files={}).is_current("f00", tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": "labels"}'])
def test_what_is_no_manifest_is_named(tmp_path, text):
    path = manifest_path(tmp_path, "labels")
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ManifestError, match=r"labels\.json: no manifest .* remove it to do the stage again"):
        read_manifest(tmp_path, "labels")


def test_that_of_another_version_says_that_the_stage_is_to_be_done(manifest, tmp_path):
    manifest.write(tmp_path)
    path = manifest_path(tmp_path, "labels")
    path.write_text(json.dumps({**json.loads(path.read_text()), "finished": "2026-11-29"}))
    assert read_manifest(tmp_path, "labels") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows_in": "3"},
        {"before": None},
        {"counts": ["a"]},
        {"counts": {"a": 1.5}},
        {"files": {"a": 1}},
        {"versions": "1"},
    ],
)
def test_a_value_of_another_type_is_named(manifest, tmp_path, wrong):
    replace(manifest, **wrong).write(tmp_path)
    with pytest.raises(ManifestError, match=f"it: {next(iter(wrong)).upper()}.* must be .*remove it to do the stage"):
        read_manifest(tmp_path, "labels")


def test_deep_nesting_is_no_manifest(manifest, tmp_path):
    manifest.write(tmp_path)
    manifest_path(tmp_path, "labels").write_text("[" * 100_000)
    with pytest.raises(ManifestError, match="no manifest of this version"):
        read_manifest(tmp_path, "labels")


def test_facts_without_a_size_are_those_of_no_current_file(manifest, tmp_path):
    assert not replace(manifest, files={"a/b.txt": {}}).is_current("f00", tmp_path)


def test_fingerprints_depend_on_values_and_not_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert len({fingerprint(*parts) for parts in ((1, 2), (12,), ("1", 2), (), ({"a": 1},))}) == 5


def test_a_missing_file_has_no_hash(tmp_path):
    with pytest.raises(ManifestError, match=r"none\.txt: cannot be read: No such file"):
        content_hash(tmp_path / "none.txt")


@pytest.mark.parametrize("settings", [{}, {"vocabulary": ["name"]}, {"vocabulary": {}}, {"vocabulary": None}])
def test_a_setting_that_is_not_there_is_named(manifest, settings):
    damaged = replace(manifest, settings=settings)
    with pytest.raises(
        ManifestError, match=r"manifests/labels\.json: its settings hold no vocabulary: name; remove it"
    ):
        damaged.setting("vocabulary", "name")
    assert replace(manifest, settings={"vocabulary": {"name": "top-k"}}).setting("vocabulary", "name") == "top-k"
