"""Commands are named in the way in which the running program was started."""

import sys

import pytest

from igdet.utils.command_lines import command_line, this_command_line


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


def test_the_interpreter_is_named_as_one_types_it(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tools/benchmark.py", "run"])
    assert this_command_line(".venv/bin/python") == ".venv/bin/python tools/benchmark.py run"
