"""What raters are asked: the pictures whose best answer is not their label, in random order.

The order is random so that the first pages are a sample: a rater may stop anywhere.
"""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence

import pyarrow as pa

from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.utils.errors import UserError


def find_disagreements(
    predictions: pa.Table, labels: Mapping[str, int], class_names: Sequence[str], sample: int | None, seed: int
) -> Questions:
    """Compare predictions with labels.

    Args:
        predictions: with image_id, gt_classes and top_classes.
        labels: class id of each picture of the data set.
        class_names: its classes, by id.
        sample: how many disagreements to ask about; None for all.
        seed: of their order.

    Raises:
        UserError: the predictions are those of another data set, or there is nothing to ask.
    """
    if sample is not None and sample < 1:
        raise UserError(f"a sample of {sample} disagreements: expected 1 or more")
    rows = predictions.to_pylist()
    _check_same_set(rows, labels, len(class_names))
    wrong = [
        Disagreement(row["image_id"], labels[row["image_id"]], row["top_classes"][0])
        for row in rows
        if row["top_classes"][0] != labels[row["image_id"]]
    ]
    if not wrong:
        raise UserError(f"there is nothing to rate: the best answer is the label of all {len(rows):,} pictures")
    chosen = random.Random(seed).sample(wrong, len(wrong) if sample is None else min(sample, len(wrong)))
    return Questions(_fingerprint(class_names, labels), len(rows), len(rows) - len(wrong), chosen)


def _fingerprint(class_names: Sequence[str], image_ids: Mapping[str, int]) -> str:
    return hashlib.sha256(json.dumps([list(class_names), sorted(image_ids)]).encode()).hexdigest()[:16]


def _check_same_set(rows: list[dict], labels: Mapping[str, int], classes: int) -> None:
    ids = [row["image_id"] for row in rows]
    missing, unknown = labels.keys() - set(ids), set(ids) - labels.keys()
    if missing or unknown or len(ids) != len(labels):
        raise UserError(
            f"the predictions are of another data set: {len(ids)} predictions for {len(labels)} pictures, "
            f"{len(unknown)} of them unknown to the data set {sorted(unknown)[:3]}, {len(missing)} pictures have none "
            f"{sorted(missing)[:3]}; give the folder and class list that were evaluated"
        )
    for row in rows:
        expected = labels[row["image_id"]]
        if row["gt_classes"] != [expected] or not 0 <= row["top_classes"][0] < classes:
            raise UserError(
                f"the predictions are of another data set: {row['image_id']} has the labels {row['gt_classes']} and "
                f"the best answer {row['top_classes'][0]}; expected the label {expected} and an answer below {classes}"
            )
