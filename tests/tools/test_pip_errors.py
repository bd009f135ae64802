"""pip's output becomes one line that a person understands."""

import pytest
from pip_errors import diagnose


@pytest.mark.parametrize(
    ("errors", "meaning"),
    [
        ("ERROR: Failed to establish a new connection: [Errno -3]", "package index cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one expected"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: No matching distribution found for torch==9", "lacks a pinned version"),
        ("ERROR: Could not find x (from versions: none)\nERROR: No matching distribution", "cannot be reached"),
        ("something\nERROR: new trouble\n", "ERROR: new trouble"),
        ("", "no reason given"),
    ],
)
def test_diagnosis(errors, meaning):
    assert meaning in diagnose(errors)
