"""The kinds of data sets that YAML can name: their fields, how they are opened and how they are scored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igdet.data.bad_records import BadRecordLog
from igdet.data.readers.coco import prepare_coco, prepare_lvis
from igdet.data.readers.coco_panoptic import prepare_coco_panoptic
from igdet.data.readers.hashtag_table import read_hashtag_table
from igdet.data.readers.image_folder import read_class_names, read_evaluation_folder, read_image_folder, read_real
from igdet.data.readers.image_lists import read_cub2011, read_image_list
from igdet.data.readers.semantic import IGNORED, prepare_coco_semantic, prepare_semantic_folder
from igdet.data.readers.shards import ShardRecords, StreamedShards, StreamMixture
from igdet.data.readers.torchvision_sets import read_torchvision_set
from igdet.data.records import Records
from igdet.data.subsets import first_posts, under_vocabulary
from igdet.formats.class_lists import read_class_list
from igdet.formats.imagenet_lists import real_labels, synsets
from igdet.formats.posts.text_table import TextFormat
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.utils.files import expanded
from igdet.utils.object_stores import is_remote

# What a kind makes of its fields: the metadata, and the function that gives the records. Labels are read, and found
# wrong, here; images are not touched.
Prepared = tuple[dict, Callable[[], Sequence[dict] | StreamedShards | StreamMixture]]


@dataclass(frozen=True)
class Kind:
    """A kind of data set: its fields, how it is scored and opened, what alone it may be used for, where it may lie."""

    prepare: Callable[[dict, BadRecordLog, Sequence[str]], Prepared]  # of fields, log, tasks of a detector
    evaluator_type: str
    required: tuple[str, ...]
    optional: Mapping[str, object] = field(default_factory=dict)
    only_for: str = ""  # "", "training" or "evaluation"
    remote: bool = False  # whether ROOT may be the address of an object store


def _prepare_shards(fields: dict, *_: object) -> Prepared:
    vocabulary = Vocabulary.read(Path(fields["ROOT"], VOCABULARY_NAME))
    records: Records = ShardRecords(fields["ROOT"])
    if fields["VOCABULARY"]:
        cut = Vocabulary.read(fields["VOCABULARY"])
        records, vocabulary = under_vocabulary(records, vocabulary, cut), cut
    records = first_posts(records, fields["POSTS"])
    return {"thing_classes": vocabulary.names}, lambda: records


def _prepare_stream(fields: dict, *_: object) -> Prepared:
    shards = StreamedShards(fields["ROOT"], fields["POSTS"], fields["CACHE_GB"] * GIGABYTE)
    return {"thing_classes": list(shards.labels)}, lambda: shards


def _prepare_mixture(fields: dict, *_: object) -> Prepared:
    roots = [root if is_remote(root) else str(expanded(root)) for root in map(str, fields["ROOTS"])]
    parts = [StreamedShards(root, cache=fields["CACHE_GB"] * GIGABYTE) for root in roots]
    mixture = StreamMixture(parts, fields["WEIGHTS"])
    return {"thing_classes": list(mixture.labels)}, lambda: mixture


def _prepare_table(fields: dict, log: BadRecordLog, _: object) -> Prepared:
    vocabulary = Vocabulary.read(fields["VOCABULARY"])
    columns = fields["IMAGE_COLUMN"], fields["HASHTAG_COLUMN"]
    text_format = TextFormat(fields["ENCODING"], fields["DELIMITER"], fields["QUOTING"])
    table = read_hashtag_table(fields["ANNOTATIONS"], fields["ROOT"], vocabulary, *columns, log, text_format)
    records = first_posts(table, fields["POSTS"])
    return {"thing_classes": vocabulary.names}, lambda: records


def _prepare_folder(fields: dict, *_: object) -> Prepared:
    names = read_class_names(fields["ROOT"], fields["CLASSES"])
    records = read_image_folder(fields["ROOT"], names, fields["HELD_OUT"], fields["SPLIT"])
    return {"thing_classes": names}, lambda: records


def _prepare_list(fields: dict, *_: object) -> Prepared:
    names = read_class_list(fields["CLASSES"])
    records = read_image_list(fields["ROOT"], fields["LIST"], len(names))
    return {"thing_classes": names}, lambda: records


def _prepare_cub2011(fields: dict, *_: object) -> Prepared:
    names, records = read_cub2011(fields["ROOT"], fields["SPLIT"])
    return {"thing_classes": names}, lambda: records


def _prepare_torchvision(fields: dict, *_: object) -> Prepared:
    names, records = read_torchvision_set(
        fields["ROOT"], fields["CLASS"], fields["ARGS"], fields["HELD_OUT"], fields["SPLIT"]
    )
    return {"thing_classes": names}, lambda: records


def _prepare_evaluation_folder(fields: dict, *_: object) -> Prepared:
    names, answers, records = read_evaluation_folder(fields["ROOT"], fields["CLASSES"])
    return {"thing_classes": names, "answers": answers}, lambda: records


def _prepare_real(fields: dict, *_: object) -> Prepared:
    records = read_real(fields["ROOT"], real_labels())
    return {"thing_classes": synsets("imagenet-1k")}, lambda: records


GIGABYTE = 10**9
TEXT_FORMAT = {"ENCODING": "", "DELIMITER": "", "QUOTING": ""}  # of CSV and JSON lines; "" is found out
PART = {"HELD_OUT": 0, "SPLIT": "all"}
POSTS = {"POSTS": 0}  # the first so many of the hash order; 0 for all

KINDS = {
    "hashtag_shards": Kind(_prepare_shards, "hashtags", required=("ROOT",), optional={"VOCABULARY": "", **POSTS}),
    "hashtag_stream": Kind(
        _prepare_stream,
        "hashtags",
        required=("ROOT",),
        optional={"CACHE_GB": 100, **POSTS},  # of an object store's shards on the local disk
        only_for="training",
        remote=True,
    ),
    "hashtag_mixture": Kind(
        _prepare_mixture,
        "hashtags",
        required=(),
        optional={"ROOTS": [], "WEIGHTS": [], "CACHE_GB": 100},
        only_for="training",
        remote=True,
    ),
    "hashtag_table": Kind(
        _prepare_table,
        "hashtags",
        required=("ROOT", "ANNOTATIONS", "VOCABULARY"),
        optional={"IMAGE_COLUMN": "image", "HASHTAG_COLUMN": "hashtags", **TEXT_FORMAT, **POSTS},
    ),
    "image_folder": Kind(_prepare_folder, "classification", required=("ROOT",), optional={"CLASSES": "", **PART}),
    "image_list": Kind(_prepare_list, "classification", required=("ROOT", "LIST", "CLASSES")),
    "cub2011": Kind(_prepare_cub2011, "classification", required=("ROOT", "SPLIT")),
    "torchvision": Kind(
        _prepare_torchvision, "classification", required=("ROOT", "CLASS"), optional={"ARGS": {}, **PART}
    ),
    "evaluation_folder": Kind(
        _prepare_evaluation_folder, "classification", required=("ROOT", "CLASSES"), only_for="evaluation"
    ),
    "imagenet_real": Kind(_prepare_real, "classification", required=("ROOT",), only_for="evaluation"),
    "coco": Kind(prepare_coco, "coco", required=("ROOT", "ANNOTATIONS"), optional={"KEYPOINT_PAIRS": []}),
    "lvis": Kind(prepare_lvis, "lvis", required=("ROOT", "ANNOTATIONS")),
    "semantic_folder": Kind(
        prepare_semantic_folder,
        "sem_seg",
        required=("ROOT", "MASKS", "CLASSES"),
        optional={"IGNORE_VALUE": IGNORED},
    ),
    "coco_semantic": Kind(prepare_coco_semantic, "sem_seg", required=("ROOT", "ANNOTATIONS")),
    "coco_panoptic": Kind(
        prepare_coco_panoptic, "coco_panoptic_seg", required=("ROOT", "ANNOTATIONS", "MASKS", "INSTANCES")
    ),
}
