"""Commands are named in the way in which the running program was started."""

import sys

import pytest

from igdet.utils.command_lines import as_started, command_line, program, this_command_line


@pytest.mark.parametrize(
    ("start", "other", "again"),
    [
        ("tools/curate.py", "python tools/train_net.py", "python tools/curate.py run 'a b'"),
        ("/clone/tools/curate.py", "python tools/train_net.py", "python /clone/tools/curate.py run 'a b'"),
        ("/lib/igdet/cli/curate.py", "python -m igdet.cli.train_net", "python -m igdet.cli.curate run 'a b'"),
        ("igdet curate", "igdet train_net", "igdet curate run 'a b'"),
    ],
)
def test_a_command_is_named_as_the_running_one_was(start, other, again, monkeypatch):
    monkeypatch.setattr(sys, "argv", [start, "run", "a b"])
    assert command_line("train_net") == other
    assert this_command_line() == again
    assert as_started("igdet is here:\n  igdet train_net X") == f"igdet is here:\n  {other} X"


@pytest.mark.parametrize(
    ("start", "given"), [("tools/curate.py", "tools/train_net.py"), ("igdet curate", "-m igdet.cli.train_net")]
)
def test_torchrun_is_given_a_file_in_a_clone_and_else_a_module(start, given, monkeypatch):
    monkeypatch.setattr(sys, "argv", [start])
    assert program("train_net") == given


def test_the_interpreter_is_named_as_one_types_it(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tools/benchmark.py", "run"])
    assert this_command_line(".venv/bin/python") == ".venv/bin/python tools/benchmark.py run"
