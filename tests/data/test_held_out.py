"""Tests of the held-out part of a set."""

from hashlib import blake2b

import numpy as np
import pytest

from igdet.data.held_out import part_of
from igdet.formats.errors import DatasetError

NAMES = [f"{wnid}/{wnid}_{i}.JPEG" for wnid, count in (("n1", 9), ("n2", 5), ("n3", 1)) for i in range(count)]
IDS = np.array([0] * 9 + [1] * 5 + [2])


def chosen(names, ids, split="val", count=3):
    return {names[i] for i in part_of(names, ids, count, split)}


def test_the_smallest_hashes_of_every_class_at_most_half_of_it():
    def smallest(wnid, count):
        names = [name for name in NAMES if name.startswith(wnid)]
        file_hash = lambda name: int.from_bytes(blake2b(name[3:].encode(), digest_size=8).digest(), "little")  # noqa: E731
        return set(sorted(names, key=file_hash)[:count])

    assert chosen(NAMES, IDS) == smallest("n1", 3) | smallest("n2", 2)  # 5 // 2 of n2, none of the one of n3


def test_the_parts_make_the_whole():
    train, val = (part_of(NAMES, IDS, 3, split) for split in ("train", "val"))
    assert sorted([*train, *val]) == part_of(NAMES, IDS, 0, "all").tolist() == list(range(15))


def test_neither_order_nor_place_matters():
    order = np.random.default_rng(0).permutation(len(NAMES))
    moved = [f"elsewhere/{NAMES[i]}" for i in order]
    assert chosen(moved, IDS[order]) == {f"elsewhere/{name}" for name in chosen(NAMES, IDS)}


def test_an_added_image_displaces_at_most_one():
    names = [f"{i}.jpg" for i in range(40)]
    before = chosen(names, np.zeros(40, int), count=10)
    for added in range(100):
        after = chosen([*names, f"new{added}.jpg"], np.zeros(41, int), count=10)
        assert len(after) == 10
        assert len(after - before) <= 1


@pytest.mark.parametrize(("count", "split"), [(0, "val"), (3, "all"), (3, "test"), (-1, "train")])
def test_parts_that_make_no_sense(count, split):
    with pytest.raises(DatasetError, match=f"SPLIT '{split}' with HELD_OUT {count}"):
        part_of(NAMES, IDS, count, split)


def test_nothing_to_hold_out():
    with pytest.raises(DatasetError, match="SPLIT val is empty"):
        part_of(["a", "b"], np.array([0, 1]), 5, "val")
