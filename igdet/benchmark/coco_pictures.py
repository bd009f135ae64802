"""Sample pictures of a COCO target: the annotated objects, and what the model of each initialisation finds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path

from detectron2.data import MetadataCatalog

from igdet.benchmark.cells import read_json
from igdet.benchmark.collect import Run
from igdet.benchmark.drawing import data_uri, draw, read_picture
from igdet.benchmark.samples import choose, inference_file
from igdet.utils.coco_json import path_of
from igdet.utils.paths import expanded

PREDICTIONS = "coco_instances_results.json"


def coco_rows(runs: Sequence[Run], images: Sequence[int] | None = None) -> list[list[str]]:
    """Draw some pictures once with the ground truth and once for each run.

    Args:
        runs: finished runs of one COCO target, one an initialisation.
        images: ids of the pictures; None for some that are evenly spaced among all with objects.

    Returns:
        For each picture the data URIs of the drawings; empty where the data set is no longer here.
    """
    annotations, root = _dataset(runs[0].results["config"])
    if annotations is None:
        return []
    names = {category["id"]: category["name"] for category in annotations["categories"]}
    truth = _by_image(annotations["annotations"])
    present = [image for image in annotations["images"] if image["id"] in truth and (root / path_of(image)).is_file()]
    by_id = {image["id"]: image for image in present}
    chosen = choose(present, itemgetter("id")) if images is None else [by_id[i] for i in images if i in by_id]
    wanted = {image["id"] for image in chosen}
    predictions = [_by_image(item for item in _predictions(run) if item["image_id"] in wanted) for run in runs]
    # The ground truth shows what the models predict: no masks, say, beside models that give none.
    fields = {"bbox", "category_id"}.union(
        *(item for of_run in predictions for items in of_run.values() for item in items)
    )
    rows = []
    for image in chosen:
        picture = read_picture(root / path_of(image))
        objects = [{key: item[key] for key in fields & item.keys()} for item in truth[image["id"]]]
        # As many predictions as there are objects, the surest first: no threshold that would favour one model.
        surest = [sorted(of_run[image["id"]], key=lambda p: -p["score"])[: len(objects)] for of_run in predictions]
        rows.append([data_uri(draw(picture, items, names)) for items in (objects, *surest)])
    return rows


def _dataset(config: dict) -> tuple[dict | None, Path]:
    """The annotations, None where they are gone, and the picture folder of a run's first test set."""
    name = config["DATASETS"]["TEST"][0]
    own = config["DATASETS"]["OWN"].get(name)
    if own:
        annotations, root = (expanded(own[key]) for key in ("ANNOTATIONS", "ROOT"))
    else:
        metadata = MetadataCatalog.get(name)
        annotations, root = Path(metadata.json_file), Path(metadata.image_root)
    return read_json(annotations), root


def _predictions(run: Run) -> list[dict]:
    return read_json(inference_file(run, PREDICTIONS), list) or []


def _by_image(items: Iterable[dict]) -> dict[int, list[dict]]:
    groups = defaultdict(list)
    for item in items:
        groups[item["image_id"]].append(item)
    return groups
