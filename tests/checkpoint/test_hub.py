"""Weights on a hub, from a server on this machine that speaks its protocol, by the hub's own client."""

import json
import sys
import time

import pytest
import torch
from detectron2.utils.file_io import PathManager
from hub_server import Repository, ask_at
from huggingface_hub import constants, save_torch_state_dict
from safetensors.torch import save

from igdet.checkpoint import IgdetCheckpointer, open_weights
from igdet.checkpoint.hub import HubFile, commit_of, fetch_from_hub, parse
from igdet.checkpoint.locating import local_file
from igdet.checkpoint.weights_index import INDEX
from igdet.formats.errors import WeightsError

NAME = "hf://owner/net@main/model.safetensors"


@pytest.fixture
def repo(hub, torchvision_weights):
    """The repository owner/net, whose main branch has the small classifier's tensors as model.safetensors."""
    hub.repositories["owner/net"] = repo = Repository()
    repo.commit({"model.safetensors": save(torchvision_weights)})
    return repo


def test_names():
    commit = "0123456789" * 4
    assert parse("hf://owner/net/a/model.pth") == HubFile("owner/net", "main", "a/model.pth")
    assert parse("hf://owner/net@refs%2Fpr%2F1/model.pth") == HubFile("owner/net", "refs/pr/1", "model.pth")
    assert parse(f"hf-hub:owner/net.a1_in1k@{commit}") == HubFile("owner/net.a1_in1k", commit, "")
    assert parse(f"hf-hub:owner/net@{commit}").is_pinned and not parse("hf-hub:owner/net").is_pinned
    for name in ("hf://owner/net@refs%2Fpr%2F1/a/model.pth", "hf://owner/net@main/model.pth"):
        assert str(parse(name)) == name


@pytest.mark.parametrize("name", ["hf://model.pth@v1", "hf://", "hf-hub:net", "hf://owner/@v1/a", "hf://a/b@v1@v2/c"])
def test_names_that_are_none(name):
    with pytest.raises(WeightsError, match=r"expected hf://owner/name\[@revision\]/path/to/file"):
        parse(name)


def test_the_file_comes_with_the_commit_of_its_branch(hub, repo, torchvision_weights, caplog):
    with caplog.at_level("INFO"):
        found, path = fetch_from_hub("hf://owner/net/model.safetensors")
    assert found == HubFile("owner/net", repo.refs["main"], "model.safetensors")
    assert path.read_bytes() == repo.commits[found.revision]["model.safetensors"]
    assert f"{hub.url}/owner/net" in caplog.messages[-1]
    assert open_weights(str(found)).tensors.keys() == open_weights(str(path)).tensors.keys()
    assert [request for request in hub.requests if request.startswith("GET /cdn")] == [
        f"GET /cdn/{path.resolve().name}"  # once
    ]


def test_a_model_is_filled(repo, make_model, torchvision_weights):
    model, cfg = make_model()
    IgdetCheckpointer(model, cfg=cfg).load_for_evaluation(NAME)
    assert model.state_dict()["backbone.stem.conv1.weight"].equal(torchvision_weights["conv1.weight"])


def test_detectron2_gets_it_in_its_own_format(repo, tmp_path, monkeypatch):
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path / "igdet"))
    assert PathManager.get_local_path("hf-hub:owner/net") == PathManager.get_local_path(NAME)
    assert PathManager.get_local_path(NAME).endswith("-model.pkl")
    assert PathManager.open(NAME, "rb").read() == local_file(NAME).read_bytes()


def test_the_usual_files_of_a_name_without_one(hub, repo, torchvision_weights, tmp_path):
    assert local_file("hf-hub:owner/net").name == "model.safetensors"
    torch.save(torchvision_weights, tmp_path / "weights.bin")
    repo.commit({"pytorch_model.bin": (tmp_path / "weights.bin").read_bytes()}, "older")
    assert local_file("hf-hub:owner/net@older").name == "pytorch_model.bin"
    assert open_weights("hf-hub:owner/net@older").naming == "torchvision"
    repo.commit({"README.md": b""}, "empty")
    with pytest.raises(WeightsError, match=r"owner/net has none of model\.safetensors, .* name the file"):
        local_file("hf-hub:owner/net@empty")


def sharded(tensors, folder):
    save_torch_state_dict(tensors, folder, max_shard_size="100KB")
    return {f"best/{path.name}": path.read_bytes() for path in folder.iterdir()}


def test_shards_come_with_their_index(repo, torchvision_weights, tmp_path):
    commit = repo.commit(sharded(torchvision_weights, tmp_path))
    repo.commit(sharded({name: t + 1 for name, t in torchvision_weights.items()}, tmp_path), "later")
    found = open_weights(f"hf://owner/net/best/{INDEX}")
    assert found.path.parts[-3:] == (commit, "best", INDEX)
    assert found.tensors["stem.conv1.weight"].equal(torchvision_weights["conv1.weight"])


def test_shards_that_are_not_there_are_named_with_the_download(repo, torchvision_weights, tmp_path):
    files = sharded(torchvision_weights, tmp_path)
    gone = next(name for name in files if "00002" in name)
    repo.commit({name: content for name, content in files.items() if name != gone})
    with pytest.raises(WeightsError, match=rf"{INDEX}: owner/net has no file {gone} in revision"):
        fetch_from_hub(f"hf://owner/net/best/{INDEX}")


def test_a_shard_that_was_published_cut_short_is_named(repo, torchvision_weights, tmp_path):
    files = sharded(torchvision_weights, tmp_path)
    cut = next(name for name in files if "00002" in name)
    repo.commit(files | {cut: files[cut][:-1]})
    with pytest.raises(WeightsError, match=rf"{cut} \([\d,]+ bytes\) cannot be read as a checkpoint"):
        open_weights(f"hf://owner/net/best/{INDEX}")


@pytest.mark.parametrize("status", [401, 403])
def test_a_repository_with_a_gate(hub, repo, status):
    repo.refusal = status, "GatedRepo"
    with pytest.raises(WeightsError, match=rf"ask at {hub.url}/owner/net, then log in with `hf auth login`"):
        fetch_from_hub(NAME)


@pytest.mark.parametrize("status", [401, 404])
def test_a_repository_that_is_not_there(hub, repo, status):
    repo.refusal = status, "RepoNotFound"
    with pytest.raises(WeightsError, match=rf"{hub.url} has no model owner/net, or it is private"):
        fetch_from_hub(NAME)


def test_a_revision_and_a_file_that_are_not_there(hub, repo):
    with pytest.raises(WeightsError, match=r"hf://owner/net@v9/a\.pth: owner/net has no branch, tag or commit 'v9'"):
        fetch_from_hub("hf://owner/net@v9/a.pth")
    said = rf"owner/net has no file a\.pth in revision 'main': {hub.url}/owner/net/tree/main lists them"
    with pytest.raises(WeightsError, match=said):
        fetch_from_hub("hf://owner/net/a.pth")


def test_errors_are_one_line(repo):
    repo.refusal = 418, ""
    for name in (NAME, "hf://owner/net/../../a", "hf://-owner/net/a", "hf://owner/net@v9/a"):
        with pytest.raises(WeightsError) as error:
            fetch_from_hub(name)
        assert str(error.value).startswith(f"{name}: ") and "\n" not in str(error.value)


def test_offline_the_cache_is_used(hub, repo, monkeypatch):
    path = local_file(NAME)
    first = repo.refs["main"]
    repo.commit({"model.safetensors": b"moved"})
    hub.requests.clear()
    for forbid in (
        lambda patch: patch.setenv("IGDET_OFFLINE", "1"),
        lambda patch: patch.setattr(constants, "HF_HUB_OFFLINE", True),
    ):
        with monkeypatch.context() as patch:
            forbid(patch)
            assert fetch_from_hub(NAME) == (HubFile("owner/net", first, "model.safetensors"), path)
            with pytest.raises(WeightsError, match=r"it is not in the cache, .*fill the cache elsewhere: hf download"):
                fetch_from_hub("hf://owner/net/other.pth")
            with pytest.raises(WeightsError, match=r"^hf://owner/net@main/model\.safetensors: "):
                commit_of(NAME)
    assert hub.requests == []


def test_without_a_network_the_cache_is_used(hub, repo, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the client tries again
    path = local_file(NAME)
    ask_at("http://127.0.0.1:9", monkeypatch)  # nothing listens
    assert local_file(NAME) == path
    with pytest.raises(WeightsError, match=r"http://127\.0\.0\.1:9 does not answer"):
        local_file("hf://owner/net/other.pth")


def test_a_branch_that_moves(repo):
    before = fetch_from_hub(NAME)[0].revision
    after = repo.commit({"model.safetensors": b"another"})
    assert commit_of(NAME) == after != before
    assert commit_of(f"hf://owner/net@{before}/model.safetensors") == before
    assert fetch_from_hub(NAME)[0].revision == after
    with pytest.raises(WeightsError, match="no branch, tag or commit 'v9'"):
        commit_of("hf://owner/net@v9/model.safetensors")


def test_other_bytes_than_the_hub_has(hub, repo):
    path = local_file(NAME).resolve()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\0")
    with pytest.raises(WeightsError, match=rf"its sha256 is \w+, expected {path.name}\. Remove it to download"):
        local_file(NAME)
    path.unlink()
    assert local_file(NAME).read_bytes() == content


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(WeightsError, match=r"needs huggingface_hub: pip install 'igdet\[hub\]'"):
        parse(NAME)


def test_no_code_of_a_file_runs(hub, repo, tmp_path):
    repo.commit({"pytorch_model.bin": b"cos\nsystem\n(S'touch pwned'\ntR."}, "evil")
    with pytest.raises(WeightsError, match="cannot be read as a checkpoint"):
        open_weights("hf-hub:owner/net@evil")
    repo.commit({INDEX: json.dumps({"weight_map": {"a": "../../../x"}}).encode()}, "out")
    with pytest.raises(WeightsError, match="which is no file beside it"):
        fetch_from_hub("hf-hub:owner/net@out")
