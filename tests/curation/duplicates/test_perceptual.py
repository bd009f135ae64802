"""Hashes of sets of images."""

from PIL import Image

from igdet.curation.duplicates.image_sets import open_image_set
from igdet.curation.duplicates.perceptual import FEATURELESS, hash_images


def test_featureless_and_bad_images_are_named(make_folder, make_scene, scan, silent):
    flat = Image.new("RGB", (64, 64), "grey")
    folder = make_folder({"a.jpg": flat, "b.jpg": make_scene(0), "c.jpg": b"", "d.jpg": make_scene(1)})
    hashes = hash_images(open_image_set(folder), scan, silent)
    assert hashes.ids.to_pylist() == ["b.jpg", "d.jpg"]
    assert hashes.bits.shape == (2, 8, 32)
    assert {skip.id: skip.reason for skip in hashes.skipped} == {"a.jpg": FEATURELESS, "c.jpg": "empty"}


def test_a_set_of_featureless_images_has_no_hashes(make_folder, scan, silent):
    hashes = hash_images(open_image_set(make_folder({"a.jpg": Image.new("L", (9, 9))})), scan, silent)
    assert hashes.bits.shape == (0, 8, 32)
    assert len(hashes.ids) == 0
