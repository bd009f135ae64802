"""The tests are run at setup.py's floors and at the newest versions, and their results are a table."""

import re
import subprocess
import sys

import check_environments
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from setup_environment import SUPPORTED

TESTS = """
import pytest
def test_passes(): pass
def test_fails(): assert False
@pytest.mark.skip
def test_is_skipped(): pass
@pytest.fixture
def broken(): raise ValueError
def test_has_an_error(broken): pass
"""


def test_the_lowest_versions_are_the_floors_of_setup_py(packaging):
    extras = (line for lines in packaging["extras_require"].values() for line in lines)
    asked = {
        requirement.name: requirement for requirement in map(Requirement, [*packaging["install_requires"], *extras])
    }
    floors = {name: str(requirement.specifier).removeprefix(">=") for name, requirement in asked.items()}
    assert dict(line.split("==") for line in check_environments.lowest().splitlines()) == floors


def test_setup_py_allows_just_the_supported_pythons(packaging):
    (major, first), (_, last) = SUPPORTED
    allowed = SpecifierSet(packaging["python_requires"])
    assert [f"{major}.{minor}" in allowed for minor in (first - 1, first, last, last + 1)] == [False, True, True, False]


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["tools/check_environments.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        check_environments.main()
    return stop.value.code


def test_results_are_counted(monkeypatch, capsys, tmp_path):
    (tmp_path / "test_few.py").write_text(TESTS)
    options = f"-p no:cacheprovider -p no:xdist {tmp_path}"
    assert call(monkeypatch, sys.executable, "--folder", tmp_path, "--pytest", options) == 1
    header, _, row = (line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[-3:])
    found = dict(zip(header, row, strict=True))
    assert [found[name] for name in ("environment", "passed", "failed", "skipped")] == [sys.executable, "1", "2", "1"]
    assert found["Python"] == ".".join(map(str, sys.version_info[:3]))


def test_each_environment_has_its_python_and_its_versions(monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    assert check_environments.set_up("lowest", tmp_path) == str(tmp_path / "lowest/bin/python")
    check_environments.set_up("newest", tmp_path)
    assert [command[0] for command in commands] == ["python3.10", "python3.13"]
    assert [command[2:] for command in commands] == [
        [str(tmp_path / name), "--constraint", str(tmp_path / f"{name}.txt")] for name in ("lowest", "newest")
    ]
    assert "torch==2.4\n" in (tmp_path / "lowest.txt").read_text()
    assert (tmp_path / "newest.txt").read_text() == ""


@pytest.mark.parametrize(
    ("python", "reason"), [("/no/such/python", "No such file"), ("false", "returned non-zero exit status 1")]
)
def test_a_python_without_the_packages_is_named_in_one_line(monkeypatch, tmp_path, python, reason):
    message = call(monkeypatch, python, "--folder", tmp_path)
    assert message.startswith(f"check_environments.py: {python} lacks packages: ")
    assert reason in message
    assert "\n" not in message


def test_no_test_needs_the_name_tools(repository):
    """Official Detectron2 installs a package of that name, which hides igdet's folder."""
    importing = re.compile(r"^\s*(?:from|import) tools\b", re.MULTILINE)
    assert not [path for path in (repository / "tests").rglob("*.py") if importing.search(path.read_text())]
