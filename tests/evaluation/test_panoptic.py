"""Panoptic quality: by hand, and hotcoco's against a plain implementation of the article's definition."""

import json
from itertools import product

import numpy as np
import panoptic_toys as toys
import pytest
import torch
from detectron2.data import MetadataCatalog

from igdet.evaluation import PanopticEvaluator
from igdet.formats.label_maps import encode_segment_ids

THINGS, STUFF = {5: 0}, {7: 1, 9: 2}


def panoptic_quality(truth, predicted, categories):
    """PQ, SQ and RQ of one image (Kirillov et al. 2019, section 4), the mean over categories that occur.

    Args:
        truth, predicted: {segment id: (category, bool (H, W))}; pixels of no segment of the truth do not count.
    """
    void = ~np.any([mask for _, mask in truth.values()], axis=0)
    figures = []
    for category in categories:
        ours = {i: mask for i, (of, mask) in truth.items() if of == category}
        theirs = {i: mask for i, (of, mask) in predicted.items() if of == category}
        ious = {
            (i, j): (ours[i] & theirs[j]).sum() / ((ours[i] | theirs[j]) & ~void).sum()
            for i, j in product(ours, theirs)
        }
        matched = {pair: iou for pair, iou in ious.items() if iou > 0.5}  # at most one a segment
        free = [j for j in theirs if j not in {j for _, j in matched}]
        false = sum((theirs[j] & void).sum() <= 0.5 * theirs[j].sum() for j in free)  # mostly void: no mistake
        count, missed = len(matched), len(ours) - len(matched)
        if count + false + missed:
            quality = sum(matched.values()) / count if count else 0.0
            recognised = count / (count + false / 2 + missed / 2)
            figures.append((quality * recognised, quality, recognised))
    return 100 * np.mean(figures, axis=0)


def segments_of(ids, infos):
    return {info["id"]: (info["category_id"], ids == info["id"]) for info in infos}


@pytest.fixture
def data_set(tmp_path):
    fields = toys.write(tmp_path, toys.content(), toys.instances())
    name = f"panoptic_{tmp_path.name}"
    MetadataCatalog.get(name).set(
        panoptic_json=fields["ANNOTATIONS"],
        panoptic_root=fields["MASKS"],
        thing_dataset_id_to_contiguous_id=THINGS,
        stuff_dataset_id_to_contiguous_id=STUFF,
    )
    yield name
    MetadataCatalog.remove(name)


def evaluated(name, folder, ids, infos):
    evaluator = PanopticEvaluator(name, folder)
    evaluator.reset()
    segments = torch.from_numpy(ids.astype(np.int32))
    evaluator.process([{"image_id": 1}], [{"panoptic_seg": (segments, infos)}])
    return evaluator.evaluate()["panoptic_seg"]


PERFECT = [
    {"id": 1, "category_id": 0, "isthing": True},
    {"id": 2, "category_id": 0, "isthing": True},
    {"id": 3, "category_id": 2, "isthing": False},
]


def test_the_truth_is_perfect(data_set, tmp_path):
    figures = evaluated(data_set, tmp_path / "run", toys.SEGMENTS, PERFECT)
    assert figures == pytest.approx({f"{q}Q{group}": 100 for q in "PSR" for group in ("", "_th", "_st")})
    written = json.loads((tmp_path / "run/panoptic_predictions.json").read_text())
    [entry] = written["annotations"]
    assert [segment["category_id"] for segment in entry["segments_info"]] == [5, 5, 9]
    file = tmp_path / "run/panoptic_predictions" / entry["file_name"]
    assert file.read_bytes() == encode_segment_ids(toys.SEGMENTS)


def test_a_missed_doll_by_hand(data_set, tmp_path):
    """One of two dolls is found with IoU 3 / 4: PQ 0.75 x 1 / 1.5; grass keeps its 15 of 15 + 1 + 4 pixels."""
    ids = toys.SEGMENTS.copy()
    ids[0, 0] = 3
    ids[toys.SEGMENTS == 2] = 3
    figures = evaluated(data_set, tmp_path, ids, [PERFECT[0], PERFECT[2]])
    assert (figures["PQ_th"], figures["SQ_th"], figures["RQ_th"]) == pytest.approx((50, 75, 200 / 3))
    assert figures["PQ_st"] == pytest.approx(75)
    assert figures["PQ"] == pytest.approx(62.5)


@pytest.mark.parametrize("seed", range(6))
def test_hotcoco_agrees_with_the_definition(data_set, tmp_path, seed):
    """Random segments, sky among them, which is not there; and one that lies on void alone."""
    generator = np.random.default_rng(seed)
    ids = np.where(generator.random(toys.SEGMENTS.shape) < 0.75, toys.SEGMENTS, generator.integers(0, 5, (4, 6)))
    ids[0, 5] = 5
    infos = [*PERFECT, {"id": 4, "category_id": 1, "isthing": False}, {"id": 5, "category_id": 0, "isthing": True}]
    infos = [info for info in infos if (ids == info["id"]).any()]
    figures = evaluated(data_set, tmp_path, ids, infos)
    names = {number: ours for ids in (THINGS, STUFF) for ours, number in ids.items()}
    theirs = segments_of(ids, [{**info, "category_id": names[info["category_id"]]} for info in infos])
    ours = segments_of(toys.SEGMENTS, toys.content()["annotations"][0]["segments_info"])
    for categories, group in ((THINGS, "_th"), (STUFF, "_st"), (THINGS | STUFF, "")):
        expected = panoptic_quality(ours, theirs, categories)
        assert [figures[f"{q}Q{group}"] for q in "PSR"] == pytest.approx(expected)
