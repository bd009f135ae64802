"""Make the virtual environment that `make demo` and `make test` use; needs nothing but Python and a package index."""

import argparse
import subprocess
import sys
import time
import venv
from pathlib import Path

from pip_errors import diagnose, one_line_os_errors

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 10), (3, 13))  # first and last minor version for which the constraints file holds
CONSTRAINTS = ROOT / "constraints.txt"

EXTRAS = "curation,cluster,report,export,dev,docs"
BUILD_TOOLS = ("pip", "setuptools", "wheel")


@one_line_os_errors()
def main() -> None:
    """Check the Python version, then run the steps in order, stopping with one line at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the environment goes")
    parser.add_argument("--constraint", type=Path, default=CONSTRAINTS, help="pip's file of versions: %(default)s")
    arguments = parser.parse_args()
    folder = arguments.folder
    check_python(sys.version_info[:2])
    started = time.monotonic()
    print(f"Setting up igdet in {folder} (once; about 7 GB on disk).", flush=True)
    make_venv(folder)
    plan = steps(arguments.constraint)
    for number, (what, command) in enumerate(plan, start=1):
        print(f"[{number}/{len(plan)}] {what}", flush=True)
        run_step(what, [str(folder / "bin" / "python"), *command], folder / "setup.log")
    (folder / "ready").write_text("made by tools/setup_environment.py\n")
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


def steps(constraint: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is to be done, each with the command to give to the environment's Python.

    torch and torchvision are in one resolution, so that the pair fits.
    """
    held = ("--constraint", str(constraint.absolute()))
    install = ("-m", "pip", "install", *held)
    return [
        ("build tools", (*install, *BUILD_TOOLS)),
        ("torch and torchvision (the large one: minutes)", (*install, "torch", "torchvision")),
        ("Detectron2", (str(ROOT / "tools" / "install_detectron2.py"), *held)),
        ("igdet", (*install, "--no-build-isolation", "--editable", f"{ROOT}[{EXTRAS}]")),
    ]


def check_python(version: tuple) -> None:
    """Stop with one line where this Python's (major, minor) is not among the supported ones."""
    first, last = SUPPORTED
    if not first <= tuple(version) <= last:
        names = ["{}.{}".format(*pair) for pair in (version, first, last)]
        sys.exit(
            "igdet needs Python {1} to {2}, this is {0}: name another, as in `make setup PYTHON=python3.11`".format(
                *names
            )
        )


def make_venv(folder: Path) -> None:
    """Create the virtual environment, or stop with one line where this Python cannot."""
    try:
        venv.create(folder, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"Cannot make a virtual environment in {folder}: {error} (on Debian and Ubuntu: apt install python3-venv)"
        )


def run_step(what: str, command: list, log: Path) -> None:
    """Run one command with its errors kept in `log`; a failure ends the program with its meaning in one line."""
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{result.stderr}\n")
    if result.returncode:
        sys.exit(f"Setting up {what} failed: {diagnose(result.stderr)} (whole output: {log})")


if __name__ == "__main__":
    main()
