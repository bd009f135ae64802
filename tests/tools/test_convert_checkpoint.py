"""tools/convert_checkpoint.py as a process."""

import subprocess
import sys

import pytest
import torch
import torchvision


@pytest.fixture
def convert(repository, tmp_path):
    """Runs the tool in an empty folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, str(repository / "tools/convert_checkpoint.py"), *arguments]
        environment = {"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    return run


def test_there_and_back(convert, tmp_path):
    weights = torchvision.models.resnet18(num_classes=3).state_dict()
    torch.save(weights, tmp_path / "resnet18.pth")
    there = convert("resnet18.pth", "there.pkl", "--to", "detectron2")
    assert there.stdout == "there.pkl: 122 tensors; left out: nothing\n", there.stderr
    back = convert("there.pkl", "back.pth", "--to", "torchvision")
    assert back.returncode == 0, back.stderr
    for name, tensor in torch.load(tmp_path / "back.pth", weights_only=True).items():
        assert torch.equal(tensor, weights[name])


def test_an_error_is_one_line(convert, tmp_path):
    (tmp_path / "broken.pth").write_bytes(b"no checkpoint")
    process = convert("broken.pth", "out.pkl", "--to", "detectron2")
    assert process.returncode == 2
    assert process.stderr.splitlines()[-1].startswith("UnreadableWeights: broken.pth (13 bytes) cannot be read")
    assert "Traceback" not in process.stderr
