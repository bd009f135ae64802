"""Prepared files: made once, remade when outdated, never half there."""

import multiprocessing
import os
from pathlib import Path

import pytest
import torch

from igdet.utils.cache import CacheError, cache_folder, made_once, torch_hub_file


def write_number(folder):
    (folder / "number.txt").write_text(str(os.getpid()))


def test_files_are_made_once_for_a_fingerprint(tmp_path):
    makes = []

    def make(folder):
        makes.append(folder)
        write_number(folder)

    first = made_once(tmp_path / "new/item", "1", make)
    assert made_once(tmp_path / "new/item", "1", make) == first
    assert (first / "number.txt").read_text() == str(os.getpid())
    made_once(tmp_path / "new/item", "2", make)
    assert len(makes) == 2


def test_what_was_not_finished_is_made_again(tmp_path):
    def fail(folder):
        write_number(folder)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        made_once(tmp_path, "1", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    (tmp_path / "making").mkdir()  # as a process that is killed leaves it
    (tmp_path / "making/rest.txt").touch()
    assert {path.name for path in made_once(tmp_path, "1", write_number).iterdir()} == {"number.txt", "fingerprint.txt"}


def _ask(folder, barrier, answers):
    barrier.wait()
    answers.put((made_once(folder, "1", write_number) / "number.txt").read_text())


def test_processes_that_ask_together_get_the_same_files(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_ask, args=(tmp_path, barrier, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    found = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(found) == 1


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path):
    def fill(folder):
        write_number(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(CacheError, match=r"No space left on device; set IGDET_CACHE to a folder"):
        made_once(tmp_path, "1", fill)
    assert not (tmp_path / "making").exists()


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("IGDET_CACHE")
    assert cache_folder().parts[-2:] == (".cache", "igdet")


@pytest.mark.parametrize("variable", ["TORCH_HOME", "XDG_CACHE_HOME", None])
def test_pytorchs_cache_is_where_pytorch_has_it(variable, tmp_path, monkeypatch):
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME" if variable is None else variable, str(tmp_path))
    file = Path(torch.hub.get_dir(), "checkpoints", "net-0123abcd.pth")
    assert torch_hub_file("https://somewhere/net-0123abcd.pth") is None
    file.parent.mkdir(parents=True)
    file.touch()
    assert torch_hub_file("https://somewhere/net-0123abcd.pth") == file
