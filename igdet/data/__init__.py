"""Data sets, samplers and loaders."""

from igdet.data.build import (
    build_classification_test_loader,
    build_classification_train_loader,
    build_detection_test_loader,
    build_detection_train_loader,
    check_detection_tests,
    describe_training_set,
    draw_seed,
    training_images,
)
from igdet.data.detection import detection_tasks
from igdet.data.own_datasets import register_own_datasets

__all__ = [
    "build_classification_test_loader",
    "build_classification_train_loader",
    "build_detection_test_loader",
    "build_detection_train_loader",
    "check_detection_tests",
    "describe_training_set",
    "detection_tasks",
    "draw_seed",
    "register_own_datasets",
    "training_images",
]
