"""Tests of the command that checks a data set."""

import subprocess
import sys

import pytest


@pytest.fixture
def run(repository, tmp_path):
    def run_command(*arguments):
        command = [sys.executable, repository / "tools/check_dataset.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    return run_command


def test_exit_status_and_report(run, colour_folders, tmp_path):
    sound = run(colour_folders, "--processes", "2")
    assert (sound.returncode, sound.stdout.splitlines()[2]) == (0, "Nothing is wrong.")
    assert "24/24" in sound.stderr
    broken = run("cub2011", "--root", tmp_path)
    assert broken.returncode == 1
    assert "to mend it" in broken.stdout
    unknown = run("cub201")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("DatasetError: 'cub201' is no target")


def test_only_torchvision_downloads(run):
    assert "a cub2011 cannot be downloaded" in run("cub2011", "--download").stderr
