"""COCO's panoptic json with its PNGs beside a json of instances: what a Panoptic FPN is trained for and scored by."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from igdet.data.bad_records import BadRecordLog
from igdet.data.readers.coco import load_records, prepare_coco
from igdet.data.readers.semantic import IGNORED
from igdet.formats.coco.panoptic import read_panoptic_json
from igdet.formats.coco.reading import CocoJsonError
from igdet.formats.errors import DatasetError
from igdet.utils.messages import first_of, shown

THINGS = "things"  # class 0 of the semantic head: all things together
_NAMED = 5  # images that an error names


def prepare_coco_panoptic(
    fields: dict, log: BadRecordLog, tasks: Sequence[str] = ("bbox", "segm")
) -> tuple[dict, Callable[[], list[dict]]]:
    """Check both files and say how to load them.

    As in Panoptic FPN (Kirillov et al. 2019, arXiv 1901.02446) the instance heads learn the instances' own masks, and
    the semantic head learns stuff, with all things as one class.

    Args:
        fields: ROOT, the folder of the images; ANNOTATIONS, the panoptic json; MASKS, the folder of its PNGs;
            INSTANCES, the json of the things.
        log: counts and names the instances that are left out.
        tasks: as `prepare_coco` takes them.

    Returns:
        The data set's metadata, and the function that loads it in Detectron2's form.

    Raises:
        DatasetError: a file is none of these, they disagree about things or images, or a PNG is missing.
        BadRecordsError: too many instances cannot be used.
    """
    path = fields["ANNOTATIONS"]
    try:
        content = read_panoptic_json(path)
    except CocoJsonError as error:
        raise DatasetError(str(error)) from error
    metadata, _ = prepare_coco({**fields, "ANNOTATIONS": fields["INSTANCES"]}, log, tasks)
    things = metadata["thing_dataset_id_to_contiguous_id"]
    stuff = sorted((row for row in content["categories"] if not row["isthing"]), key=lambda row: row["id"])
    classes = {row["id"]: i for i, row in enumerate(stuff, start=1)}
    _check_things(fields, content, dict(zip(things, metadata["thing_classes"], strict=True)))
    segments = {row["image_id"]: _segments(fields["MASKS"], row, things, classes) for row in content["annotations"]}
    _check_files(path, [row["pan_seg_file_name"] for row in segments.values()])
    metadata |= {
        "stuff_classes": [THINGS, *(row["name"] for row in stuff)],
        "stuff_dataset_id_to_contiguous_id": classes,
        "ignore_label": IGNORED,
        "panoptic_json": path,
        "panoptic_root": fields["MASKS"],
    }
    return metadata, partial(_load, metadata["json_file"], fields, segments)


def _check_things(fields: dict, content: dict, theirs: Mapping[int, str]) -> None:
    ours = {row["id"]: row["name"] for row in content["categories"] if row["isthing"]}
    differing = sorted(number for number in {*ours, *theirs} if ours.get(number) != theirs.get(number))
    if differing:
        number = differing[0]
        raise DatasetError(
            f"{fields['ANNOTATIONS']} and {fields['INSTANCES']} differ in {len(differing)} things: category {number} "
            f"is {shown(ours.get(number))} in the first, {shown(theirs.get(number))} in the second; expected the same"
        )


def _segments(folder: str, row: dict, things: Mapping[int, int], stuff: Mapping[int, int]) -> dict:
    """What Detectron2's records say of an image's segments, with the heads' own numbers of classes."""
    classes = {**things, **stuff}
    return {
        "pan_seg_file_name": str(Path(folder, row["file_name"])),
        "segments_info": [
            {"id": part["id"], "category_id": classes[part["category_id"]], "isthing": part["category_id"] in things}
            for part in row["segments_info"]
        ],
    }


def _check_files(path: str, files: Sequence[str]) -> None:
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise DatasetError(f"{path} names {len(missing)} of {len(files)} PNGs that are not in MASKS: {missing[0]}")


def _load(json_file: str, fields: dict, segments: Mapping[int, dict]) -> list[dict]:
    records = load_records(json_file, fields["ROOT"])
    differing = sorted({record["image_id"] for record in records} ^ {*segments})
    if differing:
        raise DatasetError(
            f"{fields['ANNOTATIONS']} and {fields['INSTANCES']} differ in {len(differing)} images, by id "
            f"{first_of([str(number) for number in differing], _NAMED)}: expected the same in both"
        )
    return [{**record, **segments[record["image_id"]]} for record in records]
