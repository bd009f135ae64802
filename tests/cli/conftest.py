"""What tests of several commands share."""

import sys

import pytest


@pytest.fixture
def call_command(monkeypatch, capsys):
    """Calls a command's module as its tool does; returns (exit code, output, errors)."""

    def call(command, *arguments):
        tool = command.__name__.rpartition(".")[2]
        monkeypatch.setattr(sys, "argv", [f"tools/{tool}.py", *map(str, arguments)])
        try:
            code = command.main() or 0
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return call
