"""Packaging of igdet; Detectron2 itself comes from tools/install_detectron2.py or its own install page."""

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
# Read, not imported: igdet needs what is about to be installed.
VERSION = re.search(r'^__version__ = "(.+)"$', (ROOT / "igdet/__init__.py").read_text(), re.MULTILINE)[1]

# What `import igdet` and a training need. Detectron2 is not on the package index under its own name, so it cannot stand
# here; igdet says how to get it when it is missing.
INSTALL_REQUIRES = [
    "fvcore>=0.1.5.post20221221",
    "hotcoco>=1.3",  # COCO's and LVIS' metrics: pycocotools' numbers bit for bit, in a fraction of the time; 3 MB
    "iopath>=0.1.9",
    "numpy>=1.26",
    "opencv-python-headless>=4.8.0.74",  # the headless build: a bare server has no libGL
    "pillow>=10",
    "pyarrow>=20",
    "pycocotools>=2.0.7",
    "pyyaml>=6",
    "scipy>=1.11",  # quantiles of Student's t, exact tests: intervals and "A beats B"
    "shapely>=2",  # crops polygons, for Detectron2's cropping augmentations
    "tabulate>=0.9",
    "tensorboard>=2.14",
    "torch>=2.4",
    "torchvision>=0.19",
    "tqdm>=4.65",
]
# Word lists, tables and templates that lie beside the code, and the sources that compiled modules are compared with.
DATA_FILES = ("*.txt", "*.csv", "*.parquet", "*.exc", "WORDNET_LICENSE", "*.j2", "*.css", "*.[ch]", "py.typed")
REPORT = ["jinja2>=3.1", "matplotlib>=3.8"]
EXTRAS = {
    "report": REPORT,
    "curation": [
        "daft>=0.7.25",  # dataframes larger than memory
        "faiss-cpu>=1.8",  # nearest neighbours among images
        *REPORT,
    ],
    "cluster": ["daft[ray]>=0.7.25"],  # curation on many machines
    "export": [
        "onnx>=1.23.2",  # checkpoints as ONNX files
        "onnxruntime>=1.23.2",  # to run them
        "onnxscript>=0.7.2",  # PyTorch's exporter is written in it
    ],
    "hub": [
        "huggingface-hub>=1",  # weights named hf://...
        "safetensors>=0.4",  # to write such files; igdet reads them itself
    ],
    "stores": ["fsspec>=2024.12", "s3fs>=2024.12", "aiohttp>=3.9"],  # s3:// and https://
    "slurm": ["submitit>=1.5"],  # trainings on a SLURM cluster, put back in the queue when they are preempted
    "targets": [
        "scipy>=1.11",  # the label files of some sets that torchvision reads
        "timm>=1.0.31",  # ships ImageNet's lists of synsets, their lemmas and the ReaL labels
    ],
    "timm": ["timm>=1.0.31"],  # its networks as trunks
    "clip": ["open_clip_torch>=3.3", "timm>=1.0.31"],  # zero-shot scores to compare with; timm has names of classes
    "mlflow": ["mlflow-skinny>=2.9"],  # a training's scalars there: TRACKERS
    "wandb": ["wandb>=0.16"],  # likewise
    "dev": [
        "aiohttp>=3.9",  # tests of streams from a web server
        "fsspec>=2024.12",  # tests with a store in memory
        "huggingface-hub>=1",  # tests of weights on hubs
        "import-linter>=2",
        "mypy>=2.4",  # `make lint`
        "open_clip_torch>=3.3",  # tests of CLIP beside hashtags
        "pandas>=2.2",  # tests and benchmarks only: independent counts, a peer of the query engine
        "polars>=1",  # likewise
        "pytest>=8.1.1",
        "pytest-xdist>=3.5",
        "ruff>=0.6",
        "safetensors>=0.4",  # tests of its format
        "scikit-learn>=1.4",  # tests only: an independent average precision
        "submitit>=1.5",  # tests of the way to SLURM
        "timm>=1.0.31",  # besides the targets' lists: an independent ResNeXt
    ],
    "docs": ["mkdocs-material>=9.7", "mkdocstrings-python>=2"],  # `make docs`: the documents and the API as a site
}


def binding(name: str, folder: str, libraries: Sequence[str] = ()) -> Extension:
    """A module of all C files of a folder; it knows them by their hash (igdet/utils/bindings.py).

    Optional: without a compiler or a library's headers igdet is installed all the same, and says what it lacks when
    that is wanted.
    """
    files = sorted((ROOT / folder).glob("*.[ch]"))
    sources, headers = ([str(path.relative_to(ROOT)) for path in files if path.suffix == kind] for kind in (".c", ".h"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return Extension(
        f"{folder.replace('/', '.')}.{name}",
        sources,
        depends=headers,
        define_macros=[("SOURCE", f'"{digest}"')],
        libraries=list(libraries),
        optional=True,
    )


class BuildWithConfigs(build_py):
    """Puts configs/ into the package, where igdet.config.shipped looks for them; a clone has them beside it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree(ROOT / "configs", Path(self.build_lib, "igdet", "configs"), dirs_exist_ok=True)


setup(
    name="igdet",
    version=VERSION,
    description="A Detectron2 plugin that measures what hashtag pretraining buys on real vision tasks",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["igdet", "igdet.*"]),
    package_data={"igdet": [f"**/{name}" for name in DATA_FILES]},
    ext_modules=[
        binding("_jpeg", "igdet/data/images", ["jpeg"]),  # decodes the crop of a JPEG only
        binding("_restarts", "igdet/curation/images", ["jpeg"]),  # codes JPEGs again with restart markers
        binding("_hashtags", "igdet/curation/labels"),  # numbers, labels and counts hashtags
    ],
    cmdclass={"build_py": BuildWithConfigs},
    entry_points={"console_scripts": ["igdet = igdet.cli.__main__:main"]},
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS,
)
