"""Install a pure-Python Detectron2 0.6 where there is none: released sources, verified, patched by a table, packed."""

import argparse
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from detectron2_rewrites import PURE, REWRITES, SETUP, VERSION
from pip_errors import diagnose, one_line_os_errors

SOURCES = "pb1-detectron2==0.6"  # Detectron2's 0.6 sources under the name that the package index carries
DOWNLOADER = "pip==25.3"  # the last one that takes sources whose optional extras name a URL, as these do
SHA256 = "5d2e9e51e523ec72f6a31cca04b0a515492e9514b773a3d134cedc0677170b29"


class InstallError(Exception):
    """What stopped the installation, in one line."""


@one_line_os_errors()
def main() -> None:
    """Do nothing where an up-to-date Detectron2 is there, else download, verify, patch, pack, install and try it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--constraint", type=Path, help="pip's constraints file for what Detectron2 needs")
    parser.add_argument("--wheel-dir", type=Path, help="keep the wheel in this folder")
    arguments = parser.parse_args()
    if is_installed("detectron2") and not is_outdated(version_of("detectron2")):
        print("Detectron2 is installed already: nothing to do.")
        return
    try:
        install(arguments.constraint, arguments.wheel_dir)
    except InstallError as error:
        sys.exit(f"install_detectron2.py: {error}")


def install(constraint: Path | None, wheel_dir: Path | None) -> None:
    """Build the wheel and install it into this Python's environment.

    Args:
        constraint: pip's constraints file, or None.
        wheel_dir: where the wheel is kept, or None.

    Raises:
        InstallError: with one line that says why.
    """
    missing = [name for name in ("torch", "setuptools", "wheel") if not is_installed(name)]
    if missing:
        raise InstallError(
            f"{', '.join(missing)} must be installed first: pip install torch torchvision setuptools wheel"
        )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        sources = unpack(verify(download(work / "download")), work / "sources")
        rewrite(sources)
        wheel = pack(sources, wheel_dir or work / "wheel")
        constraints = ["--constraint", str(constraint)] if constraint else []
        run_pip("install", *constraints, str(wheel))
    # In a process of its own: this one looked for Detectron2 before it was there.
    run([sys.executable, "-c", "import detectron2.engine, detectron2.evaluation, detectron2.model_zoo"], "import it")
    print("Detectron2 0.6 (pure Python) is installed.")


def is_installed(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


def version_of(package: str) -> str:
    """The installed version; empty for a source tree on the path, which has none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def is_outdated(version: str) -> bool:
    """Whether an installed Detectron2 is a build of this program's, made from another table of rewrites."""
    return version.startswith(PURE) and version != VERSION


def download(folder: Path) -> Path:
    """Let pip get the sources, from the index that it is set up for.

    pip runs the sources' setup.py to read their metadata; the hash in the requirement makes it verify them before that.
    """
    folder.mkdir()
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{SOURCES} --hash=sha256:{SHA256}\n")
    run_pip("install", "--quiet", "--target", str(folder / "pip"), DOWNLOADER)
    run_pip(
        *("download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation"),
        *("--require-hashes", "--requirement", str(requirement), "--dest", str(folder)),
        module_folder=folder / "pip",
    )
    (archive,) = folder.glob("*.tar.gz")
    return archive


def verify(archive: Path) -> Path:
    """Return the archive if it is the one this program was written for.

    Raises:
        InstallError: naming both hashes.
    """
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise InstallError(
            f"{archive.name} has the SHA-256 {found}, expected {SHA256}: do not use it, check your index"
        )
    return archive


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a verified source archive and give its top folder."""
    shutil.unpack_archive(archive, folder)  # its hash vouches for the paths in it
    (top,) = folder.iterdir()
    return top


def rewrite(sources: Path, rewrites: tuple = REWRITES) -> None:
    """Patch the sources in place.

    Raises:
        InstallError: a pattern is not found as often as it should be.
    """
    for file, pattern, replacement, count, why in rewrites:
        path = sources / file
        text, found = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if found != count:
            raise InstallError(f"{file}: {pattern!r} occurs {found} times, expected {count} ({why})")
        path.write_text(text, encoding="utf-8")
    (sources / "setup.py").write_text(SETUP.replace("{version}", VERSION), encoding="utf-8")


def pack(sources: Path, folder: Path) -> Path:
    """Build the wheel and give its path."""
    options = ("--no-deps", "--no-build-isolation", "--quiet")
    run_pip("wheel", *options, "--wheel-dir", str(folder), str(sources))
    (wheel,) = folder.glob("detectron2-*.whl")
    return wheel


def run_pip(*arguments: str, module_folder: Path | None = None) -> None:
    """Run pip for this environment, its progress visible.

    Args:
        arguments: pip's.
        module_folder: where the pip to run is; None for the environment's own.

    Raises:
        InstallError: with the meaning of pip's output.
    """
    path = {"PYTHONPATH": str(module_folder)} if module_folder else {}
    run([sys.executable, "-m", "pip", *arguments], f"pip {arguments[0]} failed", os.environ | path)


def run(command: list[str], what: str, environment: Mapping[str, str] = os.environ) -> None:
    """Run a command.

    Raises:
        InstallError: it failed.
    """
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=environment)
    if result.returncode:
        raise InstallError(f"{what}: {diagnose(result.stderr)}")


if __name__ == "__main__":
    main()
