"""Galleries of sample pictures: what is there, and what the model of each initialisation says, side by side."""

from dataclasses import dataclass

from igdet.benchmark import class_pictures, coco_pictures
from igdet.benchmark.collect import Study
from igdet.benchmark.samples import inference_file

# The file of predictions that an evaluation leaves -> what draws them.
KINDS = {
    coco_pictures.PREDICTIONS: coco_pictures.coco_rows,
    class_pictures.PREDICTIONS: class_pictures.class_rows,
}


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


def _gallery(study: Study, target: str, file: str) -> Gallery:
    """The first run of each initialisation that has the file."""
    runs = {name: study.transfers(target, name)[:1] for name in study.suite.initialisations}
    first = {name: run for name, of_name in runs.items() for run in of_name if inference_file(run, file).is_file()}
    titles = [study.suite.initialisations[name].title for name in first]
    rows = KINDS[file](list(first.values())) if first else []
    return Gallery(study.suite.targets[target].title, ["Ground truth", *titles], rows)
