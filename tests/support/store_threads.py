"""What fetches from stores in the background ends with its test."""

import threading

from igdet.utils.object_stores import THREADS


def wait_for_threads() -> None:
    """Wait for all that are under way."""
    for thread in threading.enumerate():
        if thread.name == THREADS:
            thread.join()
