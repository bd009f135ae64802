"""Galleries of sample images: what is there, and what the model of each initialization says, side by side."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path

import pyarrow.parquet as pq

from igdet.benchmark.cells import read_json
from igdet.benchmark.collect import Run, Study, choose, inference_file
from igdet.benchmark.drawing import data_uri, draw, draw_answer, read_pixels
from igdet.benchmark.localization import coco_tasks, details
from igdet.benchmark.tables import title_of
from igdet.formats.coco.parsed import content_of
from igdet.formats.coco.reading import CocoJsonError, path_of
from igdet.utils.files import expanded

PREDICTIONS = "predictions.parquet"
COCO_RESULTS = "coco_instances_results.json"
_EACH_WAY = 2  # images that gained and images that lost


def class_rows(runs: Sequence[Run]) -> list[list[str]]:
    """Draw the chosen images once with their class and once with each run's first answer.

    Args:
        runs: finished runs of one target of class folders, one an initialisation.

    Returns:
        For each image the data URIs of the drawings; empty where the data set is no longer here.
    """
    config = runs[0].results["config"]["DATASETS"]
    own = config["OWN"].get(config["TEST"][0], {})
    if own.get("KIND") != "image_folder":  # others have no image files, or several labels an image
        return []
    tables = [pq.read_table(inference_file(run, PREDICTIONS)).to_pylist() for run in runs]
    root = expanded(own["ROOT"])
    names = {row["gt_classes"][0]: row["image_id"].partition("/")[0] for row in tables[0]}
    answers = [{row["image_id"]: row for row in table} for table in tables]
    present = [image_id for image_id in answers[0] if (root / image_id).is_file()]
    return [_row(root, image_id, names, answers) for image_id in choose(present, str)]


def _row(root: Path, image_id: str, names: dict[int, str], answers: Sequence[dict[str, dict]]) -> list[str]:
    image = read_pixels(root / image_id)
    truth = answers[0][image_id]["gt_classes"][0]
    drawings = [draw_answer(image, names[truth], None)]
    for answer in (of_run[image_id] for of_run in answers):
        best, score = answer["top_classes"][0], answer["top_scores"][0]
        drawings.append(draw_answer(image, f"{names.get(best, best)} {score:.0%}", best == truth))
    return [data_uri(drawing) for drawing in drawings]


def coco_rows(runs: Sequence[Run], images: Sequence[int] | None = None) -> list[list[str]]:
    """Draw some images once with the ground truth and once for each run.

    Args:
        runs: finished runs of one COCO target, one an initialisation.
        images: ids of the images; None for some that are evenly spaced among all with objects.

    Returns:
        For each image the data URIs of the drawings; empty where the data set is no longer here.
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
        pixels = read_pixels(root / path_of(image))
        objects = [{key: item[key] for key in fields & item.keys()} for item in truth[image["id"]]]
        # As many predictions as there are objects, the surest first: no threshold that would favour one model.
        surest = [sorted(of_run[image["id"]], key=lambda p: -p["score"])[: len(objects)] for of_run in predictions]
        rows.append([data_uri(draw(pixels, items, names)) for items in (objects, *surest)])
    return rows


def _dataset(config: dict) -> tuple[dict | None, Path]:
    """The annotations, None where they are gone, and the image folder of a run's first test set."""
    path, root = annotations_of(config)
    with suppress(CocoJsonError):
        return content_of(path), root
    return None, root


def annotations_of(config: dict) -> tuple[Path, Path]:
    """Return where the annotations and the images of a run's first test set are; the files need not be there.

    Args:
        config: of its results.json; a set of COCO's.
    """
    name = config["DATASETS"]["TEST"][0]
    own = config["DATASETS"]["OWN"].get(name)
    if own:
        return expanded(own.get("INSTANCES", own["ANNOTATIONS"])), expanded(own["ROOT"])
    from detectron2.data import MetadataCatalog  # only here: its import takes seconds

    metadata = MetadataCatalog.get(name)
    return Path(metadata.json_file), Path(metadata.image_root)


def _predictions(run: Run) -> list[dict]:
    return read_json(inference_file(run, COCO_RESULTS), list) or []


def _by_image(items: Iterable[dict]) -> dict[int, list[dict]]:
    groups = defaultdict(list)
    for item in items:
        groups[item["image_id"]].append(item)
    return groups


# The file of predictions that an evaluation leaves -> what draws them.
KINDS = {
    COCO_RESULTS: coco_rows,
    PREDICTIONS: class_rows,
}


@dataclass(frozen=True)
class Gallery:
    """The same images side by side.

    Attributes:
        header: "Ground truth", then the initialisations' titles.
        rows: for each image, a data URI for each of the header's entries.
    """

    title: str
    header: list[str]
    rows: list[list[str]]


def galleries(study: Study) -> list[Gallery]:
    """A gallery for each target that has finished runs with predictions, and whose data set is still here."""
    found = [_gallery(study, target, file) for target in study.suite.targets for file in KINDS]
    return [gallery for gallery in found if gallery.rows]


def changes(study: Study) -> list[Gallery]:
    """For each COCO task and comparison the images whose own AP at 0.5 differs most, gains before losses."""
    found = [
        _changed(
            study,
            target,
            f"{title}: {title_of(study, other)} over {title_of(study, baseline)}",
            task,
            (baseline, other),
        )
        for target, title, task in coco_tasks(study)
        for other, baseline in study.comparisons
    ]
    return [gallery for gallery in found if gallery.rows]


def _changed(study: Study, target: str, title: str, task: str, names: tuple[str, str]) -> Gallery:
    header = ["Ground truth", *(title_of(study, name) for name in names)]
    runs = [run for name in names for run in study.transfers(target, name)[:1]]
    images = most_changed(runs[0], runs[1], task) if len(runs) == len(names) else []
    return Gallery(title, header, coco_rows(runs, images) if images else [])


def most_changed(before: Run, after: Run, task: str) -> list[int]:
    """Image ids: the largest gains of an image's own AP, then the largest losses; none where nothing changed."""
    old, new = (details(run, task).get("images", {}) for run in (before, after))
    gains = {int(image): new[image] - old[image] for image in old.keys() & new.keys()}
    up, down = (sorted(gains, key=lambda image: (sign * gains[image], image)) for sign in (-1, 1))
    best = islice((image for image in up if gains[image] > 0), _EACH_WAY)
    return [*best, *islice((image for image in down if gains[image] < 0), _EACH_WAY)]


def _gallery(study: Study, target: str, file: str) -> Gallery:
    """The first run of each initialisation that has the file."""
    runs = {name: study.transfers(target, name)[:1] for name in study.suite.initializations}
    first = {name: run for name, of_name in runs.items() for run in of_name if inference_file(run, file).is_file()}
    titles = [study.suite.initializations[name].title for name in first]
    rows = KINDS[file](list(first.values())) if first else []
    return Gallery(study.suite.targets[target].title, ["Ground truth", *titles], rows)
