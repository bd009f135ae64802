"""ReaL labels against timm's own evaluator."""

import numpy as np
import pyarrow as pa
import pytest

from igdet.evaluation.rating.real import real_accuracy
from igdet.formats.imagenet_lists import VALIDATION_IMAGES, real_labels
from igdet.utils.errors import UserError


def table(ids, answers, labels=None):
    labels = [[0]] * len(ids) if labels is None else labels
    return pa.table({"image_id": ids, "gt_classes": labels, "top_classes": [[int(answer)] for answer in answers]})


def test_by_hand():
    ids = ["n1/ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000003"]
    result = real_accuracy(table(ids, [5, 7, 0]), [[7, 8], [4], []])  # the third has no ReaL label
    assert (result.plain, result.real, result.images) == (1 / 3, 1 / 2, 2)


def test_against_timm():
    torch = pytest.importorskip("torch")
    timm = pytest.importorskip("timm.data.real_labels")
    answers = np.random.default_rng(0).integers(0, 20, VALIDATION_IMAGES)
    names = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, VALIDATION_IMAGES + 1)]
    expected = timm.RealLabelsImagenet(names, topk=(1,))
    expected.add_result(torch.nn.functional.one_hot(torch.from_numpy(answers), 20))
    ours = real_accuracy(table(names, answers), real_labels())
    assert 100 * ours.real == pytest.approx(expected.get_accuracy(1))


@pytest.mark.parametrize("name", ["a/val_1.JPEG", "ILSVRC2012_val_00000000.JPEG", "ILSVRC2012_val_00000003.JPEG"])
def test_ids_that_are_not_imagenets(name):
    with pytest.raises(UserError, match=f"{name}: ReaL labels are for ImageNet's"):
        real_accuracy(table([name], [0]), [[0], [1]])


def test_nothing_to_score():
    with pytest.raises(UserError, match="no predictions"):
        real_accuracy(table([], []).slice(0, 0), [[0]])
    with pytest.raises(UserError, match="none of the 1 images has a ReaL label"):
        real_accuracy(table(["ILSVRC2012_val_00000001"], [0]), [[]])
