"""A store in memory, whose next attempts can be made to fail."""

from collections.abc import Iterator
from contextlib import contextmanager

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from igdet.utils import object_stores


class Faults:
    """What happens to a store in memory.

    Attributes:
        errors: name of a method of its client -> what its next calls end with, in their order; None lets one pass.
        calls: name of each method that was called, and of the file.
        waited: seconds between attempts; they are not waited.
    """

    def __init__(self) -> None:
        self.errors: dict[str, list[Exception | None]] = {}
        self.calls: list[tuple[str, str]] = []
        self.waited: list[float] = []

    def watch(self, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        """Have a method fail as `errors` says."""
        real = getattr(MemoryFileSystem, method)

        def call(client, *args, **named):
            place = args[1] if method == "put_file" else args[0]
            self.calls.append((method, place.rpartition("/")[2]))
            errors = self.errors.get(method)
            if errors and (error := errors.pop(0)):
                raise error
            return real(client, *args, **named)

        monkeypatch.setattr(MemoryFileSystem, method, call)


@contextmanager
def memory_store() -> Iterator[Faults]:
    """Empty the store in memory, and watch it meanwhile."""
    found, files = Faults(), fsspec.filesystem("memory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(object_stores.time, "sleep", found.waited.append)
        for method in ("put_file", "ls", "info", "cat_file", "rm_file", "pipe_file"):
            found.watch(patch, method)
        files.store.clear()
        files.pseudo_dirs[:] = [""]
        yield found
        files.store.clear()
        files.pseudo_dirs[:] = [""]


def stored_files(root: str) -> dict[str, bytes]:
    """Return name -> content of the files below a folder of the store, such as "memory://bucket/posts"."""
    files, folder = fsspec.core.url_to_fs(root)
    return {path.removeprefix(f"{folder}/"): file.getvalue() for path, file in files.store.items() if folder in path}
