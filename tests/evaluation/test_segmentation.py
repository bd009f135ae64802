"""Scores of pixels: by hand, against scikit-learn, and the same from two processes as from one."""

import json

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from sklearn import metrics

from igdet.evaluation.segmentation import SegmentationEvaluator, confusion_matrix, pixel_metrics
from igdet.utils.errors import UserError

NAMES = ["sky", "sea", "sand", "snow"]
IGNORED = 255


def test_a_matrix_by_hand():
    truth = np.array([[0, 0, 1], [1, IGNORED, 2]], np.uint8)
    predicted = np.array([[0, 1, 1], [1, 2, 0]])
    assert confusion_matrix(truth, predicted, 3, IGNORED).tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_figures_by_hand():
    """Sky 1 of 1 + 1 + 1, sea 2 of 3, sand 0 of 1; nothing is snow, nor taken for it."""
    figures = pixel_metrics(np.array([[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]), NAMES)
    expected = {
        **{"IoU-sky": 100 / 3, "IoU-sea": 200 / 3, "IoU-sand": 0, "mIoU": 100 / 3},
        **{"ACC-sky": 50, "ACC-sea": 100, "ACC-sand": 0, "mACC": 50, "pACC": 60},
        "fwIoU": (2 * 100 / 3 + 2 * 200 / 3) / 5,
    }
    assert figures == pytest.approx(expected)


def test_a_class_that_is_predicted_but_not_there_counts_with_0():
    figures = pixel_metrics(np.array([[3, 1], [0, 0]]), NAMES[:2])
    assert figures["mIoU"] == pytest.approx((75 + 0) / 2)
    assert "ACC-sea" not in figures and figures["mACC"] == 75


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_scikit_learns(seed):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 4, (30, 20)).astype(np.uint8)
    truth[generator.random(truth.shape) < 0.2] = IGNORED
    predicted = np.where(
        generator.random(truth.shape) < 0.6, np.minimum(truth, 3), generator.integers(0, 4, truth.shape)
    )
    pixels = confusion_matrix(truth, predicted, 4, IGNORED)
    counted = truth != IGNORED
    y, found = truth[counted], predicted[counted]
    np.testing.assert_array_equal(pixels, metrics.confusion_matrix(y, found, labels=range(4)))
    figures = pixel_metrics(pixels, NAMES)
    each = metrics.jaccard_score(y, found, average=None)
    assert [figures[f"IoU-{name}"] for name in NAMES] == pytest.approx(100 * each)
    assert figures["mIoU"] == pytest.approx(100 * metrics.jaccard_score(y, found, average="macro"))
    assert figures["fwIoU"] == pytest.approx(100 * metrics.jaccard_score(y, found, average="weighted"))
    assert figures["pACC"] == pytest.approx(100 * metrics.accuracy_score(y, found))
    assert figures["mACC"] == pytest.approx(100 * metrics.balanced_accuracy_score(y, found))


def scores(labels: torch.Tensor) -> torch.Tensor:
    """Logits (L, H, W) of which the highest is that of a class."""
    return torch.nn.functional.one_hot(labels, len(NAMES)).permute(2, 0, 1).float()


def evaluated(folder, images):
    evaluator = SegmentationEvaluator(NAMES, IGNORED, folder)
    evaluator.reset()
    for seed in images:
        generator = torch.Generator().manual_seed(seed)
        truth, predicted = torch.randint(0, 4, (2, 5, 6 + seed), generator=generator)
        evaluator.process([{"gt_sem_seg": truth.to(torch.uint8)}], [{"sem_seg": scores(predicted)}])
    return evaluator.evaluate()


def test_a_run_leaves_its_matrix(tmp_path):
    figures = evaluated(tmp_path, range(3))["sem_seg"]
    written = json.loads((tmp_path / "confusion_matrix.json").read_text())
    assert written["classes"] == NAMES
    assert pixel_metrics(np.array(written["pixels"]), NAMES) == figures


def test_images_without_label_map_are_passed_over_and_none_at_all_is_an_error(tmp_path):
    evaluator = SegmentationEvaluator(NAMES, IGNORED, tmp_path / "coast_val")
    evaluator.process([{}], [{"sem_seg": scores(torch.zeros(2, 3, dtype=torch.long))}])
    nothing = torch.full((2, 3), IGNORED, dtype=torch.uint8)
    evaluator.process([{"gt_sem_seg": nothing}], [{"sem_seg": scores(torch.zeros(2, 3, dtype=torch.long))}])
    with pytest.raises(UserError, match="coast_val: there was no labelled pixel to evaluate"):
        evaluator.evaluate()


def worker(rank, folder):
    torch.set_num_threads(1)  # a forked process has none of its parent's threads
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    torch.save(evaluated(folder, range(rank, 5, 2)), folder / f"{rank}.pth")
    dist.destroy_process_group()


def test_two_ranks_give_the_results_of_one_to_the_bit(tmp_path):
    mp.start_processes(worker, (tmp_path,), nprocs=2, start_method="forkserver")  # as in test_sharding.py
    assert torch.load(tmp_path / "1.pth") == {}
    assert torch.load(tmp_path / "0.pth", weights_only=False) == evaluated(tmp_path / "one", range(5))
