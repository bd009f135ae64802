"""A minival is the same for all files of a training set, disjoint from the rest, and never of evaluation images."""

import json

import pytest

from igdet.data.minival import cut_minival
from igdet.formats.errors import DatasetError


def write(path, ids, each=2, prefix="train"):
    images = [{"id": i, "file_name": f"{prefix}{i}.jpg", "width": 9, "height": 9} for i in ids]
    annotations = [{"id": 10 * i + n, "image_id": i} for i in ids for n in range(each)]
    path.write_text(
        json.dumps({"info": {"year": 2017}, "images": images, "annotations": annotations, "categories": []})
    )
    return path


@pytest.fixture
def files(tmp_path):
    return [
        write(tmp_path / "instances.json", range(50)),
        write(tmp_path / "keypoints.json", list(reversed(range(50))), 1),
    ]


def ids(path):
    content = json.loads(path.read_text())
    return {image["id"] for image in content["images"]}, {item["image_id"] for item in content["annotations"]}


def test_the_parts_are_disjoint_and_whole(files, tmp_path):
    boxes, keypoints = cut_minival(files, 10, 0, tmp_path / "cut")
    assert (boxes.images, boxes.annotations, keypoints.annotations) == ((40, 10), (80, 20), (40, 10))
    train, minival = ids(boxes.fit), ids(boxes.minival)
    assert train[0] == train[1] and minival[0] == minival[1]
    assert not train[0] & minival[0] and train[0] | minival[0] == set(range(50))
    assert ids(keypoints.minival)[0] == minival[0]
    assert json.loads(boxes.fit.read_text())["info"] == {"year": 2017}
    assert boxes.minival.name == "instances_minival.json"
    [named] = cut_minival([write(tmp_path / "instances_train2017.json", range(9))], 3, 0, tmp_path)
    assert (named.fit.name, named.minival.name) == ("instances_fit2017.json", "instances_minival2017.json")


def test_the_choice_follows_from_the_seed(files, tmp_path):
    [first], [again], [other] = (
        cut_minival(files[:1], 10, seed, tmp_path / str(n)) for n, seed in enumerate((0, 0, 1))
    )
    assert ids(first.minival) == ids(again.minival) != ids(other.minival)


def test_evaluation_images_are_refused(files, tmp_path):
    val = write(tmp_path / "val.json", [49, 70])
    with pytest.raises(DatasetError, match=r"instances\.json: image train49\.jpg is also in .*val\.json"):
        cut_minival(files, 10, 0, tmp_path / "cut", [val])
    assert not (tmp_path / "cut").exists()
    cut_minival(files, 10, 0, tmp_path / "cut", [write(tmp_path / "val.json", range(50), prefix="val")])


@pytest.mark.parametrize("count", [0, 50, 51])
def test_both_parts_have_images(files, tmp_path, count):
    with pytest.raises(DatasetError, match="some must be left"):
        cut_minival(files, count, 0, tmp_path / "cut")


def test_files_of_other_images_are_refused(files, tmp_path):
    other = write(tmp_path / "other.json", range(1, 51))
    with pytest.raises(DatasetError, match=r"other\.json: its images are not those of .*instances\.json"):
        cut_minival([files[0], other], 10, 0, tmp_path / "cut")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": [{"id": 1}], "annotations": []}'])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DatasetError, match=r"x\.json(: entry 0 of 'images' lacks file_name| is no (COCO json|JSON):)"):
        cut_minival([tmp_path / "x.json"], 10, 0, tmp_path / "cut")
