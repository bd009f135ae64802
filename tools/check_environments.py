"""Run the tests at the lowest and at the newest versions that setup.py allows; print a row of results for each."""

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from setup_environment import ROOT, SUPPORTED

FLOOR = re.compile(r'"([\w-]+)(?:\[\w+\])?>=([\w.]+)"')  # of one requirement in setup.py
COLUMNS = ("environment", "Python", "torch", "Detectron2", "passed", "failed", "skipped", "seconds")
VERSIONS = """
from importlib.metadata import version
from platform import python_version
print(python_version(), version("torch"), version("detectron2"))
"""


def lowest() -> str:
    """Return pip's constraints that hold everything at the lowest version that setup.py allows."""
    floors = FLOOR.findall((ROOT / "setup.py").read_text(encoding="utf-8"))
    return "".join(f"{name}=={version}\n" for name, version in sorted(set(floors)))


# The Python of each, and the constraints of its packages.
ENVIRONMENTS = {"lowest": (SUPPORTED[0], lowest), "newest": (SUPPORTED[1], str)}


def main() -> None:
    """Set up what is not there yet, run the tests, print the table; exit with status 1 where a test failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = ", ".join(ENVIRONMENTS)
    parser.add_argument(
        "names", nargs="*", default=[*ENVIRONMENTS], help=f"{known} (both by default), or a Python that has everything"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/environments", help="about 7 GB each: %(default)s")
    parser.add_argument("--pytest", type=shlex.split, default="-n 2", help="its arguments, as one: %(default)s")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in arguments.names:
        python = set_up(name, arguments.folder) if name in ENVIRONMENTS else name
        rows.append((name, *versions(python), *results(python, arguments.folder / "tests.xml", arguments.pytest)))
    for row in (COLUMNS, ["---"] * len(COLUMNS), *rows):
        print("|", " | ".join(map(str, row)), "|")
    sys.exit(any(row[COLUMNS.index("failed")] for row in rows))


def set_up(name: str, folder: Path) -> str:
    """Make an environment, or complete it; return its Python."""
    (major, minor), constraints = ENVIRONMENTS[name]
    file = folder / f"{name}.txt"
    file.write_text(constraints(), encoding="utf-8")
    setup = [str(ROOT / "tools/setup_environment.py"), str(folder / name), "--constraint", str(file)]
    run([f"python{major}.{minor}", *setup], f"the environment {name} was not set up")
    return str(folder / name / "bin/python")


def run(command: list[str], failure: str, **options) -> subprocess.CompletedProcess:
    """Run a command; end the program with one line where it cannot be run or fails."""
    try:
        return subprocess.run(command, text=True, check=True, **options)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"check_environments.py: {failure}: {error}")


def versions(python: str) -> list[str]:
    """Return the versions of an environment's Python, torch and Detectron2."""
    return run([python, "-c", VERSIONS], f"{python} lacks packages", stdout=subprocess.PIPE).stdout.split()


def results(python: str, file: Path, arguments: list[str]) -> list[int]:
    """Run the tests and return how many passed, failed and were skipped, and the seconds it took.

    Args:
        python: the environment's.
        file: where pytest writes its results.
        arguments: further ones of pytest.
    """
    file.unlink(missing_ok=True)
    subprocess.run([python, "-m", "pytest", f"--junitxml={file.absolute()}", *arguments], cwd=ROOT)
    if not file.exists():
        sys.exit(f"check_environments.py: {python} -m pytest wrote no results")
    (suite,) = ElementTree.parse(file).getroot()
    number = {key: int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")}
    failed = number["failures"] + number["errors"]
    passed = number["tests"] - failed - number["skipped"]
    return [passed, failed, number["skipped"], round(float(suite.get("time")))]


if __name__ == "__main__":
    main()
