"""Data sets, samplers and loaders."""

from igdet.utils.lazy import lazy_names

__all__, __getattr__ = lazy_names(
    __name__,
    {
        "build": (
            "build_classification_test_loader",
            "build_classification_train_loader",
            "build_detection_test_loader",
            "build_detection_train_loader",
            "check_detection_tests",
            "describe_training_set",
            "draw_seed",
            "training_images",
        ),
        "detection": ("detection_tasks",),
        "own_datasets": ("register_own_datasets",),
    },
)
