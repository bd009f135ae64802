"""How a command ends on an error: one line, its status, no traceback."""

import errno
import os
import pickle
import sys
from pathlib import Path

import pytest

from igdet.curation.images import ImageError
from igdet.formats.errors import RecordError
from igdet.utils.errors import UserError, one_line_errors
from igdet.utils.files import atomic_write


def ended(capsys, error: BaseException) -> tuple[int, str]:
    """The status and the standard error of a command that raises an error."""

    @one_line_errors(FloatingPointError)
    def main():
        raise error

    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("a.csv: no such column"), "UserError: a.csv: no such column\n"),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "a\nb"),
            "FileNotFoundError: [Errno 2] No such file: 'a\\nb'\n",
        ),
        (UserError("\x1b[31m\u202e"), "UserError: \\x1b[31m\\u202e\n"),
        (FloatingPointError("diverged"), "FloatingPointError: diverged\n"),
    ],
)
def test_what_its_user_can_mend_is_one_line(capsys, error, line):
    assert ended(capsys, error) == (2, line)


def test_other_errors_are_faults_of_igdet_and_keep_their_traceback():
    with pytest.raises(KeyError), one_line_errors():
        raise KeyError("x")


def test_an_error_that_names_no_file_says_what_was_done(capsys, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemExit), one_line_errors(), atomic_write(tmp_path / "out.csv", "w") as file:
        file.write("x")
    line = "OSError: [Errno 28] No space left on device (in igdet.utils.files.atomic_write)\n"
    assert capsys.readouterr().err == line
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_a_loaders_process_comes_without_its_traceback(capsys):
    message = (
        "Caught UserError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
        '  File "a.py", line 1, in b\n    c()\nigdet.formats.errors.UserError: x.jpg: is empty\n'
    )
    assert ended(capsys, UserError(message)) == (2, "igdet.formats.errors.UserError: x.jpg: is empty\n")


def test_a_path_without_end_is_cut(capsys):
    with pytest.raises(SystemExit), one_line_errors():
        Path("x" * 100_000).stat()
    error = capsys.readouterr().err
    assert error.startswith("OSError: [Errno 36] File name too long: 'xxx") and len(error) < 500
    with pytest.raises(SystemExit), one_line_errors():
        raise UserError("y" * 100_000)
    assert 10_000 < len(capsys.readouterr().err) < 10_100


def test_ctrl_c_ends_without_a_traceback(capsys):
    assert ended(capsys, KeyboardInterrupt()) == (130, "\nstopped\n")


@pytest.mark.parametrize("text", ["x", "x" * 100_000])
def test_a_reader_that_has_gone_ends_the_command_in_silence(capsys, monkeypatch, text):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as end, one_line_errors():
            print(text)
    assert (end.value.code, capsys.readouterr().err) == (141, "")


def test_a_pipe_that_breaks_elsewhere_is_an_error(capsys):
    assert ended(capsys, BrokenPipeError(errno.EPIPE, "Broken pipe"))[0] == 2


@pytest.mark.parametrize("error", [UserError("a"), RecordError("a.jpg", "is empty"), ImageError("missing", "a.jpg")])
def test_errors_come_whole_from_other_processes(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
