"""Keys of configs and suites that have another spelling today: the old one is taken, and a note logged."""

import logging
from pathlib import Path
from typing import Any

from igdet.utils.errors import UserError

logger = logging.getLogger(__name__)

# Old key -> what its last part is called today; both with the sections they stand in, from the top of the file.
RENAMED = {
    "INITIALISATIONS": "INITIALIZATIONS",  # of a suite
    "MODEL.CLASSIFIER.STANDARDISE": "STANDARDIZE",
    "PROBE.NEIGHBOURS": "NEIGHBORS",
    "SHARDS.PICTURES": "CLEANING",  # of a curation
}


def current_key(key: str, source: str | Path) -> str:
    """Return a key, such as PROBE.NEIGHBOURS, in today's spelling.

    Args:
        key: with its sections.
        source: where it is written, for the note.
    """
    old = next((old for old in RENAMED if key == old or key.startswith(f"{old}.")), None)
    if old is None:
        return key
    section, dot, _ = old.rpartition(".")
    current = f"{section}{dot}{RENAMED[old]}"
    logger.warning(f"{source}: {old} is called {current} now; the old name is still read")
    return current + key.removeprefix(old)


def rename_old_keys(content: dict, source: str | Path) -> None:
    """Give the keys of a file today's spelling, in place.

    Args:
        content: the mapping that the file holds.
        source: the file, for the note.

    Raises:
        UserError: a key is there in both spellings.
    """
    for key in RENAMED:
        *sections, old = key.split(".")
        section: Any = content
        for name in sections:
            section = section.get(name) if isinstance(section, dict) else None
        if not isinstance(section, dict) or old not in section:
            continue
        current = current_key(key, source)
        if RENAMED[key] in section:
            raise UserError(f"{source}: {key} and {current} are the same key; keep {current}")
        section[RENAMED[key]] = section.pop(old)
