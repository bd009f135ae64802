"""Galleries of sample pictures: what is there, and what the model of each initialisation says, side by side."""

from dataclasses import dataclass
from itertools import islice

from igdet.benchmark import class_pictures, coco_pictures
from igdet.benchmark.collect import Run, Study
from igdet.benchmark.placing import coco_tasks, details
from igdet.benchmark.samples import inference_file
from igdet.benchmark.tables import title_of

# The file of predictions that an evaluation leaves -> what draws them.
KINDS = {
    coco_pictures.PREDICTIONS: coco_pictures.coco_rows,
    class_pictures.PREDICTIONS: class_pictures.class_rows,
}


_EACH_WAY = 2  # pictures that gained and pictures that lost


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
    """A gallery for each target that has finished runs with predictions, and whose data set is still here."""
    found = [_gallery(study, target, file) for target in study.suite.targets for file in KINDS]
    return [gallery for gallery in found if gallery.rows]


def changes(study: Study) -> list[Gallery]:
    """For each COCO task and comparison the pictures whose own AP at 0.5 differs most, gains before losses."""
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
    images = most_changed(*runs, task) if len(runs) == len(names) else []
    return Gallery(title, header, coco_pictures.coco_rows(runs, images) if images else [])


def most_changed(before: Run, after: Run, task: str) -> list[int]:
    """Image ids: the largest gains of a picture's own AP, then the largest losses; none where nothing changed."""
    old, new = (details(run, task).get("pictures", {}) for run in (before, after))
    gains = {int(image): new[image] - old[image] for image in old.keys() & new.keys()}
    up, down = (sorted(gains, key=lambda image: (sign * gains[image], image)) for sign in (-1, 1))
    best = islice((image for image in up if gains[image] > 0), _EACH_WAY)
    return [*best, *islice((image for image in down if gains[image] < 0), _EACH_WAY)]


def _gallery(study: Study, target: str, file: str) -> Gallery:
    """The first run of each initialisation that has the file."""
    runs = {name: study.transfers(target, name)[:1] for name in study.suite.initialisations}
    first = {name: run for name, of_name in runs.items() for run in of_name if inference_file(run, file).is_file()}
    titles = [study.suite.initialisations[name].title for name in first]
    rows = KINDS[file](list(first.values())) if first else []
    return Gallery(study.suite.targets[target].title, ["Ground truth", *titles], rows)
