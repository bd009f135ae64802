"""Reading files that nobody vouches for."""

import collections
import os
import pickle
import re
import zipfile
from contextlib import suppress

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from igdet.checkpoint import reading
from igdet.checkpoint.reading import read_payload
from igdet.formats.errors import UnreadableWeights, WeightsError


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
        (
            write_legacy,
            "weights.pkl",
            r"found a value of type int. Its ending, \.pkl, .* torch\.save's: rename it to end in \.pth",
        ),
    ],
)
def test_an_ending_that_the_content_does_not_have(write, name, said, tmp_path):
    write({"a": np.zeros(3) if write is write_pickle else torch.zeros(3)}, tmp_path / name)
    with pytest.raises(WeightsError, match=rf"{name}.*{said}$"):
        read_payload(tmp_path / name)


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tX\x01\x00\x00\x00btR"
FLOAT = b"cnumpy\ndtype\n(X\x02\x00\x00\x00f4I00\nI01\ntR(K\x03X\x01\x00\x00\x00<NNNI-1\nI-1\nK\x00tb"
HOSTILE = {
    "bytes that are not there": (b"\x8e" + (1 << 35).to_bytes(8, "little"), "only 1 remain"),
    "a bytearray that is not there": (b"\x96" + (1 << 62).to_bytes(8, "little"), "only 1 remain"),
    "a frame that is not there": (
        b"\x95" + (1 << 40).to_bytes(8, "little") + b"N",
        "claims a frame of 1,099,511,627,776",
    ),
    "a number of an object": (b"Nr\x00\xca\x9a\x3b", "numbers an object 1,000,000,000"),
    "another, as text": (b"Np1000000000000\n", "numbers an object 1,000,000,000,000"),
    "a large shape": (
        RECONSTRUCT + b"(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft" + FLOAT + b"I00\nC\x04abcdtb",
        "needs 18,446",
    ),
    "a negative shape": (
        RECONSTRUCT + b"(K\x01(J\xff\xff\xff\xfft" + FLOAT + b"I00\nC\x04abcdtb",
        "where sizes belong",
    ),
    "nesting": (b"N" + b"\x85" * 200, "more than 100 deep"),
    "a codec that unpacks": (
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x74R",
        "encodes text as 'zip'",
    ),
    "a change of a function": (b"c_codecs\nencode\n}b", "changes a function"),
    "an empty stack": (b"0", "more off its stack|IndexError"),
    "no such instruction": (b"\xff", "unknown"),
    "one text many times": (
        b"c_codecs\nencode\nq\x00X\xe8\x03\x00\x00" + b"a" * 1000 + b"q\x01" + b"h\x00h\x01\x85R" * 50,
        "its texts claim",
    ),
}


@pytest.mark.parametrize(("instructions", "said"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["weights.pkl", "weights.pth"])
def test_a_pickle_that_claims_what_it_does_not_hold(instructions, said, name, tmp_path):
    (tmp_path / name).write_bytes(b"\x80\x04" + instructions + b".")
    with pytest.raises(UnreadableWeights, match=rf"{name} .* cannot be read as a checkpoint: .*({said})") as caught:
        read_payload(tmp_path / name)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_a_pickle_of_very_many_instructions(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_INSTRUCTIONS", 1000)
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps({str(i): i for i in range(1000)}))
    with pytest.raises(UnreadableWeights, match="more than 1,000 instructions"):
        read_payload(tmp_path / "weights.pkl")


def rewritten(path, change, compression=zipfile.ZIP_STORED):
    """Write torch.save's archive again, with other contents."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in change(entries).items():
            archive.writestr(name, content)


def replaced(name, old, new):
    return lambda entries: entries | {name: entries[name].replace(old, new)}


ARCHIVES = {
    "compressed": (lambda entries: entries, zipfile.ZIP_DEFLATED, "is compressed, which torch.save never does"),
    "a longer storage": (replaced("weights/data.pkl", b"K\x07", b"K\x70"), zipfile.ZIP_STORED, "claims 112 numbers"),
    "a shorter storage": (
        lambda entries: entries | {"weights/data/0": b"1234"}, zipfile.ZIP_STORED, "claims 7 numbers of torch.float32"),
    "a view beyond it": (replaced("weights/data.pkl", b"K\x03\x85", b"K\x09\x85"), zipfile.ZIP_STORED, "not lie in"),
    "a repeated number": (
        replaced("weights/data.pkl", b"K\x03\x85q\x08K\x02\x85", b"K\x09\x85q\x08K\x00\x85"), zipfile.ZIP_STORED,
        r"\(9,\) does not lie in its 7 numbers"),
    "no storage": (
        lambda entries: {n: c for n, c in entries.items() if n != "weights/data/0"}, zipfile.ZIP_STORED, "data/0"),
    "a program": (lambda entries: entries | {"weights/constants.pkl": b""}, zipfile.ZIP_STORED, "TorchScript"),
    "something else": (lambda entries: {"weights/x": b""}, zipfile.ZIP_STORED, "without a data.pkl"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "compression", "said"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_that_claims_what_it_does_not_hold(change, compression, said, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.arange(7.0)[::2][:3]}, path)  # a view: 3 numbers, 2 apart, of 7
    assert read_payload(path)["a"].tolist() == [0, 2, 4]
    rewritten(path, change, compression)
    with pytest.raises(UnreadableWeights, match=said):
        read_payload(path)


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_a_changed_bit_is_noticed_or_harmless(write, tmp_path):
    write({"a": torch.zeros(4)}, tmp_path / "weights.pth")
    content = (tmp_path / "weights.pth").read_bytes()
    for position in range(0, len(content), 3):
        changed = bytearray(content)
        changed[position] ^= 0x10
        (tmp_path / "weights.pth").write_bytes(changed)
        with suppress(UnreadableWeights):
            read_payload(tmp_path / "weights.pth")


DTYPES = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.complex64]


@pytest.mark.parametrize("write", [write_zip, write_legacy, write_pickle])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_are_read_as_pytorch_reads_them(dtype, write, tmp_path):
    whole = torch.arange(24).reshape(2, 3, 4).to(dtype)
    content = {"whole": whole, "turned": whole.mT, "empty": whole[:0], "one": whole[1, 1, 1], "again": whole}
    path = tmp_path / ("weights.pkl" if write is write_pickle else "weights.pth")
    write(content, path)
    found = read_payload(path)
    assert all(found[name].dtype == dtype and found[name].equal(tensor) for name, tensor in content.items())
    assert found["turned"].stride() == content["turned"].stride()
    assert found["again"].data_ptr() == found["whole"].data_ptr()


def test_safetensors(tmp_path):
    content = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.bfloat16), "c": torch.tensor(3)}
    save_file(content, tmp_path / "model.safetensors", metadata={"format": "pt"})
    found = read_payload(tmp_path / "model.safetensors")
    assert all(found[name].equal(tensor) and found[name].dtype == tensor.dtype for name, tensor in content.items())
    (tmp_path / "model.safetensors").rename(tmp_path / "model.bin")
    with pytest.raises(UnreadableWeights, match=r"looks like safetensors's: rename it to end in \.safetensors"):
        read_payload(tmp_path / "model.bin")


@pytest.mark.parametrize(
    "header",
    [
        '{"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}',
        '{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}',
        '{"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}',
        '{"a": 1}',
        "[" * 100_000,
    ],
)
def test_safetensors_that_claim_what_they_do_not_hold(header, tmp_path):
    (tmp_path / "m.safetensors").write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(4))
    with pytest.raises(UnreadableWeights, match=r"m\.safetensors .* cannot be read as a checkpoint"):
        read_payload(tmp_path / "m.safetensors")


FOREIGN = {
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git-LFS pointer"),
    "a page": (b"\n<!DOCTYPE html><html>", "a web page"),
    "gzip": (b"\x1f\x8b\x08\x00", "gunzip"),
    "HDF5": (b"\x89HDF\r\n", "HDF5"),
    "tar": (bytes(257) + b"ustar\x00", "tar archive"),
}


@pytest.mark.parametrize(("content", "said"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("name", ["weights.pkl", "weights.pth", "weights"])
def test_files_of_other_kinds_are_named(content, said, name, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableWeights, match=said):
        read_payload(tmp_path / name)


def test_something_else_than_a_mapping(tmp_path):
    torch.save([torch.zeros(1)], tmp_path / "weights.pth")
    with pytest.raises(
        WeightsError,
        match=r"expected a mapping from names to tensors, found a value of type list\. Is it the right file\?$",
    ):
        read_payload(tmp_path / "weights.pth")
