"""Configs that cannot run are refused by name before any work."""

import re

import pytest
from detectron2.config import get_cfg
from detectron2.data import DatasetCatalog, MetadataCatalog

from igdet.config import ConfigError, add_igdet_config
from igdet.config.check import VALUES, check_config, check_shares
from igdet.config.constraints import one_of
from igdet.modeling.losses import LOSSES
from igdet.modeling.pooling import POOLINGS

METADATA = {
    "check_birds": {"evaluator_type": "classification", "thing_classes": ["owl", "jay"]},
    "check_more_birds": {"evaluator_type": "classification", "thing_classes": ["owl", "jay"]},
    "check_other_birds": {"evaluator_type": "classification", "thing_classes": ["owl", "tit"]},
    "check_tags": {"evaluator_type": "hashtags", "thing_classes": ["sun", "sea", "sky"]},
    "check_boxes": {"evaluator_type": "coco", "thing_classes": ["owl", "jay"]},
    "check_mirrored": {
        "evaluator_type": "coco",
        "thing_classes": ["person"],
        "keypoint_names": ["hand", "head"],
    },
    "check_people": {"evaluator_type": "coco", "thing_classes": ["person"], "keypoint_names": ["head", "hand"]},
}


@pytest.fixture(autouse=True)
def registered():
    for name, fields in METADATA.items():
        DatasetCatalog.register(name, list)
        MetadataCatalog.get(name).set(**fields)
    yield
    for name in METADATA:
        DatasetCatalog.remove(name)
        MetadataCatalog.remove(name)


def config(*opts):
    """A classifier of check_birds that may run, with changes."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.merge_from_list(["DATASETS.TRAIN", "('check_birds',)", "DATASETS.TEST", "('check_birds',)"])
    cfg.merge_from_list(["MODEL.META_ARCHITECTURE", "ImageClassifier", "MODEL.CLASSIFIER.NUM_CLASSES", 2])
    cfg.merge_from_list(["MODEL.BACKBONE.NAME", "X_14_8x4d", "MODEL.RESNETS.OUT_FEATURES", "['res5']", *opts])
    return cfg


DETECTOR = ("MODEL.META_ARCHITECTURE", "GeneralizedRCNN", "DATASETS.TRAIN", "('check_boxes',)")
RETINANET = ("MODEL.META_ARCHITECTURE", "RetinaNet", "DATASETS.TRAIN", "('check_boxes',)")
CASCADE = (*DETECTOR, "MODEL.ROI_HEADS.NAME", "CascadeROIHeads")
AGNOSTIC = ("MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG", True)
PEOPLE = (
    *("MODEL.META_ARCHITECTURE", "GeneralizedRCNN", "MODEL.KEYPOINT_ON", True, "MODEL.ROI_HEADS.NUM_CLASSES", 1),
    *("DATASETS.TRAIN", "('check_people',)", "DATASETS.TEST", "('check_people',)"),
)
TWO_KEYPOINTS = ("MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS", 2, "TEST.KEYPOINT_OKS_SIGMAS", "(0.05, 0.05)")


@pytest.mark.parametrize(
    ("opts", "processes", "message"),
    [
        (("STREAM_RANKS", 6), 1, "SOLVER.IMS_PER_BATCH is 16: expected a multiple of the STREAM_RANKS, 6"),
        (("STREAM_RANKS", 4), 8, "DATALOADER.STREAM_RANKS is 4: expected a multiple of the processes of the run, 8"),
        (("STREAM_WORKERS", 6, "NUM_WORKERS", 4), 1, "DATALOADER.STREAM_WORKERS is 6: expected a multiple of the NUM"),
        (("STREAM_WORKERS", -1), 1, "DATALOADER.STREAM_WORKERS is -1: expected"),
    ],
)
def test_readers_of_a_stream_that_two_processes_would_need_are_refused(opts, processes, message):
    keys = [f"DATALOADER.{word}" if isinstance(word, str) else word for word in opts]
    with pytest.raises(ConfigError, match=re.escape(message)):
        check_config(config(*keys), processes=processes)
    check_config(config("DATALOADER.STREAM_RANKS", 8, "DATALOADER.STREAM_WORKERS", 8), processes=4)


def test_sound_configs_pass():
    check_config(config())
    check_config(config("DATASETS.TRAIN", "()"), training=False)
    check_config(config(*DETECTOR, "DATASETS.TEST", "('check_boxes',)", "MODEL.ROI_HEADS.NUM_CLASSES", 2))
    check_config(config(*PEOPLE, *TWO_KEYPOINTS))


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (("PROBE.HELD_OUT", 1.0), "PROBE.HELD_OUT is 1.0: expected a share between 0 and 1"),
        (("PROBE.STRENGTHS", "(1, 0)"), "PROBE.STRENGTHS is .*: expected one or more finite numbers above 0"),
        (("PROBE.STRENGTHS", "(1, 1e400)"), "PROBE.STRENGTHS is .*: expected one or more finite numbers above 0"),
        (("PROBE.STRENGTHS", "(1, '2')"), "PROBE.STRENGTHS is .*: expected one or more finite numbers above 0"),
        (("PROBE.SHOTS", "(1, 2.5)"), "PROBE.SHOTS is .*: expected whole numbers of 1 or more"),
        (("PROBE.NEIGHBORS", "(0, 1)"), "PROBE.NEIGHBORS is .*: expected one or more whole numbers of 1 or more"),
        (
            ("DATALOADER.RESAMPLING", "sqrt"),
            "DATALOADER.RESAMPLING is 'sqrt': expected natural, square_root",
        ),
        (("MODEL.BACKBONE.FREEZE_AT", 6), "MODEL.BACKBONE.FREEZE_AT is 6: expected 0, nothing, to 5, the whole trunk"),
        (("MODEL.FPN.NORM", "GroupNorm"), "MODEL.FPN.NORM is 'GroupNorm': expected a norm of Detectron2's"),
        ((*DETECTOR, "MODEL.ROI_BOX_HEAD.NORM", "GN"), "MODEL.ROI_BOX_HEAD.NORM is GN, but .* NUM_CONV is 0"),
        (("TEST.AUG.MIN_SIZES", "()"), r"TEST.AUG.MIN_SIZES is \(\): expected one or more sizes in pixels"),
        (("TEST.AUG.MAX_SIZE", 0), "TEST.AUG.MAX_SIZE is 0: expected 1 pixel or more"),
        (("DATALOADER.LABEL_NOISE", 1.5), "DATALOADER.LABEL_NOISE is 1.5"),
        (("DATALOADER.EPOCH_FACTOR", 0.5), "DATALOADER.EPOCH_FACTOR is 0.5"),
        (
            ("INPUT.CLASSIFICATION.TRAIN_RESIZE", "bicubic"),
            "INPUT.CLASSIFICATION.TRAIN_RESIZE is 'bicubic': expected antialias or fast",
        ),
        (("INPUT.FORMAT", "YUV"), "INPUT.FORMAT is 'YUV': expected RGB or BGR"),
        (("MODEL.RESNETS.NORM_BATCH", -1), "NORM_BATCH is -1: expected 0 or more"),
        (("SOLVER.ACCUMULATE", 0), "ACCUMULATE is 0: expected 1 or more"),
        (("SOLVER.ACCUMULATE", 3), "ACCUMULATE 3 does not divide the 16 images of SOLVER.IMS_PER_BATCH 16"),
        (("SOLVER.AMP.DTYPE", "half"), "AMP.DTYPE is 'half': expected bf16 or fp16"),
        (("SOLVER.EMA_HALF_LIFE", -1), "EMA_HALF_LIFE is -1: expected 0 or more"),
        (("SOLVER.BASE_LR", 0.0), "SOLVER.BASE_LR is 0.0: expected more than 0"),
        (("MODEL.META_ARCHITECTURE", "Classifier"), "META_ARCHITECTURE is 'Classifier'"),
        (("MODEL.BACKBONE.NAME", "X_101"), "BACKBONE.NAME is 'X_101': expected a registered backbone"),
        (("MODEL.BACKBONE.NAME", "X_14_8x4d_FPN"), "is a feature pyramid: .* the plain X_14_8x4d"),
        (("INPUT.CLASSIFICATION.TEST_CROP", 257), "TEST_CROP is 257: expected at most TEST_SHORT_SIDE, 256"),
        (("MODEL.CLASSIFIER.STANDARDIZE", True), "STANDARDIZE is True with MODEL.BACKBONE.FREEZE_AT 2: expected 5"),
        (
            ("MODEL.CLASSIFIER.STANDARDIZE", True, "MODEL.BACKBONE.FREEZE_AT", 5, "SOLVER.ACCUMULATE", 16),
            "SOLVER.IMS_PER_BATCH 16 leaves one image a step and process",
        ),
        (("INPUT.RANDOM_FLIP", "vertical"), "RANDOM_FLIP is 'vertical': expected horizontal or none for classif"),
        (
            ("SOLVER.BACKBONE_LR_FACTOR", 0.0),
            "BACKBONE_LR_FACTOR is 0.0: expected more than 0; MODEL.BACKBONE.FREEZE_AT 5",
        ),
        (("INPUT.LARGE_SCALE_JITTER.SCALE", (2.0, 0.1)), "LARGE_SCALE_JITTER.SCALE is .*: expected two factors"),
        (("INPUT.LARGE_SCALE_JITTER.SIDE", 64), "LARGE_SCALE_JITTER.SIDE is for detectors"),
        (("TEST.AUG.ENABLED", True), "TEST.AUG.ENABLED is True: it augments tests of detectors"),
        ((*PEOPLE, "TEST.AUG.ENABLED", True), "TEST.AUG.ENABLED is True: .* not of keypoints"),
        ((*RETINANET, "TEST.AUG.ENABLED", True), "TEST.AUG.ENABLED is True: .* not of RetinaNet"),
        ((*RETINANET, "MODEL.MASK_ON", True), "MODEL.MASK_ON is True, but .* RetinaNet finds boxes alone"),
        (CASCADE, "CLS_AGNOSTIC_BBOX_REG is False: expected True with CascadeROIHeads"),
        (
            (*CASCADE, *AGNOSTIC, "MODEL.ROI_BOX_CASCADE_HEAD.IOUS", (0.5, 0.6)),
            "IOUS has 2 stages, BBOX_REG_WEIGHTS has 3",
        ),
        (
            (*CASCADE, *AGNOSTIC, "MODEL.ROI_BOX_CASCADE_HEAD.IOUS", (0.6, 0.7, 0.8)),
            r"IOU_THRESHOLDS is \[0.5\], but .*IOUS is \[0.6, 0.7, 0.8\]: expected the first",
        ),
        (
            (*DETECTOR, "INPUT.LARGE_SCALE_JITTER.SIDE", 64, "INPUT.CROP.ENABLED", True),
            "INPUT.CROP.ENABLED is True, but .* crops as well",
        ),
        (
            (*DETECTOR, "INPUT.LARGE_SCALE_JITTER.SIDE", 64, "MODEL.MASK_ON", True),
            "INPUT.MASK_FORMAT is polygon: expected bitmask",
        ),
        (
            (*PEOPLE, *TWO_KEYPOINTS, "DATASETS.TEST", "('check_mirrored',)"),
            "check_people and check_mirrored must have the same keypoints .* 2 differ, such as .head. and",
        ),
        (("SOLVER.BASE_LR", float("inf")), "SOLVER.BASE_LR is inf: expected more than 0"),
        (("DATALOADER.EPOCH_FACTOR", float("nan")), "DATALOADER.EPOCH_FACTOR is nan: expected 1 or more"),
        (("SOLVER.MOMENTUM", 1.0), "SOLVER.MOMENTUM is 1.0: expected 0 or more, below 1"),
        (("SOLVER.WEIGHT_DECAY", -0.1), "SOLVER.WEIGHT_DECAY is -0.1: expected 0 or more"),
        (
            ("SOLVER.WEIGHT_DECAY_BIAS", -0.1),
            "WEIGHT_DECAY_BIAS is -0.1: expected a number of 0 or more, or None",
        ),
        (("SOLVER.NESTEROV", True, "SOLVER.MOMENTUM", 0.0), "SOLVER.NESTEROV is True with SOLVER.MOMENTUM 0"),
        (("INPUT.RANDOM_FLIP", "sideways"), "RANDOM_FLIP is 'sideways': expected horizontal, vertical or none"),
        (
            ("DATASETS.TEST", "('check_other_birds',)"),
            "check_birds and check_other_birds must have the same classes .* 1 differ, such as 'jay' and 'tit'",
        ),
        (("MODEL.CLASSIFIER.NUM_CLASSES", 3), "NUM_CLASSES is 3, but check_birds of DATASETS.TRAIN has 2: set it to 2"),
        (("DATASETS.TEST", "('check_tags',)"), "NUM_CLASSES is 2, but check_tags of DATASETS.TEST has 3"),
        (("DATASETS.TEST", "('check_brids',)"), "no data set 'check_brids'; did you mean 'check_birds'"),
        (("DATASETS.OWN", {"check_bards": {}}, "DATASETS.TEST", "('check_bardds',)"), "did you mean 'check_bards'"),
        (("DATASETS.TEST", "()"), "DATASETS.TEST is ()"),
        (("DATASETS.TRAIN", "()"), "DATASETS.TRAIN names 0 data sets: expected exactly one"),
        (("DATASETS.TRAIN", "('check_birds', 'check_more_birds')"), "DATASETS.TRAIN names 2 data sets"),
        (
            ("DATASETS.TRAIN", "('check_boxes',)"),
            "check_boxes is a coco data set, but .* takes classif",
        ),
        (DETECTOR, "check_boxes of DATASETS.TRAIN has 2"),
        (RETINANET, "MODEL.RETINANET.NUM_CLASSES is 80, but check_boxes of DATASETS.TRAIN has 2"),
        ((*DETECTOR, "MODEL.ROI_HEADS.NUM_CLASSES", 2), "check_birds is a classification data set, but .* takes coco"),
        (PEOPLE, "NUM_KEYPOINTS is 17, but check_people of DATASETS.TRAIN has 2"),
        ((*PEOPLE, "MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS", 2), "KEYPOINT_OKS_SIGMAS has 0 values"),
        ((*PEOPLE, "DATASETS.TRAIN", "('check_boxes',)"), "NUM_CLASSES is 1, but check_boxes"),
        (("MODEL.WEIGHTS", "runs/absent.pth"), "MODEL.WEIGHTS: there is no file runs/absent.pth"),
    ],
)
def test_what_cannot_run_is_named(opts, message):
    with pytest.raises(ConfigError, match=message):
        check_config(config(*opts))


def test_missing_annotation_file_is_named(tmp_path):
    MetadataCatalog.get("check_boxes").set(json_file=str(tmp_path / "absent.json"))
    cfg = config(*DETECTOR, "MODEL.ROI_HEADS.NUM_CLASSES", 2)
    with pytest.raises(ConfigError, match=r"check_boxes needs .*absent\.json, which does not exist"):
        check_config(cfg)


def test_names_of_weights_are_left_to_the_loader():
    check_config(config("MODEL.WEIGHTS", "igdet://ig_resnext101_32x8d"))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("EXPERTS", 1, "0 for none, or 2 or more"),
        ("TOP_K", 1, "2 or more"),
        ("STAGES", "['res6']", "some of res2, res3, res4, res5"),
        ("EVERY", 0, "1 or more"),
        ("LOSS_WEIGHT", -1.0, "0 or more"),
    ],
)
def test_mixtures_that_cannot_be_are_named(key, value, expected):
    with pytest.raises(ConfigError, match=f"MODEL.MOE.{key} is .*: expected {expected}"):
        check_config(config(f"MODEL.MOE.{key}", value))


def test_more_choices_than_experts_are_refused():
    with pytest.raises(ConfigError, match=r"MODEL\.MOE\.TOP_K is 4: expected at most EXPERTS, 3"):
        check_config(config("MODEL.MOE.EXPERTS", 3, "MODEL.MOE.TOP_K", 4))
    check_config(config("MODEL.MOE.EXPERTS", 4, "MODEL.MOE.TOP_K", 4))


@pytest.mark.parametrize(("key", "table"), [("LOSS", LOSSES), ("POOLING", POOLINGS)])
def test_what_a_classifier_can_be_made_with_is_what_its_config_takes(key, table):
    assert VALUES[f"MODEL.CLASSIFIER.{key}"].expected == one_of(*table).expected


@pytest.mark.parametrize(
    ("batch", "processes", "ways"),
    [
        (10, 4, "set it to 8 or 12, or start 2 or 5 processes"),
        (8064, 10, "set it to 8060 or 8070, or start 9 or 12 processes"),
        (3, 4, "set it to 4, or start 3 processes"),
        (7, 2, "set it to 6 or 8, or start 1 or 7 processes"),
    ],
)
def test_a_batch_that_cannot_be_shared_comes_with_the_nearest_ways(batch, processes, ways):
    with pytest.raises(ConfigError, match=f"IMS_PER_BATCH {batch} cannot be shared equally by {processes} .*: {ways}$"):
        check_shares(batch, processes)


@pytest.mark.parametrize(("batch", "processes"), [(1, 1), (8, 8), (8064, 336)])
def test_a_batch_that_can_be_shared(batch, processes):
    check_shares(batch, processes)
