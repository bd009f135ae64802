"""Evaluation of panoptic segmentation: panoptic quality, by hotcoco, from predictions that are written as COCO's."""

import itertools
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detectron2.data import MetadataCatalog
from detectron2.evaluation import DatasetEvaluator
from detectron2.utils import comm
from hotcoco.panoptic import pq_compute

from igdet.formats.coco.panoptic import read_panoptic_json
from igdet.formats.label_maps import encode_segment_ids
from igdet.utils.files import atomic_write

PREDICTIONS = "panoptic_predictions.json"
PNGS = "panoptic_predictions"  # the folder of its PNGs
# Group of categories -> how Detectron2 ends its figures' names.
GROUPS = {"All": "", "Things": "_th", "Stuff": "_st"}


class PanopticEvaluator(DatasetEvaluator):
    """Panoptic quality (Kirillov et al. 2019, arXiv 1801.00868) of all categories, of things and of stuff.

    A group without a category in the annotations has no figure.

    Args:
        dataset_name: a registered data set with "panoptic_json" and "panoptic_root".
        output_dir: folder that gets the predictions, in COCO's panoptic format.
    """

    def __init__(self, dataset_name: str, output_dir: str | Path):
        self._metadata = MetadataCatalog.get(dataset_name)
        self._output_dir = Path(output_dir)
        self.reset()

    def reset(self) -> None:
        """Forget the images seen so far."""
        self._predictions: list[tuple[dict, bytes]] = []

    def process(self, inputs: list[dict], outputs: list[dict]) -> None:
        """Take in one batch.

        Args:
            inputs: samples with "image_id", a whole number.
            outputs: of each image "panoptic_seg": the segment of each pixel, int32 (H, W), 0 for none, and what is
                known of each: "id", "isthing", and "category_id" as the heads number classes.
        """
        for sample, output in zip(inputs, outputs, strict=True):
            segments, infos = output["panoptic_seg"]
            entry = {
                "image_id": sample["image_id"],
                "file_name": f"{sample['image_id']:012d}.png",
                "segments_info": [{"id": info["id"], "category_id": self._category(info)} for info in infos],
            }
            self._predictions.append((entry, encode_segment_ids(segments.cpu().numpy())))

    def _category(self, info: Mapping[str, Any]) -> int:
        kind = "thing" if info["isthing"] else "stuff"
        ids = self._metadata.get(f"{kind}_dataset_id_to_contiguous_id")
        return next(theirs for theirs, ours in ids.items() if ours == info["category_id"])

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Write the predictions of all ranks and score them.

        Returns:
            {"panoptic_seg": {"PQ", "SQ", "RQ", "PQ_th", ..., "RQ_st": percent}} on the main process, {} on the others.
        """
        parts = comm.gather(self._predictions, dst=0)
        if not comm.is_main_process():
            return {}
        folder = self._output_dir / PNGS
        folder.mkdir(parents=True, exist_ok=True)
        entries = []
        for entry, png in itertools.chain.from_iterable(parts):
            (folder / entry["file_name"]).write_bytes(png)
            entries.append(entry)
        path = self._output_dir / PREDICTIONS
        truth = read_panoptic_json(self._metadata.panoptic_json)
        with atomic_write(path, "w") as file:
            json.dump({"images": truth["images"], "categories": truth["categories"], "annotations": entries}, file)
        scores = pq_compute(self._metadata.panoptic_json, path, self._metadata.panoptic_root, folder)
        return OrderedDict(panoptic_seg=_figures(scores))


def _figures(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """By Detectron2's names, in percent."""
    return {
        f"{figure.upper()}{ending}": 100 * scores[group][figure]
        for group, ending in GROUPS.items()
        if group in scores and scores[group]["n"]
        for figure in ("pq", "sq", "rq")
    }
