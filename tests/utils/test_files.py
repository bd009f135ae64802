"""Atomic writing: all or nothing, and nothing left behind; reading of what a crash has cut short."""

import subprocess
import sys

import pytest

from igdet.utils.files import atomic_write, read_json_lines, remove_unfinished

KILLED = """
import os, signal, sys
from igdet.utils.files import atomic_write
with atomic_write(sys.argv[1]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_whole_content_arrives(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with atomic_write(path, "w") as file:
        file.write("Zürich")
        assert not path.exists()  # not before the block has ended
    assert path.read_text(encoding="utf-8") == "Zürich"


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="disk full"), atomic_write(path) as file:
        file.write(b"half of the n")
        raise OSError("disk full")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_leaves_is_found_and_removed(tmp_path):
    others = [tmp_path / "below/.hidden", tmp_path / "below/file.unfinished"]
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "below/file.bin")])
    for path in others:
        path.touch()
    assert len(list(others[0].parent.iterdir())) == 3
    remove_unfinished(tmp_path)
    assert sorted(others[0].parent.iterdir()) == others
    remove_unfinished(tmp_path / "absent")


def test_others_may_read_the_file(tmp_path):
    with atomic_write(tmp_path / "file.bin") as file:
        file.write(b"x")
    (tmp_path / "plain").write_bytes(b"x")
    assert (tmp_path / "file.bin").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_lines_cut_short_are_left_out(tmp_path):
    (tmp_path / "metrics.json").write_text('{"a": 1}\n{"a"\n{"a": 3}\n')
    assert read_json_lines(tmp_path / "metrics.json") == [{"a": 1}, {"a": 3}]
    assert read_json_lines(tmp_path / "absent.json") == []
