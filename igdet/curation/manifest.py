"""Manifests: what a stage has made, of what, and with what, so that it is made once."""

import json
import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import igdet
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.hashing import hash_file
from igdet.utils.object_stores import is_remote
from igdet.utils.stored_folder import sizes_of
from igdet.utils.yaml import from_mapping

FOLDER = "manifests"  # in the output folder: one file a stage
LAYOUT = "5"  # of what stages write; raise it when that changes, so that everything is made again


class ManifestError(UserError):
    """A manifest that cannot be read."""


@dataclass(frozen=True)
class Manifest:
    """What a stage has made, the same in every run; written when all of it is on the disk.

    Attributes:
        stage: its name.
        fingerprint: a hash of all that the result depends on; see `fingerprint`.
        before: that of the stage whose result it builds on; "" for the first.
        settings: those of the stage.
        versions: of igdet, Python, the engine and the layout.
        rows_in: rows that it read.
        rows_out: rows that it wrote.
        counts: why there are more or less of them, and what else was left out: reason -> number.
        files: path, relative to the output folder, or address in a store -> {"bytes", "sha256"}.
        notes: what the stage has found out about its input, such as encodings.
    """

    stage: str
    fingerprint: str
    before: str
    settings: dict
    versions: dict[str, str]
    rows_in: int
    rows_out: int
    counts: dict[str, int]
    files: dict[str, dict]
    notes: list[str] = field(default_factory=list)

    def write(self, output: Path) -> None:
        """Write it into the output folder."""
        with atomic_write(manifest_path(output, self.stage), "w") as file:
            json.dump(asdict(self), file, indent=1, ensure_ascii=False)

    def setting(self, section: str, name: str) -> object:
        """Return one of the stage's settings.

        Raises:
            ManifestError: somebody has changed the file: it is not there.
        """
        try:
            return self.settings[section][name]
        except (LookupError, TypeError) as error:
            raise ManifestError(
                f"manifests/{self.stage}.json: its settings hold no {section}: {name}; remove it to do the stage again"
            ) from error

    def is_current(self, fingerprint: str, output: Path) -> bool:
        """Tell whether it is of the same inputs and settings, and its files are still there, with as many bytes."""
        if self.fingerprint != fingerprint:
            return False
        stored = sizes_of(filter(is_remote, self.files))
        sizes = {name: stored.get(name) if is_remote(name) else _size(output / name) for name in self.files}
        return all(sizes[name] == facts.get("bytes", -1) for name, facts in self.files.items())


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def manifest_path(output: Path, stage: str) -> Path:
    """Where a stage's manifest stands."""
    return output / FOLDER / f"{stage}.json"


def read_manifest(output: Path, stage: str) -> Manifest | None:
    """Read a stage's manifest, None when it has not finished, or has with another version of igdet.

    Raises:
        ManifestError: there is a file, but no manifest in it.
    """
    path = manifest_path(output, stage)
    try:
        if not path.is_file():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(saved, dict) and saved.keys() - {of.name for of in fields(Manifest)}:
            return None  # of another version of igdet, which wrote other files
        return from_mapping(Manifest, {key.upper(): value for key, value in saved.items()}, "it")
    except (OSError, AttributeError, ValueError, RecursionError) as error:
        raise ManifestError(
            f"{path}: no manifest of this version ({error}); remove it to do the stage again"
        ) from error


def content_hash(path: str | Path) -> str:
    """Hash the content of a file, SHA-256 in hexadecimal digits.

    Raises:
        ManifestError: it cannot be read.
    """
    try:
        return hash_file(Path(path).expanduser())
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from error


def file_facts(
    output: Path, paths: Iterable[Path], of_link: Callable[[Path], dict | None] = lambda path: None
) -> dict[str, dict]:
    """Return size and hash of the files that a stage has written.

    Args:
        output: the output folder.
        paths: files in it.
        of_link: what is known of a file already, None when that is nothing.
    """
    return {
        str(path.relative_to(output)): of_link(path) or {"bytes": path.stat().st_size, "sha256": content_hash(path)}
        for path in sorted(paths)
    }


def versions(engine: str) -> dict[str, str]:
    """Return the versions that a result was made with."""
    return {"igdet": igdet.__version__, "python": platform.python_version(), "daft": engine, "layout": LAYOUT}
