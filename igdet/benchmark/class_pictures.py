"""Sample pictures of a classification target: the class, and the answer of each initialisation's model."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from igdet.benchmark.collect import Run
from igdet.benchmark.drawing import data_uri, draw_answer, read_picture
from igdet.benchmark.samples import choose, inference_file
from igdet.utils.paths import expanded

PREDICTIONS = "predictions.parquet"


def class_rows(runs: Sequence[Run]) -> list[list[str]]:
    """Draw the chosen pictures once with their class and once with each run's first answer.

    Args:
        runs: finished runs of one target of class folders, one an initialisation.

    Returns:
        For each picture the data URIs of the drawings; empty where the data set is no longer here.
    """
    config = runs[0].results["config"]["DATASETS"]
    own = config["OWN"].get(config["TEST"][0], {})
    if own.get("KIND") != "image_folder":  # others have no picture files, or several labels a picture
        return []
    tables = [pq.read_table(inference_file(run, PREDICTIONS)).to_pylist() for run in runs]
    root = expanded(own["ROOT"])
    names = {row["gt_classes"][0]: row["image_id"].partition("/")[0] for row in tables[0]}
    answers = [{row["image_id"]: row for row in table} for table in tables]
    present = [image_id for image_id in answers[0] if (root / image_id).is_file()]
    return [_row(root, image_id, names, answers) for image_id in choose(present, str)]


def _row(root: Path, image_id: str, names: dict[int, str], answers: Sequence[dict[str, dict]]) -> list[str]:
    picture = read_picture(root / image_id)
    truth = answers[0][image_id]["gt_classes"][0]
    drawings = [draw_answer(picture, names[truth], None)]
    for answer in (of_run[image_id] for of_run in answers):
        best, score = answer["top_classes"][0], answer["top_scores"][0]
        drawings.append(draw_answer(picture, f"{names.get(best, best)} {score:.0%}", best == truth))
    return [data_uri(drawing) for drawing in drawings]
