"""Evaluation of segmentation: one confusion matrix of pixels over the whole set, and what follows from it.

Shape shorthand: L: number of classes; H x W: pixels of an image as it is on the disk.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from detectron2.evaluation import DatasetEvaluator
from detectron2.utils import comm

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write

MATRIX = "confusion_matrix.json"


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, num_classes: int, ignore_label: int) -> np.ndarray:
    """Count pixels by their class and the class they were given.

    Args:
        truth: integers (H, W), classes or `ignore_label`.
        predicted: integers (H, W), classes.
        num_classes: L.
        ignore_label: of pixels that do not count, whatever was predicted there.

    Returns:
        int64 (L, L): a row a class, a column a predicted class.
    """
    counts = truth != ignore_label
    pairs = num_classes * truth[counts].astype(np.int64) + predicted[counts]
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def pixel_metrics(pixels: np.ndarray, class_names: Sequence[str]) -> dict[str, float]:
    """Work out the figures, by the names that Detectron2 gives them.

    A class that neither occurs nor is predicted has no IoU and is left out of the mean; one that is predicted but does
    not occur has IoU 0, which counts, as in Detectron2 and mmsegmentation.

    Args:
        pixels: int64 (L, L), as `confusion_matrix` has it, not all 0.
        class_names: L.

    Returns:
        Percent, 0..100: "mIoU", the mean of IoU = n_cc / (t_c + p_c - n_cc), n_cc the pixels of class c that are found,
        t_c those of the class, p_c those predicted; "fwIoU", their mean weighted with t_c; "mACC", the mean of
        n_cc / t_c; "pACC", the share of pixels that are right; "IoU-<class>" and "ACC-<class>" where there is one.
    """
    found, of_class, predicted = pixels.diagonal(), pixels.sum(axis=1), pixels.sum(axis=0)
    union = of_class + predicted - found
    with np.errstate(invalid="ignore"):  # 0 / 0 is no figure
        iou, accuracy = 100 * found / union, 100 * found / of_class
    figures = {
        "mIoU": np.nanmean(iou),
        "fwIoU": np.nansum(iou * of_class) / of_class.sum(),
        "mACC": np.nanmean(accuracy),
        "pACC": 100 * found.sum() / pixels.sum(),
    }
    for name, values in (("IoU", iou), ("ACC", accuracy)):
        figures |= {f"{name}-{class_names[c]}": values[c] for c in np.flatnonzero(np.isfinite(values)).tolist()}
    return {name: float(value) for name, value in figures.items()}


class SegmentationEvaluator(DatasetEvaluator):
    """Scores the classes of pixels at the label map's own resolution, all images of a set together.

    Args:
        class_names: of the L classes, by id.
        ignore_label: of pixels that do not count.
        output_dir: folder that gets `confusion_matrix.json`.
    """

    def __init__(self, class_names: Sequence[str], ignore_label: int, output_dir: str | Path):
        self._class_names = list(class_names)
        self._ignore_label = ignore_label
        self._path = Path(output_dir, MATRIX)
        self.reset()

    def reset(self) -> None:
        """Forget the images seen so far."""
        self._pixels = np.zeros((len(self._class_names),) * 2, np.int64)

    def process(self, inputs: list[dict], outputs: list[dict]) -> None:
        """Take in one batch.

        Args:
            inputs: samples with "gt_sem_seg", uint8 (H, W); one without, whose label map is bad, is passed over.
            outputs: of each image "sem_seg", float (L, H, W).
        """
        for sample, output in zip(inputs, outputs, strict=True):
            if "gt_sem_seg" in sample:
                predicted = output["sem_seg"].argmax(dim=0).cpu().numpy()
                truth = sample["gt_sem_seg"].numpy()
                self._pixels += confusion_matrix(truth, predicted, len(self._class_names), self._ignore_label)

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Add up the counts of all ranks, which are whole numbers, write them, and work out the figures.

        Returns:
            {"sem_seg": as `pixel_metrics`} on the main process, {} on the others.

        Raises:
            UserError: there was no pixel to evaluate.
        """
        parts = comm.gather(self._pixels, dst=0)
        if not comm.is_main_process():
            return {}
        pixels = np.sum(parts, axis=0)
        if not pixels.any():
            raise UserError(f"{self._path.parent.name}: there was no labelled pixel to evaluate; check DATASETS.TEST")
        with atomic_write(self._path, "w") as file:
            json.dump({"classes": self._class_names, "pixels": pixels.tolist()}, file)
        return OrderedDict(sem_seg=pixel_metrics(pixels, self._class_names))
