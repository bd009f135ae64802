"""Getting published weights: once, verified, then from the cache; a path handler for `igdet://` names."""

import logging
from pathlib import Path
from typing import IO, Any

import torch
from detectron2.utils.file_io import PathHandler, PathManager
from iopath.common.file_io import file_lock

from igdet.checkpoint.catalog import PREFIX, WEIGHTS, Weights
from igdet.checkpoint.errors import WeightsError
from igdet.utils.cache import cache_folder
from igdet.utils.spelling import did_you_mean

logger = logging.getLogger(__name__)


def find_weights(path: str) -> Weights:
    """Look a name of the catalog up.

    Args:
        path: such as "igdet://ig_resnext101_32x8d".

    Raises:
        WeightsError: there is no such name.
    """
    name = path.removeprefix(PREFIX)
    if name not in WEIGHTS:
        hint = did_you_mean(path, [PREFIX + known for known in WEIGHTS]) or f"; there are {', '.join(WEIGHTS)}"
        raise WeightsError(f"MODEL.WEIGHTS {path}: no such published weights{hint}")
    return WEIGHTS[name]


def fetch(weights: Weights) -> Path:
    """Give the local file of published weights; the first call downloads it and checks its hash.

    Args:
        weights: an entry of the catalog.

    Returns:
        the file in the cache.

    Raises:
        WeightsError: it could not be downloaded whole; nothing is left in the cache.
    """
    path = cache_folder() / weights.file_name
    with file_lock(str(path)):  # the processes of a run ask at the same time
        if not path.is_file():
            _download(weights, path)
    return path


def _download(weights: Weights, path: Path) -> None:
    logger.info(f"Downloading {weights.url} to {path} (licence of the weights: {weights.publication.licence})")
    try:
        torch.hub.download_url_to_file(weights.url, str(path), hash_prefix=weights.sha256)
    except (OSError, RuntimeError) as error:  # network and disk; the hash
        raise WeightsError(
            f"cannot download {weights.url} to {path}: {error}. Check network and disk and try again, or download the "
            f"file elsewhere and put it there"
        ) from error


class CatalogHandler(PathHandler):
    """Lets Detectron2's PathManager read `igdet://` names."""

    def _get_supported_prefixes(self) -> list[str]:
        return [PREFIX]

    def _get_local_path(self, path: str, force: bool = False, **kwargs: Any) -> str:
        return str(fetch(find_weights(path)))

    def _open(self, path: str, mode: str = "rb", buffering: int = -1, **kwargs: Any) -> IO:
        return Path(self._get_local_path(path)).open(mode)


PathManager.register_handler(CatalogHandler())
