"""What the pure-Python Detectron2 0.6 changes in the released sources, and why: data only."""

import hashlib
from typing import NamedTuple


class Rewrite(NamedTuple):
    """One regular expression to replace in one file.

    Attributes:
        file: within the source tree.
        pattern: multi-line regular expression.
        replacement: of each match, with back references.
        count: of matches; another number means that these are not the sources this table was made for.
        why: the reason.
    """

    file: str
    pattern: str
    replacement: str
    count: int
    why: str


_OPTIONAL_EXTENSION = (
    r"^from detectron2 import _C$",
    "try:\n    from detectron2 import _C\nexcept ImportError:  # pure-Python build\n    _C = None",
    1,
    "the C++ extension is not built: its layers fail when they are used, not when Detectron2 is imported",
)
_ALIASES = "NumPy 1.24 removed the aliases of Python's own types"


def _alias(file: str, count: int) -> Rewrite:
    return Rewrite(file, r"\bnp\.(bool|int|float|str)\b", r"\1", count, _ALIASES)


REWRITES = (
    Rewrite("detectron2/layers/deform_conv.py", *_OPTIONAL_EXTENSION),
    Rewrite("detectron2/layers/rotated_boxes.py", *_OPTIONAL_EXTENSION),
    Rewrite("detectron2/layers/roi_align_rotated.py", *_OPTIONAL_EXTENSION),
    Rewrite(
        "detectron2/evaluation/coco_evaluation.py",
        r"^from detectron2\.evaluation\.fast_eval_api import COCOeval_opt$",
        "try:\n    from detectron2.evaluation.fast_eval_api import COCOeval_opt\n"
        "except ImportError:  # pure-Python build\n    COCOeval_opt = COCOeval",
        1,
        "without the C++ extension COCO's own evaluation takes the place of the fast one",
    ),
    Rewrite(
        "detectron2/model_zoo/model_zoo.py",
        r"^import pkg_resources$",
        "import importlib.resources",
        1,
        "setuptools 81 removed pkg_resources",
    ),
    Rewrite(
        "detectron2/model_zoo/model_zoo.py",
        r'pkg_resources\.resource_filename\(\s*"detectron2\.model_zoo", os\.path\.join\("configs", config_path\)\s*\)',
        'str(importlib.resources.files("detectron2.model_zoo").joinpath("configs", config_path))',
        1,
        "setuptools 81 removed pkg_resources",
    ),
    Rewrite(
        "detectron2/engine/hooks.py",
        r"torch\.optim\.lr_scheduler\._LRScheduler",
        "torch.optim.lr_scheduler.LRScheduler",
        2,
        "since torch 2.0 a scheduler such as StepLR is no _LRScheduler, and its state would not be saved",
    ),
    Rewrite(
        "detectron2/data/common.py",
        r"self\._rng\.sample\(self\._fallback_candidates, k=1\)",
        "self._rng.sample(sorted(self._fallback_candidates), k=1)",
        1,
        "Python 3.11 no longer samples from a set",
    ),
    Rewrite(
        "detectron2/config/lazy.py",
        r"^        import black$",
        "        try:\n            import black\n        except ImportError:  # formats the text, no more\n"
        "            black = None",
        1,
        "the code formatter is not worth a dependency",
    ),
    Rewrite(
        "detectron2/config/lazy.py",
        r"^        try:\n            return black\.format_str",
        "        if black is None:\n            return py_str\n        try:\n            return black.format_str",
        1,
        "the code formatter is not worth a dependency",
    ),
    Rewrite(
        "detectron2/export/__init__.py",
        r"^from \.api import \*$",
        "try:\n    from .api import *\nexcept ImportError:  # no caffe2\n    pass",
        1,
        "torch 2 no longer carries caffe2, which detectron2.utils.analysis, counting operations, does without",
    ),
    Rewrite(
        "detectron2/data/transforms/transform.py",
        r"Image\.LINEAR",
        "Image.BILINEAR",
        1,
        "Pillow 10 removed the alias",
    ),
    _alias("detectron2/data/build.py", 2),
    _alias("detectron2/data/datasets/pascal_voc.py", 1),
    _alias("detectron2/evaluation/pascal_voc_evaluation.py", 2),
    _alias("detectron2/evaluation/sem_seg_evaluation.py", 7),
    _alias("detectron2/structures/masks.py", 3),
    _alias("detectron2/utils/video_visualizer.py", 1),
    _alias("detectron2/utils/visualizer.py", 3),
)

# Takes the place of the released setup.py, which compiles the extension, deletes the model zoo's configs when the
# folder configs/ is missing, and pins versions of 2021.
SETUP = '''
"""A modified redistribution of Detectron2 0.6 (Apache-2.0): pure Python, for today's torch, NumPy and Pillow."""
from setuptools import find_packages, setup

PROJECTS = {
    "detectron2.projects.point_rend": "projects/PointRend/point_rend",
    "detectron2.projects.deeplab": "projects/DeepLab/deeplab",
    "detectron2.projects.panoptic_deeplab": "projects/Panoptic-DeepLab/panoptic_deeplab",
}
setup(
    name="detectron2",
    version="{version}",
    author="FAIR",
    url="https://github.com/facebookresearch/detectron2",
    description="Detectron2 0.6 without its C++ extension: a modified redistribution of the released sources",
    license="Apache-2.0",
    packages=find_packages(include=["detectron2", "detectron2.*"]) + list(PROJECTS),
    package_dir=PROJECTS,
    package_data={"detectron2.model_zoo": ["configs/**/*.yaml", "configs/**/*.py"]},
    python_requires=">=3.10",
    install_requires=[
        "Pillow>=10", "cloudpickle", "fvcore>=0.1.5", "hydra-core>=1.1", "iopath>=0.1.9", "matplotlib",
        "omegaconf>=2.1", "pycocotools>=2.0.7", "tabulate", "tensorboard", "termcolor>=1.1", "tqdm>4.29", "yacs>=0.1.8",
    ],
)
'''

# Another table makes another version, so that a build of an older one is known, and replaced.
PURE = "0.6+pure"
VERSION = f"{PURE}.{hashlib.sha256(repr((REWRITES, SETUP)).encode()).hexdigest()[:8]}"
