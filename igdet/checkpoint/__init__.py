"""Weights: fetched by name, read safely, fitted strictly, written atomically; registers `igdet://`."""

import detectron2  # noqa: F401  first: what registers with it is below, and must not be half imported by then

from igdet.utils.lazy import lazy_names

__all__, __getattr__ = lazy_names(
    __name__,
    {
        "checkpointer": ("IgdetCheckpointer",),
        "convert": ("TARGETS", "convert_checkpoint"),
        "download": ("fetch", "find_weights"),
        "inspection": ("inspect_weights",),
        "path_handler": ("CatalogHandler",),
        "weights_file": ("WeightsFile", "open_weights"),
    },
)
