"""Tests of the command that checks a data set."""

import sys

import pytest

from igdet.cli import check_dataset


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process: its status, what it printed, and what went to stderr."""

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["check_dataset.py", *map(str, arguments)])
        try:
            status = check_dataset.main()
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run_command


def test_a_sound_set(run, colour_folders):
    status, out, err = run(colour_folders, "--processes", 2, "--decode")
    assert (status, out.splitlines()[2]) == (0, "Nothing is wrong.")
    assert "24/24" in err  # the bar


def test_a_set_that_is_not_there(run, tmp_path):
    status, out, _ = run("cub2011", "--root", tmp_path)
    assert status == 1
    assert "to fix it" in out


def test_what_is_no_set(run):
    status, out, err = run("cub201")
    assert (status, out) == (2, "")
    assert err.startswith("DatasetError: 'cub201' is no target")


def test_only_torchvision_downloads(run):
    assert "a cub2011 cannot be downloaded" in run("cub2011", "--download")[2]
