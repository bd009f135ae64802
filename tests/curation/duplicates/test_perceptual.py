"""PDQ hashes."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from igdet.curation.duplicates.perceptual import FEATURELESS, MAX_DISTANCE, hash_pictures, pdq
from igdet.curation.duplicates.picture_set import open_pictures

TURNS = [None, *Image.Transpose]


def distance(a, b):
    return int(np.unpackbits(a ^ b).sum())


@pytest.mark.parametrize("turn", TURNS)
def test_each_mirrored_or_turned_version_is_one_of_the_eight(make_scene, turn):
    picture = make_scene(0)
    orientations, quality = pdq(np.asarray(picture))
    turned, _ = pdq(np.asarray(picture if turn is None else picture.transpose(turn)))
    distances = [distance(bits, turned[0]) for bits in orientations]
    assert quality >= 50
    assert min(distances) <= MAX_DISTANCE
    assert sorted(distances)[1] > 2 * MAX_DISTANCE


def test_a_picture_as_it_is_comes_first(make_scene):
    picture = make_scene(0)
    smaller, _ = pdq(np.asarray(ImageOps.scale(picture, 0.7)))
    assert distance(pdq(np.asarray(picture))[0][0], smaller[0]) <= MAX_DISTANCE


def test_featureless_and_bad_pictures_are_named(make_folder, make_scene, scan, silent):
    flat = Image.new("RGB", (64, 64), "grey")
    folder = make_folder({"a.jpg": flat, "b.jpg": make_scene(0), "c.jpg": b"", "d.jpg": make_scene(1)})
    hashes = hash_pictures(open_pictures(folder), scan, silent)
    assert hashes.ids.to_pylist() == ["b.jpg", "d.jpg"]
    assert hashes.bits.shape == (2, 8, 32)
    assert {skip.id: skip.reason for skip in hashes.skipped} == {"a.jpg": FEATURELESS, "c.jpg": "empty"}


def test_a_set_of_featureless_pictures_has_no_hashes(make_folder, scan, silent):
    hashes = hash_pictures(open_pictures(make_folder({"a.jpg": Image.new("L", (9, 9))})), scan, silent)
    assert hashes.bits.shape == (0, 8, 32)
    assert len(hashes.ids) == 0
