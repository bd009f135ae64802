"""What counts as finished."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.manifest import ManifestError

from .conftest import STAGES


@pytest.mark.parametrize("count", range(4))
def test_stages_that_are_finished(finish, count):
    outcome = finish(*STAGES[:count])
    assert list(outcome.manifests) == list(STAGES[:count])
    assert outcome.unfinished == ["the posts", "their labels", "the vocabulary"][count:]


def test_optional_stages_are_not_missed(finish):
    outcome = finish("posts", "labels", "vocabulary", "shards")
    assert list(outcome.manifests) == ["posts", "labels", "vocabulary", "shards"]
    assert outcome.unfinished == []


def test_a_stage_behind_a_gap_is_left_out(finish):
    assert list(finish("posts", "vocabulary").manifests) == ["posts"]


def test_a_stage_that_builds_on_another_result_is_left_out(finish):
    finish("labels", "vocabulary")
    assert list(finish("posts", fingerprint="another").manifests) == ["posts"]


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_bytes(b"cut")])
def test_a_stage_without_its_files_is_left_out(finish, tmp_path, change):
    outcome = finish(*STAGES)
    change(tmp_path / "labels/tags.parquet")
    assert list(outcome.manifests) == ["posts"]


def test_a_broken_manifest_is_named(finish, tmp_path):
    outcome = finish("posts")
    (tmp_path / "manifests/posts.json").write_text("{")
    with pytest.raises(ManifestError, match=r"posts\.json: no manifest of this version"):
        _ = outcome.manifests


def test_lengths_of_posts_in_several_parts(outcome):
    assert outcome.tags_per_post.tolist() == [1, 1, 7, 1]
    assert outcome.labels_per_post.tolist() == [0, 7]


def test_a_recipe_without_targets_has_none(finish):
    assert finish("posts", "labels", "vocabulary", tables={"vocabulary/targets.parquet": None}).targets is None
