"""Set-up fails with one clear line, whatever goes wrong."""

import sys
from pathlib import Path

import pytest
import setup_environment


@pytest.mark.parametrize("version", [(3, 9), (3, 13), (2, 7)])
def test_wrong_python_is_named_with_what_is_supported(version):
    with pytest.raises(SystemExit, match=rf"needs Python 3.10 to 3.12, this is {version[0]}\.{version[1]}"):
        setup_environment.check_python(version)


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12)])
def test_supported_pythons_pass(version):
    assert setup_environment.check_python(version) is None


def test_a_failed_step_ends_with_one_line_and_keeps_the_log(tmp_path):
    log = tmp_path / "setup.log"
    command = [sys.executable, "-c", "import sys; sys.exit('connect: NewConnectionError')"]
    with pytest.raises(SystemExit, match="Setting up torch failed: the package index cannot be reached"):
        setup_environment.run_step("torch", command, log)
    assert "NewConnectionError" in log.read_text()


def test_every_step_is_held_to_the_constraints():
    assert all("--constraint" in command for _, command in setup_environment.STEPS)
    assert Path(setup_environment.CONSTRAINTS[1]).is_file()
