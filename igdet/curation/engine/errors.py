"""What the engine cannot do, in one line; a full disk stays the operating system's own error."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from daft.exceptions import DaftCoreException

from igdet.utils.errors import UserError

NO_MATCH = "Need at least 1 MicroPartition"  # so Daft says that no file is meant by a pattern
_IN_PYTHON = "PyIOError"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class EngineError(UserError):
    """Files that the engine cannot read or write."""


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn the engine's errors into ones that say what was being done; those of a full disk into the system's own."""
    try:
        yield
    except (DaftCoreException, pa.ArrowException, OSError) as error:
        for number in _FULL:
            if f"(os error {number})" in str(error) or getattr(error, "errno", None) == number:
                raise OSError(number, os.strerror(number), what) from error
        raise EngineError(f"{what}: {in_one_line(error)}") from error


def in_one_line(error: Exception) -> str:
    """Leave out the causes of an error, which Daft gives a line each; of an error in Python only its cause says it."""
    first, *causes = str(error).splitlines()
    return causes[-1].strip().removeprefix("1: ") if causes and first == _IN_PYTHON else first
