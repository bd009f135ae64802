"""Evaluation of boxes, masks and keypoints on COCO and LVIS: Detectron2's evaluator, on an exact and faster engine."""

import contextlib
import io
import json
import logging
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from detectron2.data import MetadataCatalog
from detectron2.data.datasets import convert_to_coco_json
from detectron2.evaluation import COCOEvaluator
from pycocotools.coco import COCO

from igdet.evaluation.coco_files import check_detections, checked_annotations
from igdet.evaluation.coco_metrics import engine_of, metrics_of, score_detections
from igdet.evaluation.detection_errors import analyse
from igdet.formats.coco.parsed import content_of
from igdet.formats.coco.reading import KEYPOINTS
from igdet.formats.localization import DETAILS
from igdet.reporting.tables import EMPTY, Entry, Table
from igdet.utils.files import atomic_write

DETECTIONS = "coco_instances_results.json"


class CocoTransferEvaluator(COCOEvaluator):
    """Detectron2's evaluator with all official numbers, the AP at every IoU threshold and each class' AP and AP50.

    A model that detects nothing gets AP 0 wherever there was something to find, not Detectron2's NaN.

    Args:
        dataset_name: a registered data set with COCO annotations.
        tasks: of "bbox", "segm" and "keypoints".
        output_dir: folder that gets the detections, as `coco_instances_results.json`, and `localisation.json`.
        sigmas: of the object keypoint similarity, one a keypoint; empty for COCO's 17.
        lvis: whether the annotations are federated, as LVIS has them.
    """

    def __init__(
        self,
        dataset_name: str,
        tasks: tuple[str, ...],
        output_dir: str,
        sigmas: tuple[float, ...] = (),
        lvis: bool = False,
    ):
        # Detectron2's own would parse the annotations again.
        self._logger = logging.getLogger(__name__)
        self._metadata = MetadataCatalog.get(dataset_name)
        self._tasks = tasks
        self._output_dir = output_dir
        self._distributed = True
        self._cpu_device = torch.device("cpu")
        self._sigmas = tuple(sigmas)
        self._lvis = lvis
        if "json_file" not in self._metadata.as_dict():
            file = str(Path(output_dir, f"{dataset_name}_coco_format.json"))
            convert_to_coco_json(dataset_name, file)
            self._metadata.json_file = file

    @cached_property
    def _coco_api(self) -> COCO:
        found = COCO()
        found.dataset = content_of(self._metadata.json_file)
        with contextlib.redirect_stdout(io.StringIO()):
            found.createIndex()
        return found

    def _eval_predictions(self, predictions: list[dict], img_ids: list[int] | None = None) -> None:
        detections = [record for prediction in predictions for record in prediction["instances"]]
        classes = self._metadata.thing_classes
        numbered = {i + 1: i for i in range(len(classes))}  # as Detectron2 does with LVIS
        ids = self._metadata.get("thing_dataset_id_to_contiguous_id", numbered)
        to_dataset = {mine: theirs for theirs, mine in ids.items()}
        for record in detections:
            record["category_id"] = to_dataset[record["category_id"]]
        path = Path(self._output_dir, DETECTIONS)
        with atomic_write(path, "w") as file:
            json.dump(detections, file)
        if "annotations" not in self._coco_api.dataset:
            self._logger.info(f"{path}: written; the data set has no annotations to score it with")
            return
        dataset = self._truth()
        truth, details = engine_of(dataset, self._tasks), {}
        for task in self._tasks:
            checked = check_detections(detections, dataset, task, path, len(self._sigmas) or KEYPOINTS)
            if not detections:
                self._logger.warning(f"{task}: the model detected nothing in any image, so its AP is 0")
            evaluation = score_detections(truth, checked, task, self._sigmas, self._lvis, img_ids)
            self._results[task] = metrics_of(evaluation, task, classes, self._lvis)
            self._logger.info(f"{task}:\n{metrics_table(self._results[task]).plain()}")
            if not self._lvis:  # LVIS does not say which objects it left out
                pairs = self._metadata.get("keypoint_flip_map")
                metrics, details[task] = analyse(evaluation, task, dataset, detections, self._sigmas, pairs)
                self._results[task] |= metrics
        with atomic_write(path.with_name(DETAILS), "w") as file:
            json.dump(details, file)

    def _truth(self) -> dict:
        """The annotations that count. Of igdet's own data sets all do: the others were left out at the start."""
        json_file = self._metadata.json_file
        verdicts = checked_annotations(json_file, self._coco_api.dataset, self._tasks, self._sigmas)
        if verdicts.refused:
            name, why = verdicts.refused[0]
            self._logger.warning(f"{json_file}: {len(verdicts.refused)} annotations are left out: {name}: {why}")
        return verdicts.content


def metrics_table(metrics: dict[str, float]) -> Table:
    """Lay out the official numbers, without the classes', as a table of one row."""
    shown = {name: value for name, value in metrics.items() if "-" not in name and not name.startswith("AP@")}
    return Table("", list(shown), [[_entry(value) for value in shown.values()]])


def class_table(metrics: dict[str, float], class_names: Sequence[str]) -> Table:
    """Lay out each class' AP and AP50; where there is but one class, its numbers are the official ones."""
    columns = ("AP", "AP50")
    rows = [
        [Entry(name), *(_entry(metrics.get(f"{column}-{name}", metrics[column])) for column in columns)]
        for name in class_names
    ]
    return Table("", ["class", *columns], rows)


def _entry(value: float) -> Entry:
    return Entry(EMPTY if math.isnan(value) else f"{value:.1f}")
