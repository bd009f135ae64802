"""Atomic writing: all or nothing, and nothing left behind; reading of what a crash has cut short."""

import json
import os
import subprocess
import sys

import pytest
from python_process import WITHOUT_DETECTRON2

from igdet.utils.errors import UserError
from igdet.utils.files import (
    atomic_folder,
    atomic_write,
    atomic_write_together,
    read_json,
    read_json_lines,
    remove_unfinished,
)

KILLED = f"""{WITHOUT_DETECTRON2}
import os, signal, sys
from igdet.utils.files import atomic_write, atomic_write_together
with atomic_write(sys.argv[1]), atomic_write_together(sys.argv[1]) as folder:
    with atomic_write(folder / "within"):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_whole_content_arrives(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with atomic_write(path, "w") as file:
        file.write("Zürich")
        assert not path.exists()  # not before the block has ended
    assert path.read_text(encoding="utf-8") == "Zürich"


def test_a_file_name_that_is_no_utf_8_comes_back_from_json(tmp_path):
    name = os.fsdecode(b"caf\xe9.csv")
    with atomic_write(tmp_path / "skipped.json", "w") as file:
        json.dump({"file": name, "why": "schön"}, file, ensure_ascii=False)
    assert "schön" in (tmp_path / "skipped.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "skipped.json", "a mapping")["file"] == name


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
    assert len(list(others[0].parent.iterdir())) == 4
    assert remove_unfinished(tmp_path) == ["below/file.bin", "below/file.bin"]  # a file, and a folder of several
    assert sorted(others[0].parent.iterdir()) == others
    assert remove_unfinished(tmp_path / "absent") == []


def test_others_may_read_the_file(tmp_path):
    with atomic_write(tmp_path / "file.bin") as file:
        file.write(b"x")
    (tmp_path / "plain").write_bytes(b"x")
    assert (tmp_path / "file.bin").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_files_that_belong_together_arrive_together(tmp_path):
    path = tmp_path / "new" / "b.txt"
    with atomic_write_together(path) as folder:
        for name in "abc":
            (folder / f"{name}.txt").write_text(name)
            (folder / f"{name}.txt").chmod(0o600)
        assert list(path.parent.iterdir()) == [folder]
    (tmp_path / "plain").touch()
    assert [file.read_text() for file in sorted(path.parent.iterdir())] == ["a", "b", "c"]
    assert {file.stat().st_mode for file in path.parent.iterdir()} == {(tmp_path / "plain").stat().st_mode}


def test_of_files_that_belong_together_the_one_that_names_the_others_comes_last(tmp_path):
    (tmp_path / "c.txt").mkdir()  # in the way of a file
    with pytest.raises(IsADirectoryError), atomic_write_together(tmp_path / "b.txt") as folder:
        for name in "bc":
            (folder / f"{name}.txt").write_text(name)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "c.txt"]


def test_a_failure_keeps_all_files_that_belong_together(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(OSError, match="disk full"), atomic_write_together(tmp_path / "b.txt") as folder:
        (folder / "a.txt").write_text("new")
        raise OSError("disk full")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_folder_arrives_whole(tmp_path):
    with atomic_folder(tmp_path / "part") as folder:
        (folder / "below").mkdir()
        (folder / "below/a.txt").write_text("a")
        assert list(tmp_path.iterdir()) == [folder]
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "part/below/a.txt").read_text() == "a"
    assert (tmp_path / "part").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_of_two_writers_of_a_folder_the_first_to_end_stays(tmp_path):
    with atomic_folder(tmp_path / "part") as slow:
        with atomic_folder(tmp_path / "part") as quick:
            (quick / "a.txt").write_text("quick")
        (slow / "a.txt").write_text("slow")
    assert list(tmp_path.iterdir()) == [tmp_path / "part"]
    assert (tmp_path / "part/a.txt").read_text() == "quick"


def test_of_a_failed_folder_nothing_stays(tmp_path):
    with pytest.raises(OSError, match="disk full"), atomic_folder(tmp_path / "part") as folder:
        (folder / "a.txt").touch()
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []


def test_json_lines_cut_short_are_left_out(tmp_path):
    (tmp_path / "metrics.json").write_text('{"a": 1}\n{"a"\n{"a": 3}\n')
    assert read_json_lines(tmp_path / "metrics.json") == [{"a": 1}, {"a": 3}]
    assert read_json_lines(tmp_path / "absent.json") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_of_other_editors_is_read(tmp_path, encoding):
    (tmp_path / "a.json").write_bytes('{"name": "Zürich"}'.encode(encoding))
    assert read_json(tmp_path / "a.json", "a name") == {"name": "Zürich"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cannot be read as JSON"),
        (b'{"a": 1', "cannot be read as JSON"),
        (b'{"a": "\xff"}', "cannot be read as JSON"),
        (b"[" * 10**5, "cannot be read as JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read as JSON"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' is written twice"),
        (b"[1]", "holds a list"),
        (b"null", "holds a NoneType"),
    ],
)
def test_json_that_is_something_else_is_named_in_one_short_line(tmp_path, content, why):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.json: .*{why}.*; expected a name") as caught:
        read_json(tmp_path / "a.json", "a name")
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)


def test_json_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.json: there is no such file; expected a name"):
        read_json(tmp_path / "a.json", "a name")
