"""Writing checkpoints, and a disk that is full."""

import numpy as np
import pytest
import torch

from igdet.checkpoint.writing import size_in_bytes, write_checkpoint
from igdet.formats.errors import WeightsError


def test_there_and_back(tmp_path):
    write_checkpoint({"a": torch.arange(3)}, tmp_path / "new" / "weights.pth")
    assert torch.load(tmp_path / "new" / "weights.pth", weights_only=True)["a"].tolist() == [0, 1, 2]


def test_a_full_disk_names_file_and_bytes_and_harms_nothing(tmp_path, fill_disk):
    path = tmp_path / "weights.pth"
    write_checkpoint({"a": torch.zeros(3)}, path)
    before = path.read_bytes()
    fill_disk()
    with pytest.raises(
        WeightsError, match=r"cannot write .*weights\.pth: about 4,000,000 bytes are needed and [\d,]+ are"
    ):
        write_checkpoint({"a": torch.zeros(1_000_000)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"cannot write .*weights\.pth"):
        write_checkpoint({}, tmp_path / "file" / "weights.pth")


def test_size():
    content = {"a": [torch.zeros(2, 3), (np.zeros(5, np.float64), 7)], "b": {"c": torch.zeros(1, dtype=torch.uint8)}}
    assert size_in_bytes(content) == 6 * 4 + 5 * 8 + 1
