"""Whole runs of the pipeline: what is counted, what is done again, and that neither a kill nor a full disk shows."""

import json
import os
import random
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_process import forked_python, fresh_python

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.manifest import read_manifest
from igdet.formats.shards import ShardIndex, read_summary
from igdet.formats.vocabulary import Vocabulary
from igdet.utils.cache import LockError, locked

from .raw_posts import CAPTION, OWNER, USER, write_raw_posts
from .runs import RUN, STAGES, result, run

# Runs a config on a cluster whose machines all are this one. While it first writes to the disk, a process that works on
# slices is killed, and later a machine that makes shards. Then prints what comes of other work.
RUN_ON_A_CLUSTER = """
import os, signal, sys
from functools import partial
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from igdet.curation import engine, pipeline
from igdet.curation.settings import read_curation
from igdet.curation.shards.shard_maker import ShardMaker
from igdet.utils.errors import UserError

VICTIMS = {"slices": [os.getpid], "shards": [os.getppid, os.getpid]}  # the parent of a worker is its machine's Ray

def fatal(work, losses, kind, *task):
    def die(handle):
        for victim in VICTIMS[kind]:
            os.kill(victim(), signal.SIGKILL)
    try:
        (losses / kind).touch(exist_ok=False)
        os.fsync = die
    except FileExistsError:
        pass
    return work(*task)

def with_losses(work, tasks, processes=1):
    kind = "shards" if isinstance(getattr(work, "__self__", None), ShardMaker) else "slices"
    return in_order(partial(fatal, work, losses, kind), tasks, processes)

def square(number):
    if number == 5:
        raise UserError("None of your business")
    return number * number

losses, config, *overrides = sys.argv[1:]
losses = Path(losses)
losses.mkdir()
memory = {"object_store_memory": 100 * 2**20}
# Of dead machines; with less patience, those that this busy machine lets wait would count as dead too.
quick = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000, "health_check_failure_threshold": 10}
head = {"num_cpus": 0, "include_dashboard": False, "_system_config": quick, **memory}
cluster = Cluster(initialize_head=True, head_node_args=head)
for _ in range(2):
    cluster.add_node(num_cpus=1, **memory)
in_order, engine.map_in_order = engine.map_in_order, with_losses
pipeline.run(read_curation(config, [*overrides, "ENGINE.RUNNER", "ray", "ENGINE.ADDRESS", cluster.address]))
done = []
try:
    done += (one.result for one in in_order(square, [(number,) for number in range(6)]))
except UserError as error:
    print(done, error, flush=True)
ray.shutdown()
cluster.shutdown()
"""
# What else fills this machine's memory and disk is not for a test to fail by, and workers would give way to all else.
RAY = {"RAY_memory_monitor_refresh_ms": "0", "RAY_local_fs_capacity_threshold": "1", "RAY_worker_niceness": "0"}
# Runs a tool while no file may have more than some bytes.
RUN_ON_SMALL_DISK = """
import resource, runpy, sys
_, limit, *sys.argv = sys.argv
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit),) * 2)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The output folder of a run; the config is beside it."""
    config = write_raw_posts(tmp_path_factory.mktemp("unbroken"))
    assert run(config) == STAGES
    return config.parent / "out"


@pytest.fixture
def config(tmp_path):
    """The config of a run that has not been."""
    return write_raw_posts(tmp_path)


@pytest.fixture
def other(unbroken, tmp_path):
    """The command line of a run of the same posts into another folder, which is tmp_path/out."""
    return [unbroken.parent / "config.yaml", "OUTPUT_DIR", str(tmp_path / "out")]


@pytest.mark.parametrize(
    ("stage", "rows_in", "rows_out", "counts"),
    [
        ("posts", 12, 12, {"broken lines": 1, "posts without an image": 1, "posts without hashtags": 1}),
        ("labels", 12, 12, {"different hashtags": 9, "different labels": 6, "hashtags without a label": 1}),
        (
            "vocabulary",
            12,
            8,
            {
                "labels blocked": 1,  # instagood
                "labels not in the lexicon": 1,  # zzz
                "posts without a label of the vocabulary": 3,
                "posts with the id of another": 1,
                "uses of hashtags": 15,
                "uses of hashtags in the vocabulary": 12,
                "different hashtags in the vocabulary": 6,
            },
        ),
        ("duplicates", 8, 7, {"pairs": 1, "pairs that count": 1, "images that cannot be read": 2}),
        ("shards", 8, 4, {"near-duplicate": 1, "opted out": 1, "not_an_image": 1, "outside_root": 1}),
    ],
)
def test_manifests_count(unbroken, stage, rows_in, rows_out, counts):
    manifest = read_manifest(unbroken, stage)
    assert (manifest.rows_in, manifest.rows_out) == (rows_in, rows_out)
    assert {reason: number for reason, number in manifest.counts.items() if number} == counts


def test_labels_are_counted_and_named(unbroken):
    table = pq.read_table(unbroken / "vocabulary/labels.parquet").to_pylist()
    assert [(row["label"], row["name"], row["posts"], row["tags"]) for row in table] == [
        ("n1", "dog", 5, ["dog", "dogs2018", "hound"]),
        ("n2", "cat", 3, ["cat"]),
        ("n3", "owl", 2, ["owl"]),
        ("n4", "brownbear", 1, ["brownbear"]),
    ]


def test_shards_hold_the_posts_that_are_left(unbroken):
    shards = unbroken / "shards"
    assert len(ShardIndex.open(shards).keys) == 4
    assert sorted(pq.read_table(shards / "index.parquet")["labels"].to_pylist()) == [[0], [0, 3], [1], [1]]
    assert Vocabulary.read(shards / "vocabulary.txt").names == ["dog", "cat", "owl", "brownbear"]


def test_nothing_about_people_goes_on(unbroken):
    secrets = [secret.encode() for secret in (CAPTION, USER, OWNER)]
    assert CAPTION in (unbroken.parent / "posts/a.jsonl").read_text()
    for path in unbroken.rglob("*"):
        if path.is_file():
            data = _plain(path)
            assert secrets[0] not in data, path
            handed_on = path.parent == unbroken / "shards"
            assert not handed_on or not any(secret in data for secret in secrets), path


def _plain(path):
    """Return the bytes of a file, and of the text in it when it is compressed."""
    table = pq.read_table(path, partitioning=None) if path.suffix == ".parquet" else pa.table({})
    return path.read_bytes() + str((table.to_pydict(), table.schema.metadata)).encode()


def test_a_second_run_does_nothing(unbroken):
    before = {path: path.stat().st_mtime_ns for path in unbroken.rglob("*") if path.is_file()}
    assert run(unbroken.parent / "config.yaml") == []
    assert {path: path.stat().st_mtime_ns for path in unbroken.rglob("*") if path.is_file()} == before


def test_a_change_is_taken_up_from_its_stage_on(config):
    run(config)
    assert run(config, "SHARDS.PROCESSES", "2", "ENGINE.SLICE_MB", "1") == []  # who works does not matter
    assert run(config, "SHARDS.POSTS_PER_SHARD", "2") == ["shards"]
    assert run(config, "VOCABULARY.MIN_POSTS", "2") == ["vocabulary", "duplicates", "shards"]
    assert run(config, "LEXICON.MORPHOLOGY", "false") == STAGES[1:]
    (config.parent / "posts/c.jsonl").unlink()
    assert run(config) == STAGES
    (config.parent / "out/vocabulary/labels.parquet").unlink()
    assert run(config) == ["vocabulary"]
    (config.parent / "out/shards/posts-000000.tar").unlink()
    assert run(config) == ["shards"]


def test_who_opts_out_later_is_left_out_of_the_next_run(config):
    run(config)
    with (config.parent / "opted_out.txt").open("a") as file:
        file.write(f"{USER}/0\n{USER}/3\n")
    assert run(config) == ["shards"]
    manifest = read_manifest(config.parent / "out", "shards")
    assert (manifest.rows_out, manifest.counts["opted out"]) == (2, 3)


def test_an_evaluation_image_that_comes_later_is_looked_for(config):
    run(config)
    copy = (config.parent / f"images/{USER}/1.jpg").read_bytes()
    (config.parent / "evaluation/later.jpg").write_bytes(copy)
    assert run(config) == ["duplicates", "shards"]
    assert read_manifest(config.parent / "out", "shards").counts["near-duplicate"] == 2


def test_another_name_of_the_set_is_written_and_nothing_else(unbroken, other, tmp_path):
    assert read_summary(unbroken / "shards").name == "train-own-4-4"
    run(*other)
    assert run(*other, "SHARDS.NAME", "{ROLE: val, SOURCE: raw}") == ["shards"]
    assert read_summary(tmp_path / "out/shards").name == "val-raw-4-4"
    named, plain = result(tmp_path / "out"), result(unbroken)
    assert {path for path in plain if named[path] != plain[path]} == {"shards/summary.json", "manifests/shards.json"}


def test_targets_of_another_recipe_do_not_stay(config):
    (config.parent / "targets.txt").write_text("dog\nowl\n")
    run(config, "VOCABULARY.NAME", "list", "VOCABULARY.TARGETS", str(config.parent / "targets.txt"))
    targets = config.parent / "out/vocabulary/targets.parquet"
    assert pq.read_table(targets)["posts"].to_pylist() == [5, 2]
    run(config)
    assert not targets.exists()


def test_two_runs_in_one_folder_are_refused(config):
    with locked(config.parent / "out"), pytest.raises(LockError, match="another run is at work"):
        run(config)


@pytest.mark.parametrize("seed", [0, 1])
def test_runs_killed_at_random_moments_end_as_an_unbroken_one(unbroken, other, tmp_path, seed):
    generator, seconds, killed = random.Random(seed), 0.1, 0
    while (ended := forked_python("-c", RUN, other[0], seconds, *other[1:])).returncode:
        assert ended.returncode == -signal.SIGALRM, ended.stderr
        seconds *= generator.uniform(1.1, 2.5)
        killed += 1
    assert killed
    assert result(tmp_path / "out") == result(unbroken)


@pytest.mark.parametrize("limit", [1000, 8000])  # bytes: too few for the first table, and for a shard
def test_a_full_disk_is_one_line_and_nothing_half_written(unbroken, other, tmp_path, repository, limit):
    ended = forked_python("-c", RUN_ON_SMALL_DISK, limit, repository / "tools/curate.py", "run", *other)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("OSError: [Errno 27] File too large")
    assert "Traceback" not in ended.stderr
    finished = [path for path in tmp_path.glob("out/**/*.parquet") if "/." not in str(path)]
    assert all(pq.read_table(path, partitioning=None).num_columns for path in finished)
    run(*other)
    assert result(tmp_path / "out") == result(unbroken)


def test_a_cluster_that_loses_a_process_and_a_machine_gives_the_same(unbroken, other, tmp_path):
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    ended = fresh_python("-c", RUN_ON_A_CLUSTER, tmp_path / "losses", *other, env={**os.environ, **RAY})
    assert ended.returncode == 0, ended.stderr
    assert "[0, 1, 4, 9, 16] None of your business" in ended.stdout.splitlines()
    assert {path.name for path in (tmp_path / "losses").iterdir()} == {"slices", "shards"}
    again = {stage: json.loads((tmp_path / f"out/logs/{stage}.json").read_text())["begun_again"] for stage in STAGES}
    assert [len(again[stage]) for stage in STAGES] == [1, 0, 0, 0, 1]
    assert again["posts"][0].startswith("part-") and again["shards"][0].startswith("posts-")
    assert result(tmp_path / "out") == result(unbroken)
