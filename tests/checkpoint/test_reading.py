"""Reading files that nobody vouches for."""

import collections
import os
import pickle
import re

import numpy as np
import pytest
import torch

from igdet.checkpoint import WeightsError
from igdet.checkpoint.reading import read_payload


class Attack:
    """Unpickled without care, it makes a file."""

    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return os.mkdir, (self.victim,)


def write_pickle(content, path):
    path.write_bytes(pickle.dumps(content))


def write_zip(content, path):
    torch.save(content, path)


def write_legacy(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


FORMATS = {"weights.pkl": write_pickle, "weights.pth": write_zip, "legacy.pth": write_legacy}


@pytest.mark.parametrize(("name", "write"), FORMATS.items(), ids=FORMATS)
def test_code_in_a_checkpoint_is_not_run(name, write, tmp_path):
    victim = tmp_path / "victim"
    write({"model": {"stem.conv1.weight": Attack(str(victim))}}, tmp_path / name)
    with pytest.raises(WeightsError, match=rf"{name}.*cannot be read as a checkpoint.*mkdir"):
        read_payload(tmp_path / name)
    assert not victim.exists()


def test_the_attack_itself_works(tmp_path):
    write_pickle(Attack(str(tmp_path / "victim")), tmp_path / "weights.pkl")
    pickle.loads((tmp_path / "weights.pkl").read_bytes())
    assert (tmp_path / "victim").is_dir()


@pytest.mark.parametrize("name", ["builtins.eval", "numpy.load", "torch.load", "os.system"])
def test_only_what_arrays_need_is_allowed(name, tmp_path):
    module, function = name.rsplit(".", 1)
    (tmp_path / "weights.pkl").write_bytes(f"c{module}\n{function}\n.".encode())
    with pytest.raises(WeightsError, match=re.escape(f"it asks for {name}")):
        read_payload(tmp_path / "weights.pkl")


@pytest.mark.parametrize("content", [{"a": Attack("x")}, torch.nn.Linear(1, 1)], ids=["code", "a whole model"])
def test_no_advice_to_load_unsafely_is_passed_on(content, tmp_path):
    write_zip(content, tmp_path / "weights.pth")
    with pytest.raises(WeightsError) as caught:
        read_payload(tmp_path / "weights.pth")
    assert "weights_only" not in str(caught.value) and "safe_globals" not in str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_arrays(protocol, tmp_path):
    content = {"model": collections.OrderedDict(a=np.arange(3, dtype=np.float32), b=np.float32(2)), "__author__": "me"}
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps(content, protocol))
    payload = read_payload(tmp_path / "weights.pkl")
    assert payload["model"]["a"].tolist() == [0, 1, 2]
    assert payload["model"]["b"] == 2
    assert payload["__author__"] == "me"


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_files_of_pytorch(write, tmp_path):
    write({"a": torch.arange(3)}, tmp_path / "weights.pth")
    assert read_payload(tmp_path / "weights.pth")["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("name", "write"), FORMATS.items(), ids=FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_files_cut_short(name, write, share, tmp_path):
    path = tmp_path / name
    write({"a": np.zeros(1000) if name.endswith("pkl") else torch.zeros(1000)}, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(WeightsError, match=f"{name} .*cannot be read as a checkpoint.*complete"):
        read_payload(path)


@pytest.mark.parametrize("name", ["weights.pkl", "weights.pth"])
@pytest.mark.parametrize("content", [b"<html>404 Not Found</html>", b"hello", bytes(range(256))])
def test_files_of_another_kind(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} .*cannot be read as a checkpoint"):
        read_payload(tmp_path / name)


@pytest.mark.parametrize(
    ("write", "name", "said"),
    [
        (write_pickle, "weights.pth", r"Its ending, \.pth, .* looks like pickle\.dump's: rename it to end in \.pkl"),
        (write_pickle, "weights", r"Its ending, none, .* looks like pickle\.dump's: rename it to end in \.pkl"),
        (write_zip, "weights.pkl", r"Its ending, \.pkl, .* looks like torch\.save's: rename it to end in \.pth"),
        (write_legacy, "weights.pkl", r"found a int. Its ending, \.pkl, .* torch\.save's: rename it to end in \.pth"),
    ],
)
def test_an_ending_that_the_content_does_not_have(write, name, said, tmp_path):
    write({"a": np.zeros(3) if write is write_pickle else torch.zeros(3)}, tmp_path / name)
    with pytest.raises(WeightsError, match=rf"{name}.*{said}$"):
        read_payload(tmp_path / name)


def test_something_else_than_a_mapping(tmp_path):
    torch.save([torch.zeros(1)], tmp_path / "weights.pth")
    with pytest.raises(
        WeightsError, match=r"expected a mapping from names to tensors, found a list\. Is it the right file\?$"
    ):
        read_payload(tmp_path / "weights.pth")
