"""Tests of labelled images as columns."""

import numpy as np
import pyarrow as pa
import pytest

from igdet.data.records import FileRecords
from igdet.formats.errors import DatasetError


@pytest.mark.parametrize(
    ("offsets", "message"), [([0, 2, 2], "1 of 2 records have no label"), ([0], "0 of 0 records have no label")]
)
def test_every_record_needs_a_label(offsets, message):
    paths = pa.array([f"{i}.jpg" for i in range(len(offsets) - 1)])
    with pytest.raises(DatasetError, match=message):
        FileRecords("root", paths, np.array(offsets), np.array([0, 1], dtype=np.int32))


def test_a_path_with_a_nul_byte_is_a_bad_record(tmp_path):
    records = FileRecords(str(tmp_path), pa.array(["a\0.jpg"]), np.array([0, 1]), np.array([0], dtype=np.int32))
    with pytest.raises(ValueError, match="cannot be read"):
        records.read(0)
