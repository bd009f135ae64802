"""Training on a stream, from a config: the same samples after a break, none missed."""

import json
import shutil
from collections import Counter
from itertools import islice
from pathlib import Path

import fsspec
import pytest
from detectron2.config import CfgNode

from igdet.data import build_classification_test_loader, build_classification_train_loader, register_own_datasets
from igdet.data.draws.streams import Journal
from igdet.formats.errors import DatasetError
from igdet.formats.shards import ShardError, ShardWriter
from igdet.formats.vocabulary import Vocabulary
from igdet.utils.object_stores import StoreError
from tests.support.store_threads import wait_for_threads

POSTS, SHARD = 44, 4
NAMES = ["bear", "owl", "river"]


@pytest.fixture
def stream_cfg(cfg, tmp_path, save_image):
    with ShardWriter(tmp_path / "posts", Vocabulary([name] for name in NAMES), SHARD) as writer:
        for i in range(POSTS):
            image = save_image(tmp_path / "image.jpg", i).read_bytes()
            writer.add(f"p{i:02}", image, NAMES[: 1 + (i % 9 == 0) + (i % 20 == 0)])
    cfg.DATASETS.OWN = CfgNode({"own": {"KIND": "hashtag_stream", "ROOT": str(tmp_path / "posts")}})
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = ("own",), ()
    cfg.DATALOADER.RESAMPLING, cfg.DATALOADER.EPOCH_FACTOR = "square_root", 1.5
    cfg.DATALOADER.STREAM_SHARDS, cfg.DATALOADER.STREAM_BUFFER = 2, 6
    cfg.DATALOADER.LABEL_NOISE = 0.3
    register_own_datasets(cfg)
    return cfg


def batches(cfg, count, start_draw=0):
    loader = build_classification_train_loader(cfg, cfg.SEED, start_draw)
    return [
        [(s["image_id"], s["gt_classes"].tolist(), s["image"].numpy().tobytes()) for s in batch]
        for batch in islice(loader, count)
    ]


@pytest.mark.parametrize("workers", [0, 2, 3])
@pytest.mark.parametrize(("journal", "passes"), [("kept", 1), ("lost", 1), ("kept", 3)])
def test_a_resumed_run_sees_what_an_unbroken_one_would(stream_cfg, workers, journal, passes):
    stream_cfg.DATALOADER.NUM_WORKERS, stream_cfg.DATALOADER.STREAM_PASSES = workers, passes
    unbroken = batches(stream_cfg, 40)
    assert [len(batch) for batch in unbroken] == [4] * 40
    for start in (1, 5, 18, 33):
        if journal == "lost":
            shutil.rmtree(Path(stream_cfg.OUTPUT_DIR, "stream"))
        assert batches(stream_cfg, 40 - start, start_draw=4 * start) == unbroken[start:]


def test_every_post_is_seen_as_often_as_its_hashtags_say(stream_cfg):
    stream_cfg.DATALOADER.RESAMPLING = "natural"
    seen = Counter(name for batch in batches(stream_cfg, 3 * POSTS // 4) for name, *_ in batch)
    assert seen == {f"p{i:02}": 3 for i in range(POSTS)}


def test_ranks_see_other_posts(stream_cfg, monkeypatch):
    stream_cfg.DATALOADER.RESAMPLING = "natural"
    monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: 2)
    seen = []
    for rank in range(2):
        monkeypatch.setattr("detectron2.utils.comm.get_rank", lambda rank=rank: rank)
        seen.append({name for batch in batches(stream_cfg, 5 * SHARD // 2) for name, *_ in batch})
    assert [len(names) for names in seen] == [20, 20]  # of 24 and 20 posts
    assert not seen[0] & seen[1]


@pytest.mark.parametrize("run", [(1, 1), (1, 2), (2, 1), (2, 2), (4, 0)])
@pytest.mark.parametrize("start", [0, 7])
def test_batches_depend_on_the_readers_not_on_the_processes(stream_cfg, run, start, monkeypatch):
    loader = stream_cfg.DATALOADER
    loader.STREAM_RANKS, loader.STREAM_WORKERS = 4, 2
    whole = batches(stream_cfg, 40)
    world_size, loader.NUM_WORKERS = run
    monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: world_size)
    shares = []
    for rank in range(world_size):
        monkeypatch.setattr("detectron2.utils.comm.get_rank", lambda rank=rank: rank)
        shares.append(batches(stream_cfg, 40 - start, start_draw=4 * start))
    # Sample s of a batch is of rank s modulo their number.
    joined = [[sample for same in zip(*parts, strict=True) for sample in same] for parts in zip(*shares, strict=True)]
    assert joined == whole[start:]


def test_posts_and_noise_are_those_of_the_index(stream_cfg, tmp_path):
    streamed = {name: labels for batch in batches(stream_cfg, 30) for name, labels, _ in batch}
    stream_cfg.DATASETS.OWN.own.KIND = "hashtag_shards"
    register_own_datasets(stream_cfg)
    indexed = {name: labels for batch in batches(stream_cfg, 30) for name, labels, _ in batch}
    assert streamed == indexed and len(indexed) == POSTS


def test_a_bad_image_is_replaced_and_reported(stream_cfg, tmp_path):
    shard = tmp_path / "posts/posts-000000.tar"
    data = bytearray(shard.read_bytes())
    data[512:516] = b"none"  # p00, behind its header
    shard.write_bytes(data)
    assert "p00" not in {name for batch in batches(stream_cfg, 12) for name, *_ in batch}
    assert json.loads(Path(stream_cfg.OUTPUT_DIR, "bad_records.jsonl").read_text())["name"] == "p00"


def test_more_loader_processes_than_shards_are_refused_before_they_start(stream_cfg, monkeypatch):
    stream_cfg.DATALOADER.NUM_WORKERS = 4
    monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: 3)
    with pytest.raises(DatasetError, match=r"11 shards cannot be shared by 12 readers; lower DATALOADER"):
        build_classification_train_loader(stream_cfg, 0)


def test_a_stream_is_for_training_only(stream_cfg):
    stream_cfg.DATASETS.TEST = ("own",)
    with pytest.raises(DatasetError, match=r"DATASETS.TEST: own is a hashtag_stream, which is for training only"):
        register_own_datasets(stream_cfg)
    with pytest.raises(DatasetError, match="own is no classification or hashtag data set"):
        build_classification_test_loader(stream_cfg, "own")


def test_the_journal_finds_the_buffer_to_go_on_with(tmp_path):
    journal = Journal(tmp_path / "new/reader.jsonl")
    assert journal.last_before(0) == journal.last_before(100) == (0, 0)
    for number, samples in enumerate([0, 14, 30]):
        journal.note(number, samples)
    with (tmp_path / "new/reader.jsonl").open("a") as file:
        file.write("[3, 4")  # a line that a kill cut short
    again = Journal(tmp_path / "new/reader.jsonl")
    expected = {0: (0, 0), 13: (0, 0), 14: (1, 14), 29: (1, 14), 30: (2, 30), 1000: (2, 30)}
    assert {samples: again.last_before(samples) for samples in expected} == expected
    size = (tmp_path / "new/reader.jsonl").stat().st_size
    again.note(1, 14)
    assert (tmp_path / "new/reader.jsonl").stat().st_size == size


@pytest.fixture
def remote_cfg(stream_cfg, tmp_path, monkeypatch):
    """The same shards in a store; two of them fit on the local disk."""
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path / "cache"))
    files = fsspec.filesystem("memory")
    files.put(f"{tmp_path}/posts/", "/bucket/posts/", recursive=True)
    yield stream_cfg
    wait_for_threads()
    files.rm("/bucket", recursive=True)


def use_store(cfg, **fields):
    fields = {"KIND": "hashtag_stream", "ROOT": "memory://bucket/posts", "CACHE_GB": 1, **fields}
    cfg.DATASETS.OWN = CfgNode({"own": fields})
    register_own_datasets(cfg)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_store_gives_what_a_folder_gives_also_after_a_break(remote_cfg, workers, monkeypatch):
    remote_cfg.DATALOADER.NUM_WORKERS = workers
    of_folder = batches(remote_cfg, 30)
    monkeypatch.setattr("igdet.data.kinds.GIGABYTE", 20_000)  # of shards of 6 to 8 kB
    use_store(remote_cfg)
    assert batches(remote_cfg, 30) == of_folder
    for start in (7, 19):
        assert batches(remote_cfg, 30 - start, start_draw=4 * start) == of_folder[start:]


def test_a_store_that_is_not_whole_is_refused_before_any_work(remote_cfg):
    files = fsspec.filesystem("memory")
    use_store(remote_cfg)
    with pytest.raises(DatasetError, match="POSTS is 3, but posts are counted by an index"):
        use_store(remote_cfg, POSTS=3)
    shard = next(path for path in files.ls("/bucket/posts", detail=False) if path.endswith(".tar"))
    files.pipe(shard, files.cat(shard)[:-512])
    with pytest.raises(ShardError, match=r"memory://bucket/posts/.*tar has .* bytes where .* says"):
        use_store(remote_cfg)
    files.rm("/bucket/posts/vocabulary.txt")
    with pytest.raises(StoreError, match=r"memory://bucket/posts/vocabulary.txt is not there"):
        use_store(remote_cfg)


def test_a_shard_that_is_written_again_during_a_training_stops_it(remote_cfg):
    files = fsspec.filesystem("memory")
    use_store(remote_cfg)
    for shard in files.ls("/bucket/posts", detail=False):
        if shard.endswith(".tar"):
            files.pipe(shard, b"other")
    with pytest.raises(StoreError, match=r"has 5 bytes, expected .*: it was written again, or cut short"):
        batches(remote_cfg, 1)


@pytest.fixture
def mixed_cfg(stream_cfg, tmp_path, save_image):
    """Three draws from the first folder for each of another with the same labels."""
    with ShardWriter(tmp_path / "others", Vocabulary([name] for name in NAMES), SHARD) as writer:
        for i in range(20):
            writer.add(f"q{i:02}", save_image(tmp_path / "image.jpg", i).read_bytes(), NAMES[1:2])
    roots = [str(tmp_path / "posts"), str(tmp_path / "others")]
    stream_cfg.DATASETS.OWN = CfgNode({"own": {"KIND": "hashtag_mixture", "ROOTS": roots, "WEIGHTS": [3, 1]}})
    stream_cfg.DATALOADER.LABEL_NOISE = 0.0
    register_own_datasets(stream_cfg)
    return stream_cfg


def test_a_mixture_draws_by_weight_and_each_part_as_it_would_alone(mixed_cfg, tmp_path):
    names = [name for batch in batches(mixed_cfg, 500) for name, *_ in batch]
    share = sum(name.startswith("p") for name in names) / len(names)
    assert abs(share - 3 / 4) < 4 * (3 / 16 / len(names)) ** 0.5  # four standard errors of a draw with 3/4
    mixed_cfg.DATASETS.OWN.own = CfgNode({"KIND": "hashtag_stream", "ROOT": str(tmp_path / "others")})
    register_own_datasets(mixed_cfg)
    alone = [name for batch in batches(mixed_cfg, 125) for name, *_ in batch]
    of_part = [name for name in names if name.startswith("q")]
    assert of_part[:400] == alone[: len(of_part[:400])]


@pytest.mark.parametrize("run", [(1, 2), (2, 1)])
def test_a_mixture_resumes_on_other_processes(mixed_cfg, run, monkeypatch):
    loader = mixed_cfg.DATALOADER
    loader.STREAM_RANKS, loader.STREAM_WORKERS = 2, 2
    whole = batches(mixed_cfg, 40)
    world_size, loader.NUM_WORKERS = run
    monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: world_size)
    monkeypatch.setattr("detectron2.utils.comm.get_rank", lambda: world_size - 1)
    assert batches(mixed_cfg, 27, start_draw=52) == [batch[world_size - 1 :: world_size] for batch in whole[13:]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"WEIGHTS": [1]}, r"own: WEIGHTS is \[1\] for 2 ROOTS: expected a number above 0 for each"),
        ({"WEIGHTS": [1, 0]}, r"own: WEIGHTS is \[1, 0\] for 2 ROOTS"),
        ({"WEIGHTS": [1, "much"]}, "for 2 ROOTS"),
        ({"ROOTS": [], "WEIGHTS": []}, "for 0 ROOTS: .* one folder at least"),
        ({"ROOTS": ["posts", "posts"]}, "ROOTS names .*posts twice"),
        ({"ROOTS": ["posts", "other_labels"]}, "other_labels has other labels than .*posts"),
        ({"ROOTS": "posts"}, r"own\.ROOTS is 'posts': expected a list"),
    ],
)
def test_a_mixture_that_cannot_be_drawn_is_refused(mixed_cfg, changes, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ShardWriter(tmp_path / "other_labels", Vocabulary([["owl"], ["bear"], ["river"]]), SHARD) as writer:
        writer.add("r", (tmp_path / "image.jpg").read_bytes(), ["owl"])
    mixed_cfg.DATASETS.OWN.own.update(changes)
    with pytest.raises(DatasetError, match=message):
        register_own_datasets(mixed_cfg)
