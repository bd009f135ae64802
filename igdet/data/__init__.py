"""Data sets, samplers and loaders."""

from igdet.data.build import (
    build_classification_test_loader,
    build_classification_train_loader,
    build_detection_test_loader,
    build_detection_train_loader,
    check_detection_tests,
    describe_detection_records,
    describe_training_set,
    detection_training_records,
    draw_seed,
)
from igdet.data.detection import detection_tasks
from igdet.data.own_datasets import register_own_datasets

__all__ = [
    "build_classification_test_loader",
    "build_classification_train_loader",
    "build_detection_test_loader",
    "build_detection_train_loader",
    "check_detection_tests",
    "describe_detection_records",
    "describe_training_set",
    "detection_tasks",
    "detection_training_records",
    "draw_seed",
    "register_own_datasets",
]
