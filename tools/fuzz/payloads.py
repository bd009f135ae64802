"""Checkpoints that hold what no checkpoint holds."""

import argparse
import io
import pickle
import struct
from collections.abc import Callable
from contextlib import suppress
from random import Random

import numpy as np
import torch

VALUES: tuple[Callable[[], object], ...] = (
    lambda: None,
    lambda: True,
    lambda: -1,
    lambda: 10**5000,
    lambda: float("nan"),
    lambda: "\x1b[31m" * 10,
    lambda: "x" * 100_000,
    lambda: b"\x00\xff",
    lambda: [],
    lambda: {},
    lambda: {"a": {}},
    lambda: {1: 2},
    lambda: argparse.Namespace(a=1),
    lambda: np.float64(0.5),
    lambda: np.zeros((0,), np.float32),
    lambda: np.full((4, 3), np.nan, np.float32),
    lambda: np.zeros(3, np.longdouble),
    lambda: np.array(["a", None], object),
    lambda: np.array(["text"]),
    lambda: np.zeros(2, [("a", "f4"), ("b", "i8")]),
    lambda: np.array(3),
    lambda: torch.zeros(()),
    lambda: torch.zeros(0),
    lambda: torch.full((4, 3, 7, 7), float("inf")),
    lambda: torch.zeros(3, dtype=torch.complex64),
    lambda: torch.zeros(3, dtype=torch.bool),
    lambda: torch.zeros(1).expand(10_000, 10_000),
    lambda: torch.zeros(2, 2).to_sparse(),
    lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8),
    lambda: torch.nn.Parameter(torch.ones(3)),
    lambda: torch.zeros(3, device="meta"),
)
# Pieces of pickles that claim or ask for what they should not: a size, a place in the memo, a program.
_OPCODES = (
    *(
        b"\x8e" + struct.pack("<Q", 2**40),
        b"\x96" + struct.pack("<Q", 2**40),
        b"r" + struct.pack("<I", 10**9),
        b"I1e9\n",
    ),
    *(b"cos\nsystem\n(S'true'\ntR", b"cbuiltins\neval\n", b"\x8a\xff", b"\x8b" + struct.pack("<i", 2**30), b"(" * 500),
    *(b"]" + b"a" * 3, b"\x94" * 100, b"0" * 10, b"R", b"b", b"Q", b"P1\n", b"N.", b"2" * 50 + b"t", b"I1e9\n"),
)


def mutate_pickle(data: bytes, dice: Random) -> bytes:
    """Change what a pickle of NumPy arrays holds, or its opcodes."""
    if dice.random() < 0.4:
        place = dice.randrange(len(data))
        return data[:place] + dice.choice(_OPCODES) + data[place:]
    changed = _mutated(pickle.loads(data), dice)
    with suppress(ValueError):  # the first protocol writes digits, of which Python makes no more than 4,300
        return pickle.dumps(changed, protocol=dice.choice((0, 2, 4)))
    return pickle.dumps(changed)


def mutate_torch(data: bytes, dice: Random) -> bytes:
    """Change what a checkpoint of `torch.save` holds."""
    return _mutated_torch(data, dice, zipped=True)


def mutate_legacy(data: bytes, dice: Random) -> bytes:
    """Change what a checkpoint in the older format of `torch.save` holds."""
    return _mutated_torch(data, dice, zipped=False)


def _mutated_torch(data: bytes, dice: Random, zipped: bool) -> bytes:
    written = io.BytesIO()
    payload = _mutated(torch.load(io.BytesIO(data)), dice)
    torch.save(payload, written, _use_new_zipfile_serialization=zipped)
    return written.getvalue()


def _mutated(payload: dict, dice: Random) -> object:
    share = dice.random()
    if share < 0.05:
        return dice.choice(VALUES)()
    holders = [payload, *(value for value in payload.values() if isinstance(value, dict) and value)]
    holder = dice.choice(holders)
    key = dice.choice(list(holder))
    if share < 0.15:
        del holder[key]
    elif share < 0.25:
        holder[dice.choice((0, None, "", "\x1b", "module." + str(key), ("a",)))] = holder.pop(key)
    else:
        holder[key] = dice.choice(VALUES)()
    return payload
