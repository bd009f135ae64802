"""The summary of a folder of shards, against its index, and what it finds out."""

import json

import numpy as np
import pytest

from igdet.formats.shards import SetName, ShardError, ShardIndex, ShardWriter, read_summary, write_summary
from igdet.formats.vocabulary import Vocabulary
from igdet.sampling import replicate, replicate_counted

NAMES = [f"label{i}" for i in range(12)]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    with ShardWriter(tmp_path, Vocabulary([name] for name in NAMES), shard_size=40) as writer:
        for i in range(300):
            writer.add(f"p{i}", b"picture", {NAMES[min(11, label)] for label in rng.zipf(1.5, rng.integers(1, 4))})
    return tmp_path


def test_it_holds_what_the_index_would_tell(folder, monkeypatch):
    summary, index = read_summary(folder), ShardIndex.open(folder)
    assert summary.posts == np.bincount(index.label_ids, minlength=12).tolist()
    assert sum(summary.rarest) == 300
    assert [posts for posts, _ in summary.shards.values()] == [40] * 7 + [20]
    assert {name: length for name, (_, length) in summary.shards.items()} == {
        path.name: path.stat().st_size for path in folder.glob("*.tar")
    }


@pytest.mark.parametrize("resampling", ["natural", "square_root", "uniform"])
def test_replication_is_that_of_all_posts(folder, resampling):
    summary, index = read_summary(folder), ShardIndex.open(folder)
    counted = replicate_counted(np.array(summary.posts), np.array(summary.rarest), resampling, 700)
    whole = replicate(index.label_offsets, index.label_ids, resampling, 700, 12)
    assert counted.factors.tolist() == whole.factors.tolist()


@pytest.mark.parametrize("name", ["summary.json", "vocabulary.txt"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ShardError, match=f"{name} is missing"):
        read_summary(folder)


def test_a_shard_that_is_missing_or_cut_short_is_named(folder):
    shard = folder / "posts-000003.tar"
    data = shard.read_bytes()
    shard.write_bytes(data[:1000])
    with pytest.raises(ShardError, match=r"posts-000003.tar has 1,000 bytes where .* says \d+,\d+.*--resume"):
        read_summary(folder)
    shard.unlink()
    with pytest.raises(ShardError, match=r"posts-000003.tar has 0 bytes"):
        read_summary(folder)
    shard.write_bytes(data)
    assert len(read_summary(folder).shards) == 8


def test_broken_and_foreign_summaries_are_refused(folder):
    path = folder / "summary.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "vocabulary_sha256": "0"}))
    with pytest.raises(ShardError, match="not the vocabulary"):
        read_summary(folder)
    path.write_text(json.dumps({**content, "shards": {"../x.tar": [1, 1]}}))
    with pytest.raises(ShardError, match=r"names the shard '\.\./x\.tar'"):
        read_summary(folder)
    for text in ("{}", path.read_text()[:50]):
        path.write_text(text)
        with pytest.raises(ShardError, match=r"summary.json cannot be read"):
            read_summary(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shards", None),
        ("shards", "x"),
        ("shards", {"posts-000000.tar": 40}),
        ("shards", {"posts-000000.tar": [40, "x"]}),
        ("posts", [1, 2]),
        ("posts", {"a": 1}),
        ("posts", [True] * 12),
        ("rarest", [-1] * 12),
        ("rarest", [1.5] * 12),
        ("rarest", [10**30] * 12),
        ("name", None),
        ("name", ["train-own-300-12"]),
    ],
)
def test_wrong_types_are_named(folder, key, value):
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ShardError, match=f"summary.json: {key} holds .*, expected .*; copy it again"):
        read_summary(folder)


def test_the_name_follows_from_the_counts(folder):
    summary = read_summary(folder)
    assert (summary.name, summary.images, summary.labels) == ("train-own-300-12", 300, 12)
    assert summary.labels_per_image == len(ShardIndex.open(folder).label_ids) / 300
    write_summary(folder, SetName("val", "IG"))
    assert json.loads((folder / "summary.json").read_text())["name"] == read_summary(folder).name == "val-IG-300-12"


def test_a_summary_from_before_there_were_names_has_the_default_one(folder):
    path = folder / "summary.json"
    content = json.loads(path.read_text())
    del content["name"]
    path.write_text(json.dumps(content))
    assert read_summary(folder).name == "train-own-300-12"


@pytest.mark.parametrize("name", ["train-own-3M-12", "train-own", "train-my posts-300-12", "train-a-b-300-12"])
def test_a_name_that_does_not_fit_is_refused(folder, name):
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": name}))
    with pytest.raises(ShardError, match=r"summary.json: .*name"):
        read_summary(folder)


def test_a_set_without_images_has_a_name(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([("cat",)]), name=SetName("val", "none")):
        pass
    summary = read_summary(tmp_path)
    assert (summary.name, summary.labels_per_image) == ("val-none-0-1", 0)
