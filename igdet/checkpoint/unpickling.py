"""Unpickling untrusted files: every name that a pickle may ask for has a stand-in here, and none of them runs its code.

What the stand-ins make is bounded by the file's size, so that a small file cannot ask for much memory.
"""

import math
import pickle
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import IO, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from igdet.utils.messages import printable, shown

# How often the bytes of a file may be used: each text and array once, storages through some views (tied weights).
_USES = {"texts": 1, "arrays": 1, "storages": 1, "views": 8}
_MAX_DIMS = 32  # NumPy's limit before 2.0
_NUMBERS = {f"{kind}{size}" for kind in "fiu" for size in (1, 2, 4, 8)} - {"f1"} | {"b1", "c8", "c16"}
_CODECS = {"latin1", "latin-1", "utf-8", "utf8"}


class Storage(NamedTuple):
    """A tensor's memory: its bytes, and how its `numel` numbers are to be read."""

    memory: torch.UntypedStorage
    dtype: torch.dtype
    numel: int


class StandIn:
    """Takes the place of a function or a class; a pickle can call it, and change nothing in it."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable):
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make what the name is known to make."""
        return self._make(*args, **kwargs)

    def __setstate__(self, state: Any) -> None:
        """Refuse: only what was made has a state."""
        raise pickle.UnpicklingError("it changes a function instead of an object")


class Holder(dict):
    """Takes the place of an object that only holds plain values, such as an argparse.Namespace."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        """Forget it: nothing of it is asked for."""

    def append(self, value: Any) -> None:
        """Forget it."""

    extend = add = append


class Ordered(dict):
    """Takes the place of an OrderedDict, without the attributes that a file could set."""

    def __setstate__(self, state: Any) -> None:
        """Forget attributes, such as PyTorch's `_metadata`."""


class DType:
    """Takes the place of a NumPy dtype of numbers or texts: its code, such as "f4", and its byte order."""

    def __init__(self, code: str, *flags: Any):
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple) -> None:
        """Take the byte order; fields and shapes inside an element are no numbers."""
        if state[2:5] != (None,) * 3:
            self.code = "V"
        self.order = state[1] if state[1] in "<>" else "="

    def numpy(self) -> np.dtype | None:
        """The dtype; None where it is of objects, dates or records, or of numbers that no tensor holds."""
        is_text = self.code[:1] in "US" and self.code[1:].isdecimal() and len(self.code) < 10
        return np.dtype(self.order + self.code) if self.code in _NUMBERS or is_text else None


class Array(np.ndarray):
    """An array that is filled by a pickle: with as many bytes as its shape and dtype need, or not at all.

    Attributes:
        unusable: the code of the dtype where a tensor cannot hold it; the array is empty then.
    """

    unusable: str | None = None
    measure: Callable[[str, int], object]

    def __new__(cls, *args: Any) -> "Array":
        """Make an empty one, whatever size is claimed."""
        return super().__new__(cls, 0, np.int8)

    def __setstate__(self, state: tuple) -> None:
        """Take shape, dtype, order and bytes."""
        shape, dtype, fortran, raw = state[-4:]
        _check_type(dtype, DType)
        plain = dtype.numpy()
        if plain is None:
            self.unusable = dtype.code
            return
        raw = raw.encode("latin1") if isinstance(raw, str) else raw  # Python 2 knew no bytes
        _check_shape(shape, plain, raw)
        self.measure("arrays", len(raw))
        filled: Any = (1, shape, plain, bool(fortran), bytes(raw))
        super().__setstate__(filled)


class Unpickler(pickle.Unpickler):
    """Unpickles containers, plain values, NumPy arrays and tensors; any other name could run code and is refused."""

    def __init__(
        self,
        stream: IO[bytes],
        size: int,
        storage: Callable[[str, torch.dtype, int], torch.UntypedStorage] | None = None,
        nested: Callable[[bytes], Any] | None = None,
    ):
        """Prepare to read one pickle.

        Args:
            stream: at its first byte, scanned already.
            size: of the file, in bytes: what is made of it is measured by that.
            storage: key, dtype, numbers -> the memory of a tensor.
            nested: reads the bytes of a torch.save file inside a pickle.
        """
        super().__init__(stream, encoding="latin1")  # latin1: arrays written by Python 2
        self._size, self._storage = size, storage
        self._used: Counter[str] = Counter()
        self._names = {**PLAIN, **{name: StandIn(partial(make, self.take)) for name, make in MEASURED.items()}}
        if nested is not None:
            self._names["torch.storage", "_load_from_bytes"] = StandIn(nested)

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name."""
        if (module, name) not in self._names:
            asked = printable(f"{module}.{name}")
            raise pickle.UnpicklingError(f"it asks for {asked[:200]}, which arrays do not need and could run code")
        return self._names[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        """Return a tensor's memory, as torch.save refers to it."""
        kind, dtype, key, _, numel, *views = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or any(views) or self._storage is None:
            raise pickle.UnpicklingError(f"it refers to {shown(kind)} in a way that is not known")
        _check_whole((numel,))
        return Storage(self._storage(str(key), dtype, numel), dtype, numel)

    def take(self, what: str, num_bytes: int) -> None:
        """Count what is made of the file's bytes; more than they can be is refused."""
        self._used[what] += num_bytes
        if self._used[what] > self._size * _USES[what]:
            raise pickle.UnpicklingError(f"its {what} claim {self._used[what]:,} bytes, more than the file has")


def _check_type(value: Any, *expected: type) -> None:
    if not isinstance(value, expected):
        raise pickle.UnpicklingError(f"it holds {shown(value)} where {expected[0].__name__} belongs")


def _check_whole(values: Any) -> None:
    _check_type(values, tuple)
    if len(values) > _MAX_DIMS or any(type(value) is not int or not 0 <= value < 2**62 for value in values):
        raise pickle.UnpicklingError(f"it holds {shown(values)} where sizes belong")


def _check_shape(shape: Any, dtype: np.dtype, raw: Any) -> None:
    _check_whole(shape)
    _check_type(raw, bytes, bytearray)
    needed = math.prod(shape) * dtype.itemsize
    if needed != len(raw):
        raise pickle.UnpicklingError(f"an array of shape {shown(shape)} needs {needed:,} bytes, {len(raw):,} are there")


def _encode(take: Callable, text: str, codec: str = "utf-8") -> bytes:
    _check_type(text, str)
    if codec not in _CODECS:
        raise pickle.UnpicklingError(f"it encodes text as {shown(codec)}")
    take("texts", len(text))
    return text.encode(codec)


def _reconstruct(take: Callable, *claims: Any) -> Array:
    array = Array()
    array.measure = take
    return array


def _from_buffer(take: Callable, raw: Any, dtype: DType, shape: tuple, order: str) -> Array:
    array = _reconstruct(take)
    array.__setstate__((shape, dtype, order == "F", raw))
    return array


def _scalar(take: Callable, dtype: DType, raw: Any = b"") -> Any:
    array = _from_buffer(take, raw, dtype, (), "C")
    return Holder() if array.unusable else array[()]


def _tensor(take: Callable, storage: Storage, offset: int, size: tuple, stride: tuple, *_: Any) -> Tensor:
    """A view of a storage, of no more numbers than are in it: a stride of 0 could claim any."""
    _check_type(storage, Storage)
    for values in ((offset,), size, stride):
        _check_whole(tuple(values) if isinstance(values, list) else values)
    count = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if count else -1
    if last >= storage.numel or count > storage.numel:
        raise pickle.UnpicklingError(f"a tensor of shape {shown(size)} does not lie in its {storage.numel:,} numbers")
    take("views", count * storage.dtype.itemsize)
    return torch.empty(0, dtype=storage.dtype).set_(storage.memory, offset if count else 0, size, stride)


def _tensor_of_dtype(take: Callable, storage: Storage, offset: int, size: tuple, stride: tuple, *rest: Any) -> Tensor:
    """Of a storage that knows only its bytes: requires_grad, hooks and the dtype follow."""
    dtype = rest[2]
    _check_type(storage, Storage)
    _check_type(dtype, torch.dtype)
    return _tensor(
        take, Storage(storage.memory, dtype, storage.memory.nbytes() // dtype.itemsize), offset, size, stride
    )


def _of_type(make: StandIn, kind: Any, args: tuple, state: Any) -> Any:
    _check_type(make, StandIn)
    return make(*args)


def _filled(kind: type, values: Any = ()) -> Any:
    _check_type(values, list, tuple, dict, str, bytes)
    return kind(values)


_STORAGES = {
    **{"Double": torch.float64, "Float": torch.float32, "Half": torch.float16, "BFloat16": torch.bfloat16},
    **{"Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8},
    **{"Bool": torch.bool, "ComplexFloat": torch.complex64, "ComplexDouble": torch.complex128},
}
# (module, name) -> what makes an object of the file's own bytes; its first argument measures them.
# NumPy 2 has renamed "core" to "_core".
MEASURED: dict[tuple[str, str], Callable] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
    ("numpy", "ndarray"): _reconstruct,
    ("_codecs", "encode"): _encode,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_of_dtype,
}
_BUILTINS = ("builtins", "__builtin__")  # Python 2's name of it
# Objects that checkpoints of common training scripts hold beside their tensors.
_HOLDERS = {
    "argparse": ("Namespace",),
    "types": ("SimpleNamespace",),
    **dict.fromkeys(
        ("pathlib", "pathlib._local"), ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path")
    ),
    "datetime": ("datetime", "date", "time", "timedelta", "timezone"),
    "collections": ("deque",),
    "easydict": ("EasyDict",),
    "yacs.config": ("CfgNode",),
    "fvcore.common.config": ("CfgNode",),
    "detectron2.config.config": ("CfgNode",),
    "torch": ("device", "Tensor"),
    "torch.nn.parameter": ("Parameter",),
    "torch.serialization": ("_get_layout",),
    **dict.fromkeys(_BUILTINS, ("object",)),
}
PLAIN: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): StandIn(DType),
    ("collections", "OrderedDict"): Ordered,
    ("collections", "defaultdict"): StandIn(lambda factory=None, values=(): _filled(Ordered, values)),
    ("collections", "Counter"): StandIn(partial(_filled, Counter)),
    **{(module, kind.__name__): StandIn(partial(_filled, kind)) for module in _BUILTINS for kind in (set, frozenset)},
    **{(module, "bytearray"): StandIn(lambda raw=b"", *_: _filled(bytes, raw)) for module in _BUILTINS},
    **{(module, "complex"): StandIn(complex) for module in _BUILTINS},
    **{(m, "_reconstructor"): StandIn(lambda kind, *_: _new_holder(kind)) for m in ("copyreg", "copy_reg")},
    ("torch", "Size"): StandIn(partial(_filled, tuple)),
    ("torch._utils", "_rebuild_parameter"): StandIn(lambda tensor, *_: tensor),
    ("torch._utils", "_rebuild_parameter_with_state"): StandIn(lambda tensor, *_: tensor),
    ("torch._tensor", "_rebuild_from_type_v2"): StandIn(_of_type),
    **{("torch", f"{name}Storage"): dtype for name, dtype in _STORAGES.items()},
    ("torch.storage", "UntypedStorage"): torch.uint8,
    **{("torch", name): kind for name, kind in vars(torch).items() if isinstance(kind, torch.dtype)},
    **{(module, name): Holder for module, names in _HOLDERS.items() for name in names},
}


def _new_holder(kind: Any) -> Holder:
    if kind is not Holder:
        raise pickle.UnpicklingError(f"it makes a {shown(kind)} in a way that is not known")
    return Holder()
