"""PDQ, held to what the reference implementation gives."""

import numpy as np
import pytest
from PIL import ImageOps

from igdet.curation.duplicates.perceptual import MAX_DISTANCE, MIN_QUALITY, hash_image

# Sides and divisor of a checkered image, then quality and hash by pdqhash 0.2.8, which wraps the reference in C++.
REFERENCE = [
    ((64, 64, 1), 100, "37405b65f4d2e98fcc79a8bba6363b64507cab81e683c49f5d49574437865660"),
    ((23, 31, 1), 60, "1c38e3c7a346bb7644991c38e3c7a347bb7644991c38e3c7a3c7bb6644991c38"),
    ((520, 300, 8), 68, "fc7076ca09c13684de10940a29597c937b2f1b90854af975b67f3821f13fcb17"),
    ((129, 700, 8), 62, "5922d5582aa5e6d5e554eb3adfab180f1e50dc76e8df0631e10025028eafdadd"),
]
# Likewise of the image of 150 x 200 pixels, in all orientations.
ORIENTATIONS = """
9397327ba19ad9faeb1dcabdbc0333278b49b18bb4f0e3985170318545230dab
bea0e3ed2b542c9f1e01fddc4c906620b475af57550303c77cd172fbe3423838
c6c6b8d1f5cf7352be496017e9569b8dde1c9b21e1a5c93254258b2f1076a703
ebf549477e21863d4bd4577699c5cc8ae12015fd007ea96d2984d851b717d293
9397ed85a09a2647eb1c3542bc03ceda8b49ce74b4f09c671170de7a4523f257
c4c2472ef5cf8cadbe499fe8e9566472d61c64dec18536cd540574d0107658fc
bef01c1a6b74d36c1e810223cd90b9dfb47550a8552bfc387cd18d04f343cfc7
ebf5b6b87e2179ca4bd4a88999c53375e120fa02007e56922984a7aeb6176d6d
"""
# The eight orientations as an image is brought into them, in the order of its hashes.
TURNS = [
    lambda image: image,
    np.rot90,
    lambda image: np.rot90(image, 2),
    lambda image: np.rot90(image, 3),
    np.flipud,
    np.fliplr,
    lambda image: image.swapaxes(0, 1),
    lambda image: np.rot90(image, 2).swapaxes(0, 1),
]


def checkered(height, width, divisor):
    """An image of cells of 9 x 9 pixels; the larger the divisor, the fainter."""
    row, column, channel = np.indices((height, width, 3)) // np.array([9, 9, 1])[:, None, None, None]
    return ((37 * row * row + 59 * row * column + 101 * column + 83 * channel) % 256 // divisor).astype(np.uint8)


def distances(a, b):
    """Of hashes, or of rows of hashes."""
    return np.unpackbits(a ^ b, axis=-1).sum(axis=-1, dtype=int)


@pytest.mark.parametrize(("shape", "quality", "expected"), REFERENCE)
def test_hash_and_quality_match_the_reference(shape, quality, expected):
    hashes, measured = hash_image(checkered(*shape))
    assert (hashes[0].tobytes().hex(), measured) == (expected, quality)


def test_the_eight_orientations_match_the_reference():
    hashes, _ = hash_image(checkered(150, 200, 1))
    assert [row.tobytes().hex() for row in hashes] == ORIENTATIONS.split()


@pytest.mark.parametrize("seed", range(8))
def test_random_images_match_the_reference(seed):
    pdqhash = pytest.importorskip("pdqhash")
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (*random.integers(17, 400, 2), 3), dtype=np.uint8)
    expected, expected_quality = pdqhash.compute_dihedral(image)
    hashes, quality = hash_image(image)
    assert quality == expected_quality
    assert distances(hashes, np.packbits(np.array(expected, bool), axis=1)).max() <= 4  # two sums rounded otherwise


@pytest.mark.parametrize("turn", range(8))
def test_each_orientation_is_the_hash_of_the_turned_image(turn):
    image = checkered(64, 64, 1)  # of this size nothing is smoothed, so that equality is exact
    assert distances(hash_image(image)[0][turn], hash_image(TURNS[turn](image))[0][0]) == 0


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_image_matches_its_orientation_alone(make_scene, turn):
    image = np.asarray(make_scene(0))
    to_turned = distances(hash_image(image)[0], hash_image(TURNS[turn](image))[0][0])
    assert to_turned[turn] <= MAX_DISTANCE
    assert np.delete(to_turned, turn).min() > 2 * MAX_DISTANCE


def test_a_smaller_copy_has_nearly_the_same_hash(make_scene):
    image = make_scene(0)
    hashes, copies = (hash_image(np.asarray(version))[0] for version in (image, ImageOps.scale(image, 0.7)))
    assert distances(hashes[0], copies[0]) <= MAX_DISTANCE


def test_a_image_with_shapes_is_good_enough(make_scene):
    assert hash_image(np.asarray(make_scene(0)))[1] >= MIN_QUALITY


@pytest.mark.parametrize("shape", [(5, 5), (64, 64), (300, 200)])
def test_a_flat_image_has_no_quality(shape):
    hashes, quality = hash_image(np.full((*shape, 3), 130, np.uint8))
    assert hashes.shape == (8, 32)
    assert quality == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (4, 4), (900, 4)])
def test_a_tiny_image_has_no_hash(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    hashes, quality = hash_image(image)
    assert hashes.shape == (8, 32)
    assert not hashes.any()
    assert quality == 0


def test_the_smallest_image_with_a_hash():
    hashes, quality = hash_image(np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8))
    assert hashes.any()
    assert quality > 0
