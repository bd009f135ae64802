"""The package without its source tree: every command starts, and a suite checks and trains a config of the user's."""

import json
import os
import subprocess
import sys

import pytest
import yaml

# Imports every command in one process, and shows where the package comes from.
ALL_COMMANDS = """
import contextlib, os, sys
import igdet
from igdet.cli import __main__ as command_line
os._exit = sys.exit  # of curate, which does not wait for its engine
for name in command_line.COMMANDS:
    sys.argv = ["igdet", name, "--help"]
    with contextlib.suppress(SystemExit):
        command_line.main()
sys.argv = ["igdet", "copy_configs"]
command_line.main()
print("from", igdet.__file__)
"""


@pytest.fixture(scope="module")
def installed(repository, tmp_path_factory):
    """A folder with the package as it is installed, and no other file of the source tree."""
    folder = tmp_path_factory.mktemp("site-packages")
    command = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", folder]
    subprocess.run(command, cwd=repository, check=True, capture_output=True)
    return folder


@pytest.fixture
def call(installed, tmp_path):
    """Runs Python in a folder of the user's, with the installed package; returns what it prints."""

    def call(*arguments, status=0):
        environment = os.environ | {"PYTHONPATH": str(installed)}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


def write_suite(folder, **opts):
    target = {"TITLE": "T", "CONFIG": "mine.yaml", "METRICS": {"classification/top1": "Top-1"}}
    suite = {"TITLE": "A test", "OUTPUT_DIR": "out", "OPTS": opts}
    suite |= {"INITIALISATIONS": {"scratch": {"TITLE": "S"}}, "TARGETS": {"t": target}}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))


def test_it_works_from_any_folder(call, installed, repository, colour_config, tmp_path):
    printed = call("-c", ALL_COMMANDS)
    assert f"from {installed}" in printed
    assert all(f"usage: igdet {name} " in printed for name in ("train_net", "benchmark", "submit", "weights"))

    mine = colour_config.read_text().replace(f"{repository}/configs/", "configs/")
    (tmp_path / "mine.yaml").write_text(mine)
    write_suite(tmp_path, **{"SOLVER.BASE_RL": 1})
    # Checked, by the installed checker, before anything is started.
    printed = call("-m", "igdet.cli.benchmark", "run", "suite.yaml", status=2)
    assert "nothing is started:" in printed and "unknown key 'SOLVER.BASE_RL'" in printed
    assert not (tmp_path / "out/seed0").exists()

    write_suite(tmp_path)
    printed = call("-m", "igdet.cli.benchmark", "run", "suite.yaml")
    assert "python -m igdet.cli.benchmark run suite.yaml --seeds 3" in printed
    run = tmp_path / "out/seed0/t/scratch"
    assert json.loads((run / "results.json").read_text())["images_seen"] == 24
    assert json.loads((run / "cell.json").read_text())["command"].startswith("python -m igdet.cli.train_net ")
    assert "python -m igdet.cli.train_net --config-file" in (run / "output.txt").read_text()
