"""What goes wrong while an environment is made, in one line for a person; needs nothing but Python."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# (signs, meaning); the first row with a sign in the output is taken.
DIAGNOSES = (
    (("No space left on device",), "the disk is full: about 8 GB are needed"),
    (
        ("DO NOT MATCH THE HASHES",),
        "a downloaded file is not the one expected and nothing of it was run: try again, then check your package index",
    ),
    (
        (
            "NewConnectionError",
            "NameResolutionError",
            "Failed to establish",
            "ProxyError",
            "ConnectTimeout",
            "Max retries",
        ),
        "the package index cannot be reached: check the network, or pip's index and proxy settings",
    ),
    (
        ("(from versions: none)",),
        "the package index cannot be reached, or does not carry the package: check the network",
    ),
    (
        ("No matching distribution", "ResolutionImpossible"),
        "the package index lacks a pinned version of constraints.txt",
    ),
)


@contextmanager
def one_line_os_errors() -> Iterator[None]:
    """End the command with status 2 and one line on stderr when a file cannot be read or written."""
    try:
        yield
    except OSError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)


def diagnose(errors: str) -> str:
    """Say what went wrong.

    Args:
        errors: all that pip wrote to its standard error.

    Returns:
        the meaning of a known failure, else the last line of the output.
    """
    for signs, meaning in DIAGNOSES:
        if any(sign in errors for sign in signs):
            return meaning
    lines = [line for line in errors.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
