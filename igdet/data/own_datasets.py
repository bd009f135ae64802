"""Data sets of one's own, named in YAML under DATASETS.OWN: their kinds and fields, and their registration."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.utils import comm

from igdet.data.bad_records import BadRecordLog
from igdet.data.coco import prepare_coco
from igdet.data.errors import DatasetError
from igdet.data.hashtag_shards import ShardRecords
from igdet.data.hashtag_table import read_hashtag_table
from igdet.data.image_folder import read_class_names, read_image_folder
from igdet.data.streamed_shards import StreamedShards
from igdet.vocabulary import VOCABULARY_NAME, Vocabulary

# What a kind makes of its fields: the metadata, and the function that gives the records. Labels are read, and found
# wrong, here; pictures are not touched.
Prepared = tuple[dict, Callable[[], Sequence[dict]]]

PATHS = ("ROOT", "ANNOTATIONS", "VOCABULARY", "CLASSES")


@dataclass(frozen=True)
class Kind:
    """A kind of data set: its fields, how it is scored and how it is opened."""

    prepare: Callable[[dict[str, str], BadRecordLog], Prepared]
    evaluator_type: str
    required: tuple[str, ...]
    optional: Mapping[str, str] = field(default_factory=dict)
    training_only: bool = False


def _prepare_shards(fields: dict[str, str], _: BadRecordLog) -> Prepared:
    records = ShardRecords(fields["ROOT"])
    return {"thing_classes": Vocabulary.read(Path(fields["ROOT"], VOCABULARY_NAME)).names}, lambda: records


def _prepare_stream(fields: dict[str, str], _: BadRecordLog) -> Prepared:
    shards = StreamedShards(fields["ROOT"])
    return {"thing_classes": list(shards.labels)}, lambda: shards


def _prepare_table(fields: dict[str, str], log: BadRecordLog) -> Prepared:
    vocabulary = Vocabulary.read(fields["VOCABULARY"])
    records = read_hashtag_table(
        fields["ANNOTATIONS"], fields["ROOT"], vocabulary, fields["IMAGE_COLUMN"], fields["HASHTAG_COLUMN"], log
    )
    return {"thing_classes": vocabulary.names}, lambda: records


def _prepare_folder(fields: dict[str, str], _: BadRecordLog) -> Prepared:
    names = read_class_names(fields["ROOT"], fields["CLASSES"])
    records = read_image_folder(fields["ROOT"], names)
    return {"thing_classes": names}, lambda: records


KINDS = {
    "hashtag_shards": Kind(_prepare_shards, "hashtags", required=("ROOT",)),
    "hashtag_stream": Kind(_prepare_stream, "hashtags", required=("ROOT",), training_only=True),
    "hashtag_table": Kind(
        _prepare_table,
        "hashtags",
        required=("ROOT", "ANNOTATIONS", "VOCABULARY"),
        optional={"IMAGE_COLUMN": "image", "HASHTAG_COLUMN": "hashtags"},
    ),
    "image_folder": Kind(_prepare_folder, "classification", required=("ROOT",), optional={"CLASSES": ""}),
    "coco": Kind(prepare_coco, "coco", required=("ROOT", "ANNOTATIONS")),
}


def register_own_datasets(cfg: CfgNode, training: bool = True) -> None:
    """Register the data sets under DATASETS.OWN that a command uses; a second call replaces the first's.

    The fields of the others are checked too, but their files need not be there.

    Args:
        cfg: the config.
        training: whether DATASETS.TRAIN is used besides DATASETS.TEST.

    Raises:
        DatasetError: a kind or field is unknown, a field or file is missing, a name is one of Detectron2's own, or the
            annotations cannot be used.
    """
    used = {*cfg.DATASETS.TEST, *(cfg.DATASETS.TRAIN if training else ())}
    for name, settings in cfg.DATASETS.OWN.items():
        fields = _checked_fields(name, settings)
        if name in DatasetCatalog and not MetadataCatalog.get(name).get("own_kind"):
            raise DatasetError(f"DATASETS.OWN: {name} is the name of a builtin data set; give yours another")
        if name in cfg.DATASETS.TEST and KINDS[settings["KIND"]].training_only:
            raise DatasetError(f"DATASETS.TEST: {name} is a {settings['KIND']}, which is for training only")
        if name in used:
            _register(name, settings["KIND"], fields, cfg)


def _register(name: str, kind_name: str, fields: dict[str, str], cfg: CfgNode) -> None:
    for key in set(PATHS) & set(fields):
        fields[key] = _existing_path(f"DATASETS.OWN.{name}.{key}", fields[key])
    kind = KINDS[kind_name]
    log = BadRecordLog(cfg.OUTPUT_DIR, name, cfg.DATASETS.MAX_BAD_SHARE, names=comm.is_main_process())
    metadata, load = kind.prepare(fields, log)
    DatasetCatalog.pop(name, None)
    MetadataCatalog.pop(name, None)
    DatasetCatalog.register(name, load)
    MetadataCatalog.get(name).set(evaluator_type=kind.evaluator_type, own_kind=kind_name, **metadata)


def _existing_path(key: str, path: str) -> str:
    expanded = path and os.path.expandvars(Path(path).expanduser())  # "" is an optional file that is not given
    if expanded and not Path(expanded).exists():
        raise DatasetError(f"{key}: {expanded} does not exist (relative paths count from {Path.cwd()})")
    return expanded


def _checked_fields(name: str, settings: Mapping) -> dict[str, str]:
    """Check the names of a data set's fields; fill in what is optional."""
    if not isinstance(settings, Mapping) or settings.get("KIND") not in KINDS:
        raise DatasetError(f"DATASETS.OWN.{name} needs a KIND, one of {', '.join(KINDS)}; it says {settings}")
    kind = KINDS[settings["KIND"]]
    known = {"KIND", *kind.required, *kind.optional}
    for wrong in sorted(set(settings) - known):
        raise DatasetError(f"DATASETS.OWN.{name}: {settings['KIND']} has no field {wrong!r}; it has {sorted(known)}")
    for missing in sorted(set(kind.required) - set(settings)):
        raise DatasetError(f"DATASETS.OWN.{name}: {settings['KIND']} needs the field {missing}")
    return {**kind.optional, **settings}
