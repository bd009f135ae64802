"""Tests of making samples, good and bad."""

import numpy as np
import pytest
import torch

from igdet.data.bad_records import BadRecordsError
from igdet.data.images import jpeg
from igdet.data.images.decoding import open_croppable
from igdet.data.images.transforms import TestTransform, TrainTransform, TrainTransforms
from igdet.data.readers.image_folder import read_image_folder
from igdet.data.samples import MAX_REPLACEMENTS, EvaluationSamples, LabelNoise, TrainingSamples, pack, unpack
from igdet.data.subsets import SubsetRecords

TEST_TRANSFORM = TestTransform(20, 16)
EARLY, LATE = (TrainTransform(side, (0.3, 1.0), (3 / 4, 4 / 3), flip=0.5) for side in (16, 24))
TRANSFORMS = TrainTransforms(EARLY, LATE, since=100)


def training_samples(folder, channel_order="RGB", seed=7):
    records = read_image_folder(str(folder), ["cat", "dog"])
    return TrainingSamples(records, TRANSFORMS, LabelNoise(0.0, np.array([5, 3]), seed), channel_order, seed)


def evaluation_samples(folder):
    return EvaluationSamples(read_image_folder(str(folder), ["cat", "dog"]), TEST_TRANSFORM, "RGB")


def test_a_training_sample(folder_of_images):
    sample = training_samples(folder_of_images)[(0, 6)]
    assert (sample["image"].shape, sample["image"].dtype) == ((3, 16, 16), torch.uint8)
    assert (sample["gt_classes"].tolist(), sample["gt_classes"].dtype) == ([1], torch.int64)
    assert sample["image_id"] == "dog/1.jpg"
    assert sample["bad_records"] == []


def test_a_sample_depends_on_seed_and_draw_only(folder_of_images):
    images = {
        (seed, draw): training_samples(folder_of_images, seed=seed)[(draw, 0)]["image"].numpy().tobytes()
        for seed in (7, 8)
        for draw in (0, 1, 2)
    }
    assert len(set(images.values())) == 6
    again = training_samples(folder_of_images)
    again[(5, 3)]  # what was drawn before makes no difference
    assert again[(2, 0)]["image"].numpy().tobytes() == images[7, 2]


def test_late_draws_have_the_late_crop(folder_of_images):
    samples = training_samples(folder_of_images)
    assert [samples[(draw, 0)]["image"].shape[1] for draw in (0, 99, 100, 5000)] == [16, 16, 24, 24]


def test_one_label_of_several_is_drawn_each_time(folder_of_images):
    whole = read_image_folder(str(folder_of_images), ["cat", "dog"])
    offsets = np.arange(0, 2 * len(whole) + 1, 2)
    records = SubsetRecords(whole, np.arange(len(whole)), offsets, np.tile(np.array([3, 8], np.int32), len(whole)))
    samples = TrainingSamples(records, TRANSFORMS, LabelNoise(0.0, np.ones(9), 7), "RGB", 7, one_label=True)
    drawn = [samples[(draw, 0)]["gt_classes"].tolist() for draw in range(40)]
    assert {len(labels) for labels in drawn} == {1}
    assert 8 <= drawn.count([3]) <= 32  # fair: fewer or more in 1 of 20,000 runs of 40
    assert samples[(5, 0)]["gt_classes"].tolist() == drawn[5]


def test_channel_order(folder_of_images):
    rgb = training_samples(folder_of_images, "RGB")[(0, 2)]["image"]
    bgr = training_samples(folder_of_images, "BGR")[(0, 2)]["image"]
    assert torch.equal(rgb, bgr.flip(0))


def test_a_bad_record_is_replaced_and_reported_the_same_way_each_time(folder_of_images):
    (folder_of_images / "cat/0.jpg").write_bytes(b"")
    first, second = (training_samples(folder_of_images)[(4, 0)] for _ in range(2))
    assert first["image_id"] == second["image_id"] != "cat/0.jpg"
    assert torch.equal(first["image"], second["image"])
    assert first["bad_records"][0] == ("cat/0.jpg", "is empty (0 bytes)")


def test_a_image_whose_pixels_are_damaged_is_replaced_too(folder_of_images):
    if not jpeg._jpeg:
        pytest.skip("OpenCV does not notice: " + jpeg.DECODER)
    data = (folder_of_images / "cat/0.jpg").read_bytes()
    (folder_of_images / "cat/0.jpg").write_bytes(data[:-100] + b"\xff\xd9")
    sample = training_samples(folder_of_images)[(4, 0)]
    assert sample["image_id"] != "cat/0.jpg"
    assert [name for name, _ in sample["bad_records"]] == ["cat/0.jpg"]
    assert "Corrupt JPEG data" in sample["bad_records"][0][1]


def test_nothing_but_bad_records_stops(folder_of_images):
    for image in folder_of_images.rglob("*.*"):
        image.write_bytes(b"broken")
    with pytest.raises(BadRecordsError, match=f"{MAX_REPLACEMENTS} records in a row are bad"):
        training_samples(folder_of_images)[(0, 0)]


def test_an_evaluation_sample_is_the_centre_of_the_image(folder_of_images):
    data = (folder_of_images / "dog/2.jpg").read_bytes()
    expected = TEST_TRANSFORM(open_croppable(data, "RGB", "")).transpose(2, 0, 1)
    sample = evaluation_samples(folder_of_images)[7]
    np.testing.assert_array_equal(sample["image"].numpy(), expected)
    assert sample["image_id"] == "dog/2.jpg"


def test_a_bad_record_is_evaluated_as_grey(folder_of_images):
    (folder_of_images / "dog/2.jpg").write_bytes(b"broken")
    sample = evaluation_samples(folder_of_images)[7]
    assert sample["image"].shape == (3, 16, 16)
    assert sample["image"].unique().tolist() == [128]
    assert sample["gt_classes"].tolist() == [1]
    assert sample["bad_records"][0][0] == "dog/2.jpg"


def test_unpacking_undoes_packing(folder_of_images):
    samples = [evaluation_samples(folder_of_images)[i] for i in (0, 7)]
    samples[1]["gt_classes"] = torch.tensor([0, 1])
    for before, after in zip(samples, unpack(pack(samples)), strict=True):
        assert before.keys() == after.keys()
        assert torch.equal(before["image"], after["image"])
        assert torch.equal(before["gt_classes"], after["gt_classes"])
        assert (before["image_id"], before["bad_records"]) == (after["image_id"], after["bad_records"])
