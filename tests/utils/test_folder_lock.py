"""A folder is worked in by one process at a time."""

import pytest

from igdet.utils.folder_lock import LockError, locked


def test_a_second_lock_is_refused_until_the_first_ends(tmp_path):
    with (
        locked(tmp_path / "new"),
        pytest.raises(LockError, match="new: another run is at work"),
        locked(tmp_path / "new"),
    ):
        pass
    with locked(tmp_path / "new"):
        pass
