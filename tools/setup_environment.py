"""Make the virtual environment that `make demo` and `make test` use; needs nothing but Python and a package index."""

import argparse
import subprocess
import sys
import time
import venv
from pathlib import Path

from pip_errors import diagnose, one_line_os_errors

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 10), (3, 12))  # first and last minor version for which the constraints file holds
CONSTRAINTS = ("--constraint", str(ROOT / "constraints.txt"))

EXTRAS = "curation,cluster,report,export,dev"
BUILD_TOOLS = ("pip", "setuptools", "wheel")

# (what, command after the environment's python); torch and torchvision in one resolution, so that the pair fits.
STEPS = (
    ("build tools", ("-m", "pip", "install", *CONSTRAINTS, *BUILD_TOOLS)),
    ("torch and torchvision (the large one: minutes)", ("-m", "pip", "install", *CONSTRAINTS, "torch", "torchvision")),
    ("Detectron2", (str(ROOT / "tools" / "install_detectron2.py"), *CONSTRAINTS)),
    ("igdet", ("-m", "pip", "install", *CONSTRAINTS, "--no-build-isolation", "--editable", f"{ROOT}[{EXTRAS}]")),
)


@one_line_os_errors()
def main() -> None:
    """Check the Python version, then run the steps in order, stopping with one line at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the environment goes")
    folder = parser.parse_args().folder
    check_python(sys.version_info[:2])
    started = time.monotonic()
    print(f"Setting up igdet in {folder} (once; about 7 GB on disk).", flush=True)
    make_venv(folder)
    for number, (what, command) in enumerate(STEPS, start=1):
        print(f"[{number}/{len(STEPS)}] {what}", flush=True)
        run_step(what, [str(folder / "bin" / "python"), *command], folder / "setup.log")
    (folder / "ready").write_text("made by tools/setup_environment.py\n")
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


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
