"""Semantic segmentation: a folder of images beside one of label maps, or the objects of a COCO json."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath

from igdet.data.bad_records import BadRecordLog
from igdet.data.readers.coco import REQUIRED_KEYS, load_records, read_usable
from igdet.formats.class_lists import read_class_list
from igdet.formats.errors import DatasetError
from igdet.formats.images import describe, list_images
from igdet.formats.label_maps import LARGEST_ID
from igdet.utils.messages import first_of, shown

BACKGROUND = "background"  # class 0 where the truth is made of objects
IGNORED = 255  # as Detectron2's MODEL.SEM_SEG_HEAD.IGNORE_VALUE
_NAMED = 3  # of what an error is about

Prepared = tuple[dict, Callable[[], list[dict]]]


def prepare_semantic_folder(fields: dict, log: BadRecordLog, *_: object) -> Prepared:
    """Pair the images below one folder with the label maps below another, by their paths without suffix.

    Args:
        fields: ROOT, the folder of the images; MASKS, that of the label maps; CLASSES, the names of the classes by id;
            IGNORE_VALUE, the id of pixels that do not count.
        log: counts and names images without a label map, which are left out.

    Returns:
        The data set's metadata, and the function that lists its records.

    Raises:
        DatasetError: no image has a label map, two files are the same but for their suffix, there are more classes
            than ids, or IGNORE_VALUE is none.
        BadRecordsError: too many images have no label map.
    """
    names, ignored = read_class_list(fields["CLASSES"]), fields["IGNORE_VALUE"]
    _check_ids(fields["CLASSES"], names, ignored)
    images, maps = _by_stem(fields["ROOT"]), _by_stem(fields["MASKS"])
    paired = [stem for stem in images if stem in maps]
    if not paired:
        raise DatasetError(
            f"none of the {len(images)} images in {fields['ROOT']} has a label map of its name among the {len(maps)} "
            f"files in {fields['MASKS']}: a.jpg and a.png, or b/c.jpg and b/c.png, belong together"
        )
    log.add(len(images), [(images[stem], "has no label map in MASKS") for stem in images if stem not in maps])
    if unused := sorted(maps.keys() - images.keys()):
        log.notes.append(f"{len(unused)} label maps in MASKS have no image in ROOT: {first_of(unused, _NAMED)}")
    records = [{"file_name": images[stem], "sem_seg_file_name": maps[stem]} for stem in paired]
    metadata = {"stuff_classes": names, "ignore_label": ignored, "image_root": fields["ROOT"]}
    return metadata, lambda: records


def _check_ids(source: str, names: Sequence[str], ignored: int) -> None:
    if not 0 <= ignored <= LARGEST_ID or len(names) > LARGEST_ID:
        raise DatasetError(
            f"{source} names {len(names)} classes, and IGNORE_VALUE is {ignored}: expected at most {LARGEST_ID} "
            f"classes and a value of 0 to {LARGEST_ID}, for an id is a byte"
        )


def _by_stem(folder: str) -> dict[str, str]:
    """{"b/c": "FOLDER/b/c.png"}, sorted; raises `DatasetError` where there are no images or two of one stem."""
    listing = list_images(folder)
    if not listing.images:
        others = f"; passed over: {describe(listing.passed_over)}" if listing.passed_over else ""
        raise DatasetError(f"{folder} holds no images that can be read{others}")
    found: dict[str, str] = {}
    for path in listing.images:
        stem = str(PurePath(path).with_suffix(""))
        if stem in found:
            raise DatasetError(f"{folder}: {path} and {Path(found[stem]).name} have the same name: remove one")
        found[stem] = str(Path(folder, path))
    return found


def prepare_coco_semantic(fields: dict, log: BadRecordLog, *_: object) -> Prepared:
    """Take the objects of a COCO json for label maps: class 0 is the background, then the categories by id.

    Args:
        fields: ROOT, the folder of the images, and ANNOTATIONS, the json file.
        log: counts and names the annotations that are left out.

    Returns:
        The data set's metadata, and the function that loads its records. Each has "objects", with "category_id" from 1
        on, "segmentation" and "iscrowd".

    Raises:
        DatasetError: the file is no COCO json, nothing is left, or it has too many categories.
        BadRecordsError: too many annotations cannot be used.
    """
    metadata = read_usable(fields, log, REQUIRED_KEYS, ("segm",))[1]
    names = metadata["thing_classes"]
    if BACKGROUND in names or len(names) >= LARGEST_ID:
        raise DatasetError(
            f"{fields['ANNOTATIONS']} has {len(names)} categories, {shown(names[0])} first: expected fewer than "
            f"{LARGEST_ID}, and none of the name {BACKGROUND}, which is that of class 0"
        )
    json_file, root = metadata["json_file"], fields["ROOT"]
    found = {"json_file": json_file, "image_root": root}
    return {**found, "stuff_classes": [BACKGROUND, *names], "ignore_label": IGNORED}, partial(
        _load_objects, json_file, root
    )


def _load_objects(json_file: str, root: str) -> list[dict]:
    return [
        {**{key: value for key, value in record.items() if key != "annotations"}, "objects": _objects(record)}
        for record in load_records(json_file, root)
    ]


def _objects(record: dict) -> list[dict]:
    kept = ("segmentation", "iscrowd")
    return [
        {"category_id": thing["category_id"] + 1, **{key: thing[key] for key in kept if key in thing}}
        for thing in record["annotations"]
    ]
