"""The checks of a whole config that are made before any work: values, files, and data sets that fit the model."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.catalog import Metadata
from detectron2.modeling import BACKBONE_REGISTRY, META_ARCH_REGISTRY, SEM_SEG_HEADS_REGISTRY
from detectron2.utils import comm

from igdet.config.constraints import (
    Constraint,
    above,
    at_least,
    counts,
    fraction_below_1,
    none_or_at_least,
    norm,
    not_empty,
    one_of,
    pair_of_shares,
    proper_share,
    range_of_factors,
    registered,
    share,
    some_above_0,
    some_counts,
    some_of,
    zero_or_at_least,
)
from igdet.config.defaults import FPN_SUFFIX
from igdet.config.detectors import check_detector
from igdet.config.segmentation import check_ignored, check_segmentor, labels_pixels
from igdet.formats.coco.reading import KEYPOINTS
from igdet.sampling import PHI
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.yaml import ConfigError

# Meta-architecture -> the data sets it is trained and evaluated on, by Detectron2's `evaluator_type`; all others take
# COCO-style data.
EVALUATOR_TYPES = {
    "ImageClassifier": ("classification", "hashtags"),
    "SemanticSegmentor": ("sem_seg",),
    "PanopticFPN": ("coco_panoptic_seg",),
}
DETECTION_TYPES = ("coco", "lvis")

# Meta-architecture -> config key of a count -> metadata field that it must count.
CLASS_COUNTS = {
    "ImageClassifier": {"MODEL.CLASSIFIER.NUM_CLASSES": "thing_classes"},
    "GeneralizedRCNN": {"MODEL.ROI_HEADS.NUM_CLASSES": "thing_classes"},
    "RetinaNet": {"MODEL.RETINANET.NUM_CLASSES": "thing_classes"},
    "FCOS": {"MODEL.FCOS.NUM_CLASSES": "thing_classes"},
    "SemanticSegmentor": {"MODEL.SEM_SEG_HEAD.NUM_CLASSES": "stuff_classes"},
    "PanopticFPN": {
        "MODEL.ROI_HEADS.NUM_CLASSES": "thing_classes",
        "MODEL.SEM_SEG_HEAD.NUM_CLASSES": "stuff_classes",
    },
}
# What all data sets of a config must share: metadata field -> what it holds, and how to make it the same.
SAME_NAMES = {
    "thing_classes": ("classes", "For folders, give both the same CLASSES file"),
    "stuff_classes": ("classes of pixels", "Give both the same CLASSES file"),
    "keypoint_names": ("keypoints", "Reorder the names and the keypoints of one of the files"),
}
# Metadata fields that are paths.
FILES = ("json_file", "image_root", "sem_seg_root", "panoptic_json", "panoptic_root")
KEYPOINT_COUNT = {"MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS": "keypoint_names"}

NORMS = tuple(f"MODEL.{part}.NORM" for part in ("RESNETS", "FPN", "ROI_BOX_HEAD", "ROI_MASK_HEAD", "RETINANET", "FCOS"))

# Key -> what its value must be.
VALUES: dict[str, Constraint] = {
    "DATALOADER.RESAMPLING": one_of(*PHI),
    "DATALOADER.EPOCH_FACTOR": at_least(1),
    "DATALOADER.STREAM_SHARDS": at_least(1),
    "DATALOADER.STREAM_BUFFER": at_least(1),
    "DATALOADER.STREAM_PASSES": at_least(1),
    "DATALOADER.STREAM_RANKS": at_least(0),
    "DATALOADER.STREAM_WORKERS": at_least(0),
    "DATALOADER.LABEL_NOISE": share(),
    "DATALOADER.SAMPLER_TRAIN": one_of("TrainingSampler", "RepeatFactorTrainingSampler", "RandomSubsetTrainingSampler"),
    "DATASETS.MAX_BAD_SHARE": share(),
    "INPUT.CLASSIFICATION.TRAIN_RESIZE": one_of("antialias", "fast"),
    "INPUT.CLASSIFICATION.INTERPOLATION": one_of("bilinear", "bicubic"),
    "INPUT.FORMAT": one_of("RGB", "BGR"),
    "MODEL.RESNETS.NORM_BATCH": at_least(0),
    "MODEL.TIMM.WINDOW": at_least(0),
    "SOLVER.ACCUMULATE": at_least(1),
    "SOLVER.AMP.DTYPE": one_of("bf16", "fp16"),
    "SOLVER.OPTIMIZER": one_of("SGD", "AdamW"),
    "SOLVER.ADAM_BETAS": pair_of_shares(),
    "SOLVER.LAYER_DECAY": Constraint("above 0, at most 1", lambda value: 0 < value <= 1),
    "SOLVER.BACKBONE_LR_FACTOR": above(0, note="MODEL.BACKBONE.FREEZE_AT 5 freezes the trunk"),
    "SOLVER.BASE_LR": above(0),
    "SOLVER.CHECKPOINTS_KEPT": at_least(0),
    "SOLVER.EMA_HALF_LIFE": at_least(0),
    "SOLVER.IMS_PER_BATCH": at_least(1),
    "SOLVER.MAX_ITER": at_least(1),
    "SOLVER.MOMENTUM": fraction_below_1(),
    "SOLVER.WEIGHT_DECAY": at_least(0),
    "SOLVER.WEIGHT_DECAY_NORM": at_least(0),
    "SOLVER.WEIGHT_DECAY_BIAS": none_or_at_least(0),
    "MODEL.META_ARCHITECTURE": registered(META_ARCH_REGISTRY, "meta-architecture"),
    "MODEL.BACKBONE.NAME": registered(BACKBONE_REGISTRY, "backbone"),
    "MODEL.BACKBONE.FREEZE_AT": Constraint("0, nothing, to 5, the whole trunk", lambda value: 0 <= value <= 5),
    **dict.fromkeys(NORMS, norm()),
    "MODEL.SEM_SEG_HEAD.NAME": registered(SEM_SEG_HEADS_REGISTRY, "segmentation head"),
    "MODEL.SEM_SEG_HEAD.NORM": norm(),
    "MODEL.SEM_SEG_HEAD.IN_FEATURES": not_empty("map"),
    "MODEL.CLASSIFIER.LOSS": one_of("softmax", "sigmoid"),
    "MODEL.CLASSIFIER.POOLING": one_of("mean", "logsumexp", "attention", "max_grid", "dense"),
    "INPUT.CLASSIFICATION.LATE_CROP": at_least(0, note="pixels, 0 as before"),
    **dict.fromkeys(("MODEL.TIMM.DROP_PATH", "MODEL.TORCHVISION.DROP_PATH"), fraction_below_1()),
    **dict.fromkeys(("MODEL.TIMM.NORM", "MODEL.TORCHVISION.NORM"), one_of("", "FrozenBN", "SyncBN")),
    "MODEL.MOE.EXPERTS": zero_or_at_least(2),
    "MODEL.MOE.TOP_K": at_least(2),  # one gate is always 1: the router would not learn
    "MODEL.MOE.STAGES": some_of("res2", "res3", "res4", "res5"),
    "MODEL.MOE.EVERY": at_least(1),
    "MODEL.MOE.LOSS_WEIGHT": at_least(0),
    "INPUT.LARGE_SCALE_JITTER.SIDE": at_least(0, note="pixels, 0 for none"),
    "INPUT.LARGE_SCALE_JITTER.SCALE": range_of_factors(),
    "TRACKERS": some_of("wandb", "mlflow"),
    "PROBE.FEATURES": one_of("float32", "float16"),
    "PROBE.HELD_OUT": proper_share(),
    "PROBE.STRENGTHS": some_above_0(),
    "PROBE.SHOTS": counts(),
    "PROBE.DRAWS": at_least(1),
    "PROBE.NEIGHBORS": some_counts(),
    "PROBE.TEMPERATURE": above(0),
    "PROBE.IN_TRAINING.EVERY": at_least(0, note="images, 0 for none"),
    "PROBE.IN_TRAINING.PROTOCOLS": some_of("knn", "linear"),
    "INPUT.RANDOM_FLIP": one_of("horizontal", "vertical", "none"),
    "TEST.AUG.MIN_SIZES": some_counts("sizes in pixels"),
    "TEST.AUG.MAX_SIZE": at_least(1, unit="pixel"),
    "DATASETS.TEST": not_empty("data set to evaluate on"),
}


def check_config(cfg: CfgNode, training: bool = True, processes: int | None = None) -> None:
    """Refuse a config that cannot run, before a model is built or an image read.

    Args:
        cfg: a config whose own data sets are registered and whose schedule is resolved.
        training: whether DATASETS.TRAIN is needed as well.
        processes: those that would share a batch; None: as many as run now.

    Raises:
        ConfigError: naming the key, its value, what was expected and where to fix it.
    """
    for key, constraint in VALUES.items():
        value = _value(cfg, key)
        if not constraint.accepts(value):
            raise ConfigError(f"{key} is {shown(value)}: expected {constraint.expected}")
    if 0 < cfg.MODEL.MOE.EXPERTS < cfg.MODEL.MOE.TOP_K:
        raise ConfigError(
            f"MODEL.MOE.TOP_K is {cfg.MODEL.MOE.TOP_K}: expected at most EXPERTS, {cfg.MODEL.MOE.EXPERTS}"
        )
    if _is_classifier(cfg):
        _check_classifier(cfg)
    else:
        check_detector(cfg)
    if labels_pixels(cfg):
        check_segmentor(cfg)
    if training:
        _check_training(cfg, processes or comm.get_world_size())
    for key in ("DATASETS.TRAIN", "DATASETS.TEST") if training else ("DATASETS.TEST",):
        for name in _value(cfg, key):
            _check_dataset(cfg, key, name)
    _check_same_names(cfg, training)
    _check_sigmas(cfg)
    _check_weights_file(cfg.MODEL.WEIGHTS)


def _value(cfg: CfgNode, key: str) -> Any:
    for part in key.split("."):
        cfg = cfg[part]
    return cfg


def _is_classifier(cfg: CfgNode) -> bool:
    return cfg.MODEL.META_ARCHITECTURE == "ImageClassifier"


def _check_classifier(cfg: CfgNode) -> None:
    crops, name = cfg.INPUT.CLASSIFICATION, cfg.MODEL.BACKBONE.NAME
    if name.endswith(FPN_SUFFIX):
        raise ConfigError(
            f"MODEL.BACKBONE.NAME {name} is a feature pyramid: a classifier needs the plain "
            f"{name.removesuffix(FPN_SUFFIX)}"
        )
    if cfg.TEST.AUG.ENABLED:
        raise ConfigError("TEST.AUG.ENABLED is True: it augments tests of detectors, not of classifiers")
    if cfg.INPUT.LARGE_SCALE_JITTER.SIDE:
        raise ConfigError("INPUT.LARGE_SCALE_JITTER.SIDE is for detectors; a classifier has INPUT.CLASSIFICATION")
    if crops.TEST_CROP > crops.TEST_SHORT_SIDE:
        raise ConfigError(
            f"INPUT.CLASSIFICATION.TEST_CROP is {crops.TEST_CROP}: expected at most TEST_SHORT_SIDE, "
            f"{crops.TEST_SHORT_SIDE}"
        )
    if cfg.MODEL.CLASSIFIER.STANDARDIZE and cfg.MODEL.BACKBONE.FREEZE_AT < 5:
        raise ConfigError(
            f"MODEL.CLASSIFIER.STANDARDIZE is True with MODEL.BACKBONE.FREEZE_AT {cfg.MODEL.BACKBONE.FREEZE_AT}: "
            "expected 5: averaged statistics are those of a trunk that does not change"
        )
    if cfg.INPUT.RANDOM_FLIP == "vertical":
        raise ConfigError("INPUT.RANDOM_FLIP is 'vertical': expected horizontal or none for classification")


def _check_same_names(cfg: CfgNode, training: bool) -> None:
    """Classes and keypoints are known by their position: another order would be scored wrongly in silence."""
    names = [*(cfg.DATASETS.TRAIN if training else ()), *cfg.DATASETS.TEST]
    used = CLASS_COUNTS.get(cfg.MODEL.META_ARCHITECTURE, CLASS_COUNTS["GeneralizedRCNN"])
    used = used | (KEYPOINT_COUNT if cfg.MODEL.KEYPOINT_ON else {})
    for field, (what, remedy) in SAME_NAMES.items():
        if field not in used.values():
            continue
        of_set = {name: list(MetadataCatalog.get(name).get(field, [])) for name in names}
        for name in names[1:]:
            differing = [pair for pair in zip_longest(of_set[names[0]], of_set[name]) if pair[0] != pair[1]]
            if differing:
                ours, theirs = differing[0]
                raise ConfigError(
                    f"DATASETS: {names[0]} and {name} must have the same {what} in the same order; {len(differing)} "
                    f"differ, such as {shown(ours)} and {shown(theirs)}. {remedy}"
                )


def _check_training(cfg: CfgNode, processes: int) -> None:
    sets, is_classifier = len(cfg.DATASETS.TRAIN), _is_classifier(cfg)
    if sets == 0 or (is_classifier and sets > 1):
        wanted = "exactly one" if is_classifier else "at least one"
        raise ConfigError(f"DATASETS.TRAIN names {sets} data sets: expected {wanted} for {cfg.MODEL.META_ARCHITECTURE}")
    parts, batch = cfg.SOLVER.ACCUMULATE, cfg.SOLVER.IMS_PER_BATCH
    check_shares(batch, processes)
    images = batch // processes
    if images % parts:
        raise ConfigError(
            f"SOLVER.ACCUMULATE {parts} does not divide the {images} images of SOLVER.IMS_PER_BATCH {batch} "
            "that each process takes: choose a divisor of them"
        )
    _check_readers(cfg.DATALOADER, batch, processes)
    if cfg.SOLVER.NESTEROV and not cfg.SOLVER.MOMENTUM:
        raise ConfigError("SOLVER.NESTEROV is True with SOLVER.MOMENTUM 0: it is a way to use momentum")
    if cfg.MODEL.CLASSIFIER.STANDARDIZE and images // parts < 2:
        raise ConfigError(
            f"SOLVER.IMS_PER_BATCH {batch} leaves one image a step and process, which MODEL.CLASSIFIER.STANDARDIZE "
            "cannot standardise: make it larger"
        )


def _check_readers(loader: CfgNode, batch: int, processes: int) -> None:
    """The readers of a stream, where their number is given: none may be needed by two processes."""
    shares = [
        ("SOLVER.IMS_PER_BATCH", batch, "STREAM_RANKS", loader.STREAM_RANKS),
        ("DATALOADER.STREAM_RANKS", loader.STREAM_RANKS, "processes of the run", processes),
        ("DATALOADER.STREAM_WORKERS", loader.STREAM_WORKERS, "NUM_WORKERS", max(1, loader.NUM_WORKERS)),
    ]
    for key, value, what, divisor in shares:
        if divisor and value % divisor:
            raise ConfigError(f"{key} is {value}: expected a multiple of the {what}, {divisor}")


def check_shares(batch: int, processes: int) -> None:
    """Refuse a batch that processes cannot share equally, and name the nearest numbers that go.

    Args:
        batch: images a step over all processes, >= 1.
        processes: >= 1.

    Raises:
        ConfigError: `processes` does not divide `batch`.
    """
    if batch % processes == 0:
        return
    below = batch // processes * processes
    batches = [str(size) for size in (below, below + processes) if size]
    divisors = [n for n in range(1, batch + 1) if batch % n == 0]
    counts = [max(n for n in divisors if n < processes), *[n for n in divisors if n > processes][:1]]
    raise ConfigError(
        f"SOLVER.IMS_PER_BATCH {batch} cannot be shared equally by {processes} processes: set it to "
        f"{' or '.join(batches)}, or start {' or '.join(map(str, counts))} processes"
    )


def _check_dataset(cfg: CfgNode, key: str, name: str) -> None:
    if name not in DatasetCatalog.list():
        known = [*DatasetCatalog.list(), *cfg.DATASETS.OWN]  # of the own ones only those that are used are registered
        raise ConfigError(
            f"{key}: there is no data set {shown(name)}{did_you_mean(name, known)}; "
            "describe data of your own under DATASETS.OWN"
        )
    metadata = MetadataCatalog.get(name)
    kind, allowed = metadata.get("evaluator_type"), EVALUATOR_TYPES.get(cfg.MODEL.META_ARCHITECTURE, DETECTION_TYPES)
    if kind not in allowed:
        raise ConfigError(
            f"{key}: {name} is a {kind} data set, but MODEL.META_ARCHITECTURE {cfg.MODEL.META_ARCHITECTURE} "
            f"takes {' or '.join(allowed)}"
        )
    _check_files(key, name, metadata)
    _check_counts(cfg, key, name, metadata)
    if labels_pixels(cfg):
        check_ignored(cfg, key, name, metadata)


def _check_files(key: str, name: str, metadata: Metadata) -> None:
    for field in FILES:
        path = metadata.get(field)
        if path is not None and not Path(path).exists():
            raise ConfigError(
                f"{key}: {name} needs {path}, which does not exist; "
                "put it there, or set the environment variable DETECTRON2_DATASETS to the folder that holds the data"
            )


def _check_counts(cfg: CfgNode, key: str, name: str, metadata: Metadata) -> None:
    """The numbers of classes and keypoints that the config states must be the data set's."""
    counts = CLASS_COUNTS.get(cfg.MODEL.META_ARCHITECTURE, {}) | (KEYPOINT_COUNT if cfg.MODEL.KEYPOINT_ON else {})
    for config_key, field in counts.items():
        stated, found = _value(cfg, config_key), metadata.get(field)
        if found is None:
            raise ConfigError(f"{key}: {name} has no {field}, which {config_key} {stated} asks for")
        if len(found) != stated:
            raise ConfigError(f"{config_key} is {stated}, but {name} of {key} has {len(found)}: set it to {len(found)}")


def _check_sigmas(cfg: CfgNode) -> None:
    given, needed = len(cfg.TEST.KEYPOINT_OKS_SIGMAS), cfg.MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS
    if cfg.MODEL.KEYPOINT_ON and (given or KEYPOINTS) != needed:
        raise ConfigError(
            f"TEST.KEYPOINT_OKS_SIGMAS has {given} values (0 stands for COCO's {KEYPOINTS}), but "
            f"MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS is {needed}: give one value a keypoint"
        )


def _check_weights_file(weights: str) -> None:
    """A plain path must exist; names such as igdet://... or hf-hub:... are looked up when they are loaded."""
    is_name = "://" in weights or weights.startswith("hf-hub:")
    if weights and not is_name and not Path(weights).expanduser().is_file():
        raise ConfigError(
            f"MODEL.WEIGHTS: there is no file {weights}; give a checkpoint, a name such as "
            "igdet://ig_resnext101_32x8d, or '' to start from scratch"
        )
