"""Folders that last as long as their block: what killed processes have left goes, what is in use stays."""

import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from igdet.utils.cache import locked
from igdet.utils.scratch import scratch_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_is_empty_and_is_gone_at_the_end():
    with scratch_folder("tests") as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").write_text("x")
    assert not folder.exists()
    with pytest.raises(KeyError), scratch_folder("tests") as folder:
        raise KeyError
    assert not folder.exists()


def test_what_a_killed_process_has_left_is_removed_and_what_is_in_use_is_not(tmp_path):
    with scratch_folder("tests") as first:
        base = first.parent.parent
        (base / "left/files").mkdir(parents=True)
        (base / "left/files/shard").write_text("x")
        with scratch_folder("tests") as second:
            assert first.exists() and second != first and not (base / "left").exists()
        with scratch_folder("others") as other:
            assert other.parent.parent != base
    with locked(base / "used"), scratch_folder("tests"):
        assert (base / "used").exists()


def test_several_at_a_time_do_not_disturb_each_other(tmp_path):
    def work(number):
        with scratch_folder("tests") as folder:
            (folder / "file").write_text(str(number))
            return (folder / "file").read_text()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(200))) == [str(number) for number in range(200)]
    assert [path.name for base in tmp_path.iterdir() for path in base.iterdir()] == [".lock"]
