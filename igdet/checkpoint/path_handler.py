"""Names of weights for Detectron2: its own checkpointer gets them as a file in its own format, converted once."""

import logging
import os
from pathlib import Path
from typing import IO, Any

from detectron2.utils.file_io import PathHandler, PathManager
from iopath.common.file_io import file_lock

from igdet.checkpoint.convert import convert_opened
from igdet.checkpoint.locating import NAMES, local_file
from igdet.checkpoint.weights_file import open_weights
from igdet.checkpoint.weights_index import is_index, shards_of
from igdet.formats.catalog import is_published
from igdet.formats.errors import WeightsError
from igdet.utils.cache import cache_folder
from igdet.utils.hashing import sha256

logger = logging.getLogger(__name__)


class CatalogHandler(PathHandler):
    """Lets Detectron2's PathManager read `igdet://` names and those of files on hubs."""

    def _get_supported_prefixes(self) -> list[str]:
        return list(NAMES)

    def _get_local_path(self, path: str, force: bool = False, **kwargs: Any) -> str:
        """What Detectron2's checkpointer loads: the zoo's own files as they are, all others in its format."""
        file = local_file(path)
        return str(file if is_published(path) and file.suffix == ".pkl" else for_detectron2(file))

    def _open(self, path: str, mode: str = "rb", buffering: int = -1, **kwargs: Any) -> IO:
        return local_file(path).open(mode)


def for_detectron2(path: Path) -> Path:
    """Convert a checkpoint to Detectron2's format, unless that was done since the file changed.

    Args:
        path: of any kind that igdet reads.

    Returns:
        The converted file, below the cache.

    Raises:
        WeightsError: it cannot be read, or the cache cannot be written.
    """
    digits = sha256(str(path.resolve()).encode())[:16]
    made = cache_folder() / "detectron2" / f"{digits}-{path.stem}.pkl"
    try:
        changed = max(part.stat().st_mtime_ns for part in [path, *(shards_of(path) if is_index(path) else ())])
        if not _is_of(made, changed):
            made.parent.mkdir(parents=True, exist_ok=True)
            with file_lock(str(made)):  # the processes of a run ask at the same time
                _convert(path, made, changed)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be converted to {made}: {error}. IGDET_CACHE names another folder"
        ) from error
    return made


def _convert(path: Path, made: Path, changed: int) -> None:
    if _is_of(made, changed):  # by another process, meanwhile
        return
    file = open_weights(str(path))
    logger.info(f"{convert_opened(file, made, 'detectron2')}. The weights expect {file.origin or 'unknown images'}")
    os.utime(made, ns=(changed, changed))


def _is_of(made: Path, changed: int) -> bool:
    return made.is_file() and made.stat().st_mtime_ns == changed


PathManager.register_handler(CatalogHandler())
