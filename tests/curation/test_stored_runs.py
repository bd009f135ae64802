"""Whole runs whose shards go to a store: as a local run, current while the store has them, stopped before any work."""

import json

import fsspec
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation import command, pipeline
from igdet.curation.manifest import read_manifest
from igdet.curation.settings import read_curation
from igdet.curation.shards.shard_maker import ShardMaker
from igdet.utils.object_stores import StoreError
from tests.support.memory_store import stored_files

from .raw_posts import write_raw_posts

ROOT = "memory://bucket/posts"
LATER = [stage.name for stage in pipeline.STAGES]


@pytest.fixture
def curation(tmp_path, faults):
    """A curation into the store that has not been."""
    return read_curation(write_raw_posts(tmp_path), ["SHARDS.TO", ROOT])


def to_do(curation):
    return [step.stage.name for step in pipeline.steps(curation) if not step.is_current]


def test_a_run_to_a_store_is_that_to_a_folder(curation, tmp_path, capsys):
    command.run(curation)
    assert f"{{KIND: hashtag_stream, ROOT: {ROOT}}}" in capsys.readouterr().out
    local = read_curation(tmp_path / "config.yaml", ["OUTPUT_DIR", str(tmp_path / "local")])
    command.run(local)
    assert f"{{KIND: hashtag_shards, ROOT: {tmp_path}/local/shards}}" in capsys.readouterr().out
    expected = {path.name: path.read_bytes() for path in (tmp_path / "local/shards").iterdir() if path.is_file()}
    found = stored_files(ROOT)
    del found["owner.txt"]
    assert found == expected and not list((tmp_path / "out/shards").glob("*.tar"))
    in_store, in_folder = (read_manifest(folder, "shards") for folder in (curation.folder, local.folder))
    facts = {f"{ROOT}/{name.removeprefix('shards/')}": facts for name, facts in in_folder.files.items()}
    assert {name: facts for name, facts in in_store.files.items() if name.startswith(ROOT)} == facts
    assert (in_store.counts, in_store.rows_out) == (in_folder.counts, in_folder.rows_out)
    assert "to" not in in_folder.settings["shards"]  # which keeps earlier curations current


def test_it_is_current_while_the_store_has_all_of_it(curation):
    assert to_do(curation) == LATER
    command.run(curation)
    assert to_do(curation) == []
    files = fsspec.filesystem("memory")
    for name in ("posts-000000.tar", "summary.json"):
        whole = stored_files(ROOT)
        for damage in (lambda path: files.pipe(path, b"cut"), files.rm):
            damage(f"/bucket/posts/{name}")
            assert to_do(curation) == ["shards"]
            command.run(curation)
            assert stored_files(ROOT) == whole and to_do(curation) == []


def test_the_list_looks_into_the_store(curation, tmp_path, capsys):
    command.run(curation)
    files, name = fsspec.filesystem("memory"), "train-own-4-4"

    def listed():
        capsys.readouterr()
        command.list_sets([tmp_path])
        return capsys.readouterr().out

    assert f"| {name} " in listed() and f" {ROOT} " in listed()
    summary = stored_files(ROOT)["summary.json"]
    files.rm("/bucket/posts/summary.json")
    assert f"- {ROOT} is unfinished: " in listed()
    files.pipe("/bucket/posts/summary.json", summary)
    shard = min(json.loads(summary)["shards"])
    files.rm(f"/bucket/posts/{shard}")
    assert f"- {ROOT} is broken: {ROOT}/{shard} has 0 bytes" in listed()


def test_a_store_that_cannot_be_listed_is_broken(curation, tmp_path, faults, capsys):
    command.run(curation)
    faults.errors["ls"] = [PermissionError("ExpiredToken")]
    command.list_sets([tmp_path])
    assert "ExpiredToken (are the credentials set" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["cat_file", "pipe_file"])
def test_a_store_that_cannot_be_used_stops_the_run_before_any_work(curation, faults, method):
    faults.errors[method] = [PermissionError("403")]
    with pytest.raises(StoreError, match=r"memory://bucket/posts/owner\.txt cannot be read or written: 403"):
        pipeline.run(curation)
    assert not (curation.folder / "posts").exists()
    faults.errors["pipe_file"] = [FileNotFoundError("NoSuchBucket")]
    with pytest.raises(StoreError, match="there is no such bucket"):
        pipeline.run(curation)


def test_whoever_starts_a_run_does_not_wait_long_for_its_first_error(curation, faults):
    faults.errors["cat_file"] = [OSError("503 Slow Down")] * 9
    with pytest.raises(StoreError, match="503 Slow Down"):
        pipeline.run(curation)
    assert faults.waited == [1, 2, 4]


def test_a_state_writes_nothing(curation):
    command.status(curation)
    assert stored_files(ROOT) == {} and not (curation.folder / "shards").exists()


@pytest.mark.parametrize(("there", "here"), [(ROOT, f"{ROOT}_2"), (ROOT, "''"), ("''", ROOT)])
def test_shards_are_carried_from_place_to_place(tmp_path, faults, monkeypatch, there, here):
    config = write_raw_posts(tmp_path)
    bad = ["SOURCE.MAX_BAD_SHARE", "0.5", "SHARDS.MAX_BAD_SHARE", "1", "DUPLICATES", "{EVALUATION: ''}"]
    first = [*bad, "SOURCE.PATHS", f"[{tmp_path}/posts/a.jsonl]", "OUTPUT_DIR", str(tmp_path / "first")]
    pipeline.run(read_curation(config, [*first, "SHARDS.TO", there]))
    added = [*bad, "APPEND_TO", f"{{OUTPUT_DIR: {tmp_path}/first}}"]
    pipeline.run(read_curation(config, [*added, "OUTPUT_DIR", str(tmp_path / "locally"), "SHARDS.TO", "''"]))
    made, real = [], ShardMaker._make_again
    monkeypatch.setattr(
        ShardMaker, "_make_again", lambda maker, name, *args: made.append(name) or real(maker, name, *args)
    )
    appended = read_curation(config, [*added, "OUTPUT_DIR", str(tmp_path / "out"), "SHARDS.TO", here])
    pipeline.run(appended)
    assert made == ["posts-000001.tar", "posts-000002.tar"]
    assert to_do(appended) == []
    expected = {path.name: path.read_bytes() for path in (tmp_path / "locally/shards").iterdir() if path.is_file()}
    found = (
        stored_files(here)
        if here.startswith(ROOT)
        else {name: (tmp_path / "out/shards" / name).read_bytes() for name in expected}
    )
    assert {name: found[name] for name in expected} == expected
    facts = {name.rpartition("/")[2]: of for name, of in read_manifest(tmp_path / "out", "shards").files.items()}
    assert facts == {
        name.rpartition("/")[2]: of for name, of in read_manifest(tmp_path / "locally", "shards").files.items()
    }
