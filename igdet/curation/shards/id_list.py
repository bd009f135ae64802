"""Opaque ids, and lists of posts that must not be in any shard, such as those whose authors opted out."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from igdet.utils.hashing import sha256
from igdet.utils.yaml import ConfigError

_KEY_LENGTH = 32  # hexadecimal digits, 128 bits: two of 3.5 billion posts share a key with a probability of 2e-20
_HASH = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{64}")  # a key of a shard; a SHA-256
_COLUMNS = ("id", "sha256")


def opaque_key(post_id: str, salt: bytes) -> str:
    """Turn the id of a post into one that does not show it: the first half of HMAC-SHA256, keyed with the salt.

    Without a salt, who knows an id can find the post's key; with one, only who also knows the salt.

    Args:
        post_id: any text.
        salt: a secret; b"" for none.

    Returns:
        32 hexadecimal digits.
    """
    return hmac.new(salt, post_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_KEY_LENGTH]


class IdList:
    """Posts, named by id, by SHA-256 of the id, by key in a shard, or by SHA-256 of the image file.

    Args:
        entries: any of these.
    """

    def __init__(self, entries: Iterable[str] = ()):
        self._entries = frozenset(form for entry in entries if entry.strip() for form in _forms(entry))

    @classmethod
    def read(cls, path: str | PathLike) -> "IdList":
        """Read a list.

        Args:
            path: a .csv or .parquet table with a column "id", "sha256" or both, or a .txt file with an entry a line.

        Raises:
            ConfigError: the list cannot be read: nobody is put into a shard because a list was broken.
        """
        path = Path(path).expanduser()
        read = _READERS.get(path.suffix.lower())
        if not read:
            raise ConfigError(f"{path}: a list of posts is a file {', '.join(_READERS)}")
        try:
            return cls(read(path))
        except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
            raise ConfigError(f"{path}: the list of posts cannot be read: {error}") from error

    def has_post(self, post_id: str, key: str) -> bool:
        """Tell whether a post is listed by its id or key."""
        return not self._entries.isdisjoint((post_id, key, sha256(post_id.encode("utf-8", "surrogatepass"))))

    def has_image(self, *hashes: str) -> bool:
        """Tell whether an image is listed by one of its SHA-256 hashes, in lower-case hexadecimal digits."""
        return not self._entries.isdisjoint(hashes)


def _forms(entry: str) -> tuple[str, ...]:
    """Return an entry as it stands, without white space, and as a hash."""
    bare = entry.strip()
    return entry, bare, bare.lower() if _HASH.fullmatch(bare) else bare


def _read_text(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def _read_csv(path: Path) -> list[str]:
    as_text = dict.fromkeys(_COLUMNS, pa.string())  # ids such as 007 are no numbers
    return _entries(path, pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=as_text)))


def _read_parquet(path: Path) -> list[str]:
    return _entries(path, pa.parquet.read_table(path))


def _entries(path: Path, table: pa.Table) -> list[str]:
    columns = [name for name in _COLUMNS if name in table.column_names]
    if not columns:
        raise ConfigError(f"{path}: expected a column id or sha256, found {', '.join(table.column_names)}")
    return [entry for name in columns for entry in table[name].cast(pa.string()).drop_null().to_pylist()]


_READERS = {".txt": _read_text, ".csv": _read_csv, ".parquet": _read_parquet}
