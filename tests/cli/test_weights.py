"""tools/weights.py as a process."""

import json
import subprocess
from pathlib import Path

import pytest
import torch
import torchvision
from hub_server import Repository, serving
from huggingface_hub import ModelCard
from python_process import forked_python, fresh_python


@pytest.fixture
def weights(repository, tmp_path):
    """Runs the tool in an empty folder."""

    def run(*arguments: str, python=forked_python, **environment: str) -> subprocess.CompletedProcess:
        environment = {"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environment}
        return python(repository / "tools/weights.py", *arguments, cwd=tmp_path, env=environment)

    return run


def test_convert_there_and_back_and_inspect(weights, tmp_path):
    tensors = torchvision.models.resnet18(num_classes=3).state_dict()
    torch.save(tensors, tmp_path / "resnet18.pth")
    there = weights("convert", "resnet18.pth", "there.pkl", "--to", "detectron2", python=fresh_python)
    assert there.stdout == "there.pkl: 122 tensors; left out: nothing\n", there.stderr
    back = weights("convert", "there.pkl", "back.pth", "--to", "torchvision")
    assert back.returncode == 0, back.stderr
    for name, tensor in torch.load(tmp_path / "back.pth", weights_only=True).items():
        assert torch.equal(tensor, tensors[name])
    said = weights("inspect", "back.pth").stdout
    assert "network:     R_18" in said and "3 classes, 512 features" in said


def test_the_list_says_what_is_cached(weights, tmp_path):
    (tmp_path / "resnet50-0676ba61.pth").touch()
    lines = weights("list", IGDET_CACHE=str(tmp_path)).stdout.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("yes")] == ["in1k_resnet50"]


def test_names_are_checked_before_the_first_download(weights):
    process = weights("fetch", "in1k_resnet50", "in1k_resnet51", IGDET_OFFLINE="1")
    assert process.returncode == 2
    said = "WeightsError: in1k_resnet51: no such published weights; did you mean 'in1k_resnet50'?"
    assert process.stderr.splitlines()[-1] == said


def test_an_error_is_one_line(weights, tmp_path):
    (tmp_path / "broken.pth").write_bytes(b"no checkpoint")
    process = weights("convert", "broken.pth", "out.pkl", "--to", "detectron2")
    assert process.returncode == 2
    assert process.stderr.splitlines()[-1].startswith("UnreadableWeights: broken.pth (13 bytes) cannot be read")
    assert "Traceback" not in process.stderr


def test_a_card_is_written_once(weights, tmp_path):
    config = {"DATASETS": {"TRAIN": ["mine"], "TEST": ["mine"]}, "MODEL": {}}
    record = {"results": {"mine": {"bbox": {"AP": 12.5}}}, "config": config, "weights": "", "images_seen": 9}
    (tmp_path / "run").mkdir()
    (tmp_path / "run/results.json").write_text(json.dumps(record))
    assert weights("card", "run").returncode == 2  # no licence is made up
    process = weights("card", "run", "--license", "apache-2.0")
    assert process.stdout == "run/README.md\n", process.stderr
    data = ModelCard((tmp_path / "run/README.md").read_text()).data
    assert (data.license, data.eval_results[0].metric_value) == ("apache-2.0", 12.5)
    again = weights("card", "run", "--license", "apache-2.0")
    assert again.returncode == 2 and "run/README.md is there already" in again.stderr


def test_a_hub_is_asked_where_the_environment_says(weights, tmp_path):
    with serving() as server:
        repo = server.repositories["owner/net"] = Repository()
        commit = repo.commit({"model.safetensors": b"weights"})
        name = "hf://owner/net@main/model.safetensors"
        environment = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "hub")}
        process = weights("fetch", name, python=fresh_python, **environment)  # the client reads them as it is imported
        path = Path(process.stdout.strip())
        assert path.parent.name == commit and path.read_bytes() == b"weights", process.stderr
