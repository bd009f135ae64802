"""Sharded checkpoints, written by Hugging Face's own code and by hand."""

import json

import pytest
import torch
from huggingface_hub import save_torch_state_dict

from igdet.checkpoint import IgdetCheckpointer, open_weights
from igdet.checkpoint.weights_index import INDEX, shards_of
from igdet.formats.errors import UnreadableWeights


@pytest.fixture
def index(torchvision_weights, tmp_path):
    """The small classifier's tensors in several files, as the hub's own client splits them."""
    save_torch_state_dict(torchvision_weights, tmp_path, max_shard_size="100KB")
    return tmp_path / INDEX


def rewrite(index, **entries):
    content = json.loads(index.read_text())
    content["weight_map"] |= entries
    index.write_text(json.dumps(content))


def test_shards_hold_what_one_file_holds(index, torchvision_file):
    assert len(shards_of(index)) > 2
    whole, parts = open_weights(torchvision_file), open_weights(str(index))
    assert parts.naming == whole.naming and parts.origin == whole.origin
    assert parts.tensors.keys() == whole.tensors.keys()
    assert all(tensor.equal(whole.tensors[name]) for name, tensor in parts.tensors.items())
    assert open_weights(f"igdet://file/{index}").path == index


def test_a_model_is_filled_from_shards(index, make_model, torchvision_weights):
    model, cfg = make_model()
    IgdetCheckpointer(model, cfg=cfg).load_for_evaluation(str(index))
    assert model.state_dict()["backbone.stem.conv1.weight"].equal(torchvision_weights["conv1.weight"])


def test_shards_of_torch_save(tmp_path, torchvision_weights):
    names = {name: f"pytorch_model-{number % 2}.bin" for number, name in enumerate(torchvision_weights)}
    for shard in set(names.values()):
        torch.save({name: torchvision_weights[name] for name in names if names[name] == shard}, tmp_path / shard)
    path = tmp_path / "pytorch_model.bin.index.json"
    path.write_text(json.dumps({"weight_map": names}))
    assert len(open_weights(str(path)).tensors) == len(torchvision_weights)


def test_a_missing_shard_is_named(index):
    rewrite(index, more="model-00009.safetensors")
    with pytest.raises(UnreadableWeights, match=r"index\.json names model-00009\.safetensors, which is not beside it"):
        open_weights(str(index))


def test_a_missing_tensor_is_named_with_its_shard(index):
    first = shards_of(index)[0]
    rewrite(index, more=first.name)
    with pytest.raises(UnreadableWeights, match=rf"{first.name} does not hold 'more', as {INDEX} says"):
        open_weights(str(index))


def test_a_shard_that_is_cut_short_is_named(index):
    second = shards_of(index)[1]
    second.write_bytes(second.read_bytes()[:-1])
    with pytest.raises(UnreadableWeights, match=rf"{second.name} \([\d,]+ bytes\) cannot be read as a checkpoint"):
        open_weights(str(index))


@pytest.mark.parametrize("name", ["../other.safetensors", "/etc/passwd", "a\\b", "..", "", 3, None])
def test_an_index_does_not_lead_out_of_its_folder(index, name):
    rewrite(index, more=name)
    with pytest.raises(UnreadableWeights, match="which is no file beside it"):
        open_weights(str(index))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": 3}', '{"a": 1, "a": 2}'])
def test_what_is_no_index(tmp_path, content):
    (tmp_path / INDEX).write_text(content)
    with pytest.raises(UnreadableWeights, match="expected an index of shards"):
        open_weights(str(tmp_path / INDEX))
