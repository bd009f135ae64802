"""Runs that are killed or run out of disk: nothing half written, and the next run ends as if nothing had happened."""

import errno
import json
import os
import tarfile

import pytest
from python_process import forked_python

from igdet.curation.shards import IdList, ShardingError
from igdet.formats.shards import ShardError, ShardIndex, writer

from .conftest import POSTS, content

# Makes the shards of a workplace and kills itself before the given call of the given function.
RUN = """
import os, signal, sys
from pathlib import Path
from igdet.curation import shards
from igdet.curation.images import ImageSource
from igdet.curation.shards import {module} as module

work, calls = Path(sys.argv[1]), {calls}
real = module.{function}

def counted(*arguments, **named):
    global calls
    calls -= 1
    if calls < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **named)

module.{function} = counted
lists = {{"opted_out": shards.IdList({opted_out})}}
settings = shards.ShardSettings(posts_per_shard=5)
source = ImageSource(work / "images")
shards.make_shards([work / "posts"], work / "vocabulary.txt", source, work / "shards", settings, lists)
"""


def run_until_killed(workplace, module, function, calls, opted_out=()):
    script = RUN.format(module=module, function=function, calls=calls, opted_out=list(opted_out))
    ended = forked_python("-c", script, workplace)
    assert ended.returncode == -9, ended.stderr


def assert_nothing_is_half_written(folder):
    for shard in folder.glob("posts-*.tar"):
        with tarfile.open(shard) as writer:
            assert all(json.load(writer.extractfile(member)) for member in writer if member.name.endswith(".json"))
    with pytest.raises(ShardError, match="its writing did not end"):
        ShardIndex.open(folder)


@pytest.mark.parametrize(
    ("module", "function", "calls"),
    [
        ("preparing", "clean_image", 0),  # in the first shard
        ("preparing", "clean_image", 7),  # within the second one
        ("shard_maker", "check_shard", 1),  # it is written, but its record is not
        ("shard_maker", "write_part", 1),
        ("make", "_index_rows", 2),  # within the index
    ],
)
def test_a_killed_run_is_ended_by_the_next(workplace, make, module, function, calls):
    run_until_killed(workplace, module, function, calls)
    assert_nothing_is_half_written(workplace / "shards")
    make()
    make("unbroken")
    assert content(workplace / "shards") == content(workplace / "unbroken")


@pytest.mark.parametrize(("module", "function"), [("shard_maker", "write_shard"), ("shard_maker", "write_part")])
def test_a_run_that_is_killed_while_posts_opt_out(workplace, make, module, function):
    make()
    opted_out = [POSTS[0][0], POSTS[5][0]]
    run_until_killed(workplace, module, function, 1, opted_out)
    assert_nothing_is_half_written(workplace / "shards")
    lists = {"opted_out": IdList(opted_out)}
    make(exclusions=lists)
    make("unbroken", exclusions=lists)
    assert content(workplace / "shards") == content(workplace / "unbroken")


@pytest.mark.parametrize("writes", [0, 1, 20])
def test_a_full_disk_leaves_whole_shards_only(workplace, make, monkeypatch, writes):
    real, left = writer._append_member, writes

    def append(file, name, data):
        nonlocal left
        left -= 1
        if left < 0:
            file.write(data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, name, data)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "_append_member", append)
        with pytest.raises(OSError, match="No space left"):
            make()
    files = content(workplace / "shards")
    assert {name for name in files if name.endswith(".tar")} == {f"posts-{i:06d}.tar" for i in range(writes // 10)}
    assert not any(name.rpartition("/")[2].startswith(".") for name in files)
    assert_nothing_is_half_written(workplace / "shards")
    make()
    make("unbroken")
    assert content(workplace / "shards") == content(workplace / "unbroken")


def test_a_shard_that_comes_back_changed_stops_the_run(workplace, make, monkeypatch):
    def damage(name, data):
        return data.replace(b"river", b"rider") if name.endswith("json") else data

    real = writer._append_member
    monkeypatch.setattr(writer, "_append_member", lambda file, name, data: real(file, name, damage(name, data)))
    with pytest.raises(ShardingError, match="came back changed; check the disk and run again"):
        make()
    assert not list((workplace / "shards").glob("records/*.parquet"))
