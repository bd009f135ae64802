"""Reading all images of a set."""

import pickle

import numpy as np
import pytest
from PIL import Image

from igdet.curation import engine
from igdet.curation.duplicates.image_sets import DuplicatesError, open_image_set
from igdet.curation.duplicates.scanning import Scan, decode


def shape(image: np.ndarray) -> tuple:
    return image.shape


def test_images_come_in_order_and_bad_ones_are_named(make_folder, make_scene):
    folder = make_folder({"a.jpg": make_scene(0), "b.jpg": b"no picture", "c.jpg": make_scene(1, (40, 30))})
    (scanned,) = Scan(max_side=512)(open_image_set(folder), shape)
    assert scanned.rows == [0, 2]
    assert scanned.values == [(72, 96, 3), (30, 40, 3)]
    assert [(skip.id, skip.reason) for skip in scanned.skipped] == [("b.jpg", "not_an_image")]


def test_other_processes_can_do_the_work(make_folder, make_scene, monkeypatch):
    images = open_image_set(make_folder({f"{i:03}.jpg": make_scene(i, (8, 8 + i % 7)) for i in range(100)}))
    here = list(Scan(512)(images, shape))

    def sent(work, tasks, processes):
        assert processes == 2
        received, tasks = pickle.loads(pickle.dumps((work, list(tasks))))
        return (engine.Done(received(*task), 0.0, "another") for task in tasks)

    monkeypatch.setattr(engine, "map_in_order", sent)
    assert list(Scan(512, processes=2)(images, shape)) == here
    assert [row for part in here for row in part.rows] == list(range(100))


def test_too_many_bad_images_stop_it(make_folder, make_scene):
    good = {f"a{i}.jpg": make_scene(i) for i in range(9)}
    images = open_image_set(make_folder(good | {f"b{i}.jpg": b"" for i in range(11)}))
    with pytest.raises(DuplicatesError, match=r"11 of 20 images are bad, the last one b9\.jpg: empty"):
        list(Scan(512)(images, shape))
    (scanned,) = Scan(512, max_bad_share=0.6)(images, shape)
    assert len(scanned.skipped) == 11


def test_large_images_are_made_smaller(make_scene, encode):
    assert decode(encode(make_scene(0, (300, 100))), max_side=90).shape == (30, 90, 3)


def test_a_grey_image_gets_three_channels_and_a_turned_one_stands_upright(make_scene, encode, tmp_path):
    assert decode(encode(make_scene(0).convert("L")), 512).shape == (72, 96, 3)
    turned = Image.Exif()
    turned[274] = 6
    make_scene(0).save(tmp_path / "turned.jpg", exif=turned)
    assert decode((tmp_path / "turned.jpg").read_bytes(), 512).shape == (96, 72, 3)
