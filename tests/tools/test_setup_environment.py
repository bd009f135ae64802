"""Set-up fails with one clear line, whatever goes wrong."""

import os
import shutil
import subprocess
import sys

import pytest
import setup_environment
from packaging.requirements import Requirement


@pytest.mark.parametrize("version", [(3, 9), (3, 14), (2, 7)])
def test_wrong_python_is_named_with_what_is_supported(version):
    with pytest.raises(SystemExit, match=rf"needs Python 3.10 to 3.13, this is {version[0]}\.{version[1]}"):
        setup_environment.check_python(version)


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12), (3, 13)])
def test_supported_pythons_pass(version):
    assert setup_environment.check_python(version) is None


def test_a_failed_step_ends_with_one_line_and_keeps_the_log(tmp_path):
    log = tmp_path / "setup.log"
    command = [sys.executable, "-c", "import sys; sys.exit('connect: NewConnectionError')"]
    with pytest.raises(SystemExit, match="Setting up torch failed: the package index cannot be reached"):
        setup_environment.run_step("torch", command, log)
    assert "NewConnectionError" in log.read_text()


@pytest.fixture
def checkout(repository, tmp_path):
    """The Makefile with empty stand-ins for the files that decide what is installed, set up already."""
    shutil.copy(repository / "Makefile", tmp_path)
    (rule,) = [line for line in (tmp_path / "Makefile").read_text().splitlines() if line.startswith("$(READY):")]
    names = rule.partition(":")[2].replace("$(BINDINGS)", "igdet/data/images/_jpeg.c igdet/data/images/_excerpt.h")
    for name in names.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/ready").touch()
    return tmp_path


def planned(checkout, target):
    """The commands that make would run, had it not been started by another make."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", target]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True).stdout


def test_what_is_set_up_is_not_set_up_again(checkout):
    assert "setup_environment.py" not in planned(checkout, "demo") + planned(checkout, "test")


@pytest.mark.parametrize(
    "changed",
    [
        "setup.py",
        "igdet/data/images/_jpeg.c",
        "igdet/data/images/_excerpt.h",
        "constraints.txt",
        "tools/detectron2_rewrites.py",
    ],
)
def test_a_changed_file_sets_up_again(checkout, changed):
    later = (checkout / ".venv/ready").stat().st_mtime + 1
    os.utime(checkout / changed, (later, later))
    for target in ("demo", "test"):
        first = planned(checkout, target).splitlines()[0]
        assert first.endswith("tools/setup_environment.py .venv")


def applicable(lines, python):
    """The requirements of these lines that hold for a Python."""
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    return [r for r in requirements if r.marker is None or r.marker.evaluate({"python_version": python})]


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_whatever_is_asked_for_is_pinned(python, repository, packaging):
    extras = (line for lines in packaging["extras_require"].values() for line in lines)
    asked = [*packaging["install_requires"], *extras]
    pins = {pin.name: pin for pin in applicable((repository / "constraints.txt").read_text().splitlines(), python)}
    for requirement in applicable(asked, python):
        (pin,) = pins[requirement.name].specifier
        assert pin.operator == "==" and pin.version in requirement.specifier, requirement


def test_every_step_is_held_to_the_constraints(tmp_path):
    for constraint in (setup_environment.CONSTRAINTS, tmp_path / "lowest.txt"):
        for _, command in setup_environment.steps(constraint):
            assert command[command.index("--constraint") + 1] == str(constraint)
    assert setup_environment.CONSTRAINTS.is_file()
