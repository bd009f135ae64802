"""COCO evaluation of boxes, masks and keypoints with the AP at every IoU threshold beside Detectron2's numbers."""

import contextlib
import io

import numpy as np
from detectron2.evaluation import COCOEvaluator
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


class CocoTransferEvaluator(COCOEvaluator):
    """Detectron2's evaluator on the official COCO code, with "AP@0.50" ... "AP@0.95" for every task.

    A model that detects nothing gets AP 0 wherever there was something to find, not Detectron2's NaN.

    Args:
        dataset_name: a registered data set with COCO annotations.
        tasks: of "bbox", "segm" and "keypoints".
        output_dir: folder that gets `coco_instances_results.json`.
        sigmas: of the object keypoint similarity, one a keypoint; empty for COCO's 17.
    """

    def __init__(self, dataset_name: str, tasks: tuple[str, ...], output_dir: str, sigmas: tuple[float, ...] = ()):
        super().__init__(dataset_name, tasks, output_dir=output_dir, use_fast_impl=False, kpt_oks_sigmas=sigmas)

    def _derive_coco_results(
        self, coco_eval: COCOeval | None, iou_type: str, class_names: list[str] | None = None
    ) -> dict[str, float]:
        if coco_eval is None:
            self._logger.warning(f"{iou_type}: the model detected nothing in any picture, so its AP is 0")
            coco_eval = evaluate_nothing(self._coco_api, iou_type)
        results = super()._derive_coco_results(coco_eval, iou_type, class_names=class_names)
        return {**results, **ap_by_threshold(coco_eval)}


def ap_by_threshold(coco_eval: COCOeval) -> dict[str, float]:
    """AP at each single IoU (or OKS) threshold, over all areas and the largest number of detections.

    Args:
        coco_eval: an evaluation that has been accumulated.

    Returns:
        "AP@0.50" ... "AP@0.95" -> percent, 0..100, NaN without ground truth; their mean is the COCO AP.
    """
    precision = coco_eval.eval["precision"][:, :, :, 0, -1]  # threshold, recall, class, area, detections -> first three
    known = np.where(precision > -1, precision, np.nan)  # -1 marks classes without ground truth
    empty = np.isnan(known).all()
    means = np.full(len(known), np.nan) if empty else 100 * np.nanmean(known, axis=(1, 2))
    return {f"AP@{iou:.2f}": float(mean) for iou, mean in zip(coco_eval.params.iouThrs, means, strict=True)}


def evaluate_nothing(ground_truth: COCO, iou_type: str) -> COCOeval:
    """The official evaluation of a model without any detection, which pycocotools cannot read from an empty list.

    Args:
        ground_truth: the annotations.
        iou_type: "bbox", "segm" or "keypoints".

    Returns:
        the summarised evaluation: AP 0 where there is ground truth, -1 elsewhere.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        detections = COCO()
        detections.dataset = {**ground_truth.dataset, "annotations": []}
        detections.createIndex()
        coco_eval = COCOeval(ground_truth, detections, iou_type)
        coco_eval.evaluate()
        coco_eval.accumulate()
        coco_eval.summarize()
    return coco_eval
