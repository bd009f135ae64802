"""From a name of weights, igdet://... or a hub's, to the file on this machine."""

from pathlib import Path

from igdet.checkpoint.download import fetch, find_weights
from igdet.checkpoint.hub import PREFIXES, fetch_from_hub, is_on_hub
from igdet.checkpoint.library_weights import fetch_from_library, is_of_library
from igdet.formats.catalog import LOCAL, PREFIX

NAMES = (PREFIX, *PREFIXES)  # how names begin that are no paths


def local_file(name: str) -> Path:
    """Return the file that a name stands for, as it was published or written.

    Args:
        name: igdet://<name of the catalog>, igdet://file/<path>, or as `fetch_from_hub` or
            `library_payload` takes it.

    Raises:
        WeightsError: there is no such name, or as `fetch`, `fetch_from_hub` and `library_payload`.
    """
    if is_of_library(name):
        return fetch_from_library(name)
    if is_on_hub(name):
        return fetch_from_hub(name)[1]
    return Path(name.removeprefix(LOCAL)).expanduser() if name.startswith(LOCAL) else fetch(find_weights(name))
