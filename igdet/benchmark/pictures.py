"""Sample pictures: what is there, and what the model of each initialisation finds, drawn alike."""

import base64
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from detectron2.data import MetadataCatalog

from igdet.benchmark.cells import read_json
from igdet.benchmark.collect import Run, Study
from igdet.benchmark.drawing import draw

# How many pictures of a target are shown.
PICTURES = 4


@dataclass(frozen=True)
class Gallery:
    """The same pictures side by side.

    Attributes:
        header: "Ground truth", then the initialisations' titles.
        rows: for each picture, a data URI for each of the header's entries.
    """

    title: str
    header: list[str]
    rows: list[list[str]]


def galleries(study: Study) -> list[Gallery]:
    """A gallery for each COCO target that has finished runs with predictions, and whose data set is still here."""
    found = []
    for target, node in study.suite.targets.items():
        runs = {name: study.transfers(target, name) for name in study.suite.initialisations}
        first = {
            name: of_name[0] for name, of_name in runs.items() if of_name and _predictions_file(of_name[0]).is_file()
        }
        rows = _rows(list(first.values())) if first else []
        if rows:
            titles = [study.suite.initialisations[name].title for name in first]
            found.append(Gallery(node.title, ["Ground truth", *titles], rows))
    return found


def _rows(runs: Sequence[Run]) -> list[list[str]]:
    """Draw the chosen pictures once with the ground truth and once for each run."""
    annotations, root = _dataset(runs[0].results["config"])
    if annotations is None:
        return []
    names = {category["id"]: category["name"] for category in annotations["categories"]}
    truth = _by_image(annotations["annotations"])
    chosen = _choose(
        [image for image in annotations["images"] if image["id"] in truth and (root / image["file_name"]).is_file()]
    )
    wanted = {image["id"] for image in chosen}
    predictions = [_by_image(item for item in _predictions(run) if item["image_id"] in wanted) for run in runs]
    # The ground truth shows what the models predict: no masks, say, beside models that give none.
    fields = {"bbox", "category_id"}.union(
        *(item for of_run in predictions for items in of_run.values() for item in items)
    )
    rows = []
    for image in chosen:
        picture = cv2.imread(str(root / image["file_name"]))
        objects = [{key: item[key] for key in fields & item.keys()} for item in truth[image["id"]]]
        # As many predictions as there are objects, the surest first: no threshold that would favour one model.
        surest = [sorted(of_run[image["id"]], key=lambda p: -p["score"])[: len(objects)] for of_run in predictions]
        rows.append([_data_uri(draw(picture, items, names)) for items in (objects, *surest)])
    return rows


def _dataset(config: dict) -> tuple[dict | None, Path]:
    """The annotations, None where they are gone, and the picture folder of a run's first test set."""
    name = config["DATASETS"]["TEST"][0]
    own = config["DATASETS"]["OWN"].get(name)
    if own:
        annotations, root = (Path(os.path.expandvars(own[key])).expanduser() for key in ("ANNOTATIONS", "ROOT"))
    else:
        metadata = MetadataCatalog.get(name)
        annotations, root = Path(metadata.json_file), Path(metadata.image_root)
    return read_json(annotations), root


def _predictions_file(run: Run) -> Path:
    return run.cell.folder / "inference" / run.results["config"]["DATASETS"]["TEST"][0] / "coco_instances_results.json"


def _predictions(run: Run) -> list[dict]:
    return read_json(_predictions_file(run)) or []


def _by_image(items: Iterable[dict]) -> dict[int, list[dict]]:
    groups = defaultdict(list)
    for item in items:
        groups[item["image_id"]].append(item)
    return groups


def _choose(images: Sequence[dict]) -> list[dict]:
    """Pictures evenly spaced in the order of their ids: the same for every run, whatever it predicts."""
    images = sorted(images, key=lambda image: image["id"])
    step = max(1, len(images) // PICTURES)
    return images[::step][:PICTURES]


def _data_uri(picture: np.ndarray) -> str:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
