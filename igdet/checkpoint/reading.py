"""Reading untrusted checkpoint files: no code inside them is run, and what they claim must be in them."""

import io
import json
import pickle
import pickletools
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import torch

from igdet.checkpoint.unpickling import Unpickler
from igdet.formats.errors import UnreadableWeights
from igdet.utils.messages import printable, shown

# A checkpoint has about 20 instructions a tensor and 2 a class name: 400 tensors with momentum, 22,000 names: 60,000.
MAX_INSTRUCTIONS = 1_000_000
MAX_DEPTH = 100  # of containers in containers: beyond some 10,000, C code that follows them exhausts its stack
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_FILLS = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}  # they change what they leave on the stack
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of torch.save's older format
_MAX_SAID = 300  # characters of an error's own words


def scan_pickle(stream: IO[bytes], end: int) -> int:
    """Read the instructions of one pickle without following them.

    Args:
        stream: at the pickle's first byte; its `read` never makes room for more bytes than there are.
        end: the file's size in bytes.

    Returns:
        The offset behind the pickle.

    Raises:
        pickle.UnpicklingError, ValueError: an instruction is unknown or cut short, or it claims more memory, more bytes
            or a deeper nesting than a checkpoint has.
    """
    nesting = _Nesting()
    value: Any  # a number wherever it is compared, as its position is
    position: Any
    for count, (opcode, value, position) in enumerate(pickletools.genops(stream), start=1):
        if count > MAX_INSTRUCTIONS:
            raise pickle.UnpicklingError(f"it has more than {MAX_INSTRUCTIONS:,} instructions, far more than weights")
        if opcode.name in _PUTS and value > count:  # the unpickler makes a table as long as the largest number
            raise pickle.UnpicklingError(f"it numbers an object {value:,} among its first {count:,} instructions")
        if opcode.name == "FRAME" and value > end - position:
            raise pickle.UnpicklingError(f"it claims a frame of {value:,} bytes, more than the file has")
        nesting.follow(opcode, value)
    return stream.tell()


class _Nesting:
    """How deep the objects on a pickle's stack are nested: a shadow of the stack that holds depths, None for a mark."""

    def __init__(self) -> None:
        self._stack: list[int | None] = []
        self._memo: dict[int, int | None] = {}

    def follow(self, opcode: pickletools.OpcodeInfo, value: Any) -> None:
        if opcode.name in _PUTS or opcode.name == "MEMOIZE":
            self._memo[len(self._memo) if value is None else value] = self._stack[-1]
        elif opcode.name in _GETS:
            self._stack.append(self._memo.get(value, 0))
        elif opcode.name == "MARK":
            self._stack.append(None)
        else:
            self._replace(opcode)

    def _replace(self, opcode: pickletools.OpcodeInfo) -> None:
        taken = self._take(opcode.stack_before)
        changed = taken.pop(0) if opcode.name in _FILLS else 0
        depth = max([changed, *(inner + 1 for inner in taken)])
        if depth > MAX_DEPTH:
            raise pickle.UnpicklingError(f"it nests containers more than {MAX_DEPTH} deep")
        self._stack += [depth] * len(opcode.stack_after)

    def _take(self, before: list) -> list[int]:
        """Take off the stack what an instruction takes, the lowest first."""
        above = []
        fixed = before.index(pickletools.markobject) if pickletools.markobject in before else len(before)
        if fixed < len(before):
            while (depth := self._stack.pop()) is not None:
                above.append(depth)
        split = len(self._stack) - fixed
        if split < 0:
            raise pickle.UnpicklingError("it takes more off its stack than there is")
        below = [depth or 0 for depth in self._stack[split:]]
        del self._stack[split:]
        return below + above


def read_payload(path: str | Path) -> dict:
    """Read what a checkpoint file holds, on the CPU, without running any code in it.

    Args:
        path: a `.pkl` file of NumPy arrays as Detectron2's model zoo has them, a `.safetensors` file, or any file of
            `torch.save`.

    Returns:
        The mapping inside.

    Raises:
        OSError: the file is not there.
        UnreadableWeights: the file is empty, cut short, no checkpoint, asks for more than tensors and plain values, or
            claims to hold more than it does.
    """
    path = Path(path)
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            payload = READERS.get(path.suffix, _read_torch)(cast(IO[bytes], Bounded(file, size)), size)
    except Exception as error:  # whatever an untrusted file makes the readers raise, it is the file's fault
        raise UnreadableWeights(
            f"{path} ({size:,} bytes) cannot be read as a checkpoint: {_reason(error)}. "
            f"{_what_it_is(path) or 'Is it complete, and does it hold nothing but tensors and plain values?'}"
        ) from error
    if not isinstance(payload, dict):
        raise UnreadableWeights(
            f"{path}: expected a mapping from names to tensors, found a value of type "
            f"{type(payload).__name__.lower()}. {_what_it_is(path) or 'Is it the right file?'}"
        )
    return payload


class Bounded:
    """A file whose reads make no room for bytes that are not there, whatever number a pickle claims."""

    def __init__(self, file: IO[bytes], size: int):
        """Take over a file of `size` bytes."""
        self._file, self._size = file, size
        self.readline, self.seek, self.tell, self.seekable = file.readline, file.seek, file.tell, file.seekable

    def read(self, count: int = -1) -> bytes:
        """Read at most what is left."""
        left = max(self._size - self.tell(), 0)
        return self._file.read(left if count < 0 else min(count, left))


def _load(stream: IO[bytes], size: int, storage: Callable | None = None, nested: Callable | None = None) -> Any:
    """Judge the pickle at a stream's position, load it, and leave the stream behind it."""
    start = stream.tell()
    end = scan_pickle(stream, size)
    stream.seek(start)
    loaded = Unpickler(stream, size, storage, nested).load()
    stream.seek(end)
    return loaded


def _read_pickle(stream: IO[bytes], size: int) -> Any:
    return _load(stream, size, nested=lambda raw: _read_legacy(io.BytesIO(raw), len(raw)))


def _read_torch(stream: IO[bytes], size: int) -> Any:
    begin = stream.read(4)
    stream.seek(0)
    return (_read_archive if begin == b"PK\x03\x04" else _read_legacy)(stream, size)


def _read_archive(stream: IO[bytes], size: int) -> Any:
    with zipfile.ZipFile(stream) as archive:
        entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
        _check_entries(entries, size)
        memories = {}

        def storage(key: str, dtype: torch.dtype, numel: int) -> torch.UntypedStorage:
            entry = entries[f"data/{key}"]
            if numel * dtype.itemsize != entry.file_size:
                raise pickle.UnpicklingError(f"storage {shown(key)} claims {numel:,} numbers of {dtype}")
            if key not in memories:
                memories[key] = _memory(archive.read(entry))
            return memories[key]

        content = archive.read(entries["data.pkl"])
        return _load(io.BytesIO(content), len(content) + size, storage)


def _check_entries(entries: dict[str, zipfile.ZipInfo], size: int) -> None:
    if "constants.pkl" in entries:
        raise pickle.UnpicklingError("it is a TorchScript program: save the model's state_dict() instead")
    if "data.pkl" not in entries:
        raise pickle.UnpicklingError("it is a zip archive without a data.pkl, which torch.save writes")
    packed = [entry.filename for entry in entries.values() if entry.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise pickle.UnpicklingError(f"{shown(packed[0])} in it is compressed, which torch.save never does")
    if sum(entry.file_size for entry in entries.values()) > size:
        raise pickle.UnpicklingError("its entries claim more bytes than the file has")


def _memory(raw: bytes) -> torch.UntypedStorage:
    memory = torch.UntypedStorage(len(raw))
    if raw:
        torch.empty(0, dtype=torch.uint8).set_(memory).numpy()[:] = np.frombuffer(raw, np.uint8)
    return memory


def _read_legacy(stream: IO[bytes], size: int) -> Any:
    """Magic number, version, byte order, content, the order of the storages, then each one's length and numbers."""
    if _load(stream, size) != LEGACY_MAGIC:
        raise pickle.UnpicklingError("it does not begin as torch.save's files do")
    _, system = _load(stream, size), _load(stream, size)
    if not (isinstance(system, dict) and system.get("little_endian", True)):
        raise pickle.UnpicklingError("it was written on a computer of another byte order")
    claims: dict[str, tuple[torch.UntypedStorage, int]] = {}

    def storage(key: str, dtype: torch.dtype, numel: int) -> torch.UntypedStorage:
        if key not in claims:
            num_bytes = numel * dtype.itemsize
            if num_bytes + sum(memory.nbytes() for memory, _ in claims.values()) > size:
                raise pickle.UnpicklingError(f"storage {shown(key)} claims {num_bytes:,} bytes, more than the file has")
            claims[key] = torch.UntypedStorage(num_bytes), numel
        return claims[key][0]

    content = _load(stream, size, storage)
    for key in _load(stream, size):
        memory, numel = claims[key]
        written, raw = int.from_bytes(stream.read(8), "little"), stream.read(memory.nbytes())
        if written != numel or len(raw) < memory.nbytes():
            raise pickle.UnpicklingError(f"storage {shown(key)} is cut short")
        memory.copy_(_memory(raw))
    return content


# Safetensors' names of dtypes.
_SAFETENSORS = {
    **{"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "BOOL": torch.bool},
    **{"I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8},
}


def _read_safetensors(stream: IO[bytes], size: int) -> dict[str, torch.Tensor]:
    """The header's length, the header (name -> dtype, shape, offsets), the numbers."""
    header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    start, end, tensors = stream.tell(), 0, {}
    header.pop("__metadata__", None)
    for name, claim in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = claim["data_offsets"]
        stream.seek(start + begin)
        raw = stream.read(stop - begin)
        if begin < end or len(raw) != stop - begin:
            raise ValueError(f"tensor {shown(name)} lies beyond the file's end or over another")
        end = stop
        tensors[name] = torch.frombuffer(bytearray(raw), dtype=_SAFETENSORS[claim["dtype"]]).reshape(claim["shape"])
    return tensors


READERS: dict[str, Callable[[IO[bytes], int], Any]] = {".pkl": _read_pickle, ".safetensors": _read_safetensors}
# How files begin, what writes them, and the ending they should have; torch.save's older format is a pickle, too.
_BEGINNINGS = (
    (b"PK\x03\x04", "torch.save", ".pth"),
    (pickle.dumps(LEGACY_MAGIC, protocol=2), "torch.save", ".pth"),
    (b"\x80", "pickle.dump", ".pkl"),
)
# How files begin that are no weights at all, and what to do; lower-case.
_FOREIGN = (
    (b"version https://git-lfs", "It is a Git-LFS pointer, not the file it stands for: run `git lfs pull` there"),
    ((b"<!doctype html", b"<html", b"<?xml"), "It is a web page, not a file: download it again, or look at it"),
    (b"\x1f\x8b", "It is compressed with gzip: unpack it with `gunzip`"),
    (b"\x89hdf", "It is an HDF5 file, as Keras writes them: convert it to PyTorch's format"),
    (b"\x93numpy", "It is a single NumPy array"),
)


def _what_it_is(path: Path) -> str:
    """What to do with a file that is of another format than its ending says, or no weights; "" where it is neither."""
    begin = b""
    with suppress(OSError), path.open("rb") as file:
        begin = file.read(512)
    text = begin.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    foreign = next((said for beginning, said in _FOREIGN if text.startswith(beginning)), "")
    if foreign or begin[257:262] == b"ustar":
        return foreign or "It is a tar archive: unpack it with `tar -xf`"
    writer, suffix = next((row[1:] for row in _BEGINNINGS if begin.startswith(row[0])), ("", path.suffix))
    if begin[8:10] in (b'{"', b"{}"):
        writer, suffix = "safetensors", ".safetensors"
    if READERS.get(suffix) == READERS.get(path.suffix):
        return ""
    return (
        f"Its ending, {path.suffix or 'none'}, decides how it is read, but its content looks like {writer}'s: "
        f"rename it to end in {suffix}"
    )


def _reason(error: Exception) -> str:
    """The first sentence of an error, in one line."""
    telling = " ".join(printable(str(error)[: 2 * _MAX_SAID]).split())[:_MAX_SAID].rstrip(".,")
    return f"{type(error).__name__}: {telling}" if telling else type(error).__name__
