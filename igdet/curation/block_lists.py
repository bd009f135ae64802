"""Lists of hashtags that say nothing about a picture, and the labels that they spoil."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from igdet.utils.strict_yaml import ConfigError
from igdet.vocabulary import normalise_tag

DEFAULT = "default"  # names the list that igdet ships
_SHIPPED = Path(__file__).with_name("block_list.txt")


def read_block_lists(names: Iterable[str]) -> frozenset[str]:
    """Read the hashtags of block lists, as normal forms.

    Args:
        names: files of UTF-8 text, a hashtag a line, where lines that begin with "# " are comments; or "default".

    Raises:
        ConfigError: a file cannot be read.
    """
    blocked: set[str] = set()
    for name in names:
        path = _SHIPPED if name == DEFAULT else Path(name).expanduser()
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"BLOCK_LISTS: cannot read {path}: {error}") from error
        blocked.update(normalise_tag(line) for line in lines if not line.startswith("# "))
    return frozenset(blocked - {""})


def blocked_rows(labels: pa.Table, blocked: frozenset[str]) -> np.ndarray:
    """Find the labels of which any hashtag is blocked, bool (L,).

    One is enough: a functional hashtag is far more frequent than the nouns it was merged with, so most posts of the
    label carry it.
    """
    return np.array([not blocked.isdisjoint(tags) for tags in labels["tags"].to_pylist()], dtype=bool)
