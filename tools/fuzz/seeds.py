"""Sound files of every kind, small ones: what fuzzing starts from."""

import csv
import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml
from PIL import Image
from pycocotools import mask

from igdet.curation import pipeline
from igdet.curation.settings import read_curation
from igdet.evaluation.rating.questions import FILE_NAME, Disagreement, Questions
from igdet.formats.shards import ShardWriter
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary

TRUTH, DETECTIONS, RATINGS, CURATION = "instances.json", "detections.json", "ratings.json", "curation.yaml"
VOCABULARY = Vocabulary([["dog", "hound"], ["cat"], ["owl"]])
POSTS = [(f"{i}.jpg", tags) for i, tags in enumerate((["dog", "cat"], ["owl"], ["hound"], ["cat"], ["dog", "owl"]))]
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
_WIDTH, _HEIGHT, _KEYPOINTS = (
    40,
    30,
    ["nose", *(f"{side}_{i}" for i in range(8) for side in ("left", "right"))],
)  # COCO has 17


def _image(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)).resize((32, 24))


def write_images(folder: Path) -> list[Path]:
    """Write an image of each format; a JPEG with EXIF, an animation and a grey one among them."""
    paths = [folder / f"{name}.{name.lower()}" for name in _FORMATS]
    for path, name in zip(paths, _FORMATS, strict=True):
        _image(0).save(path, name)
    exif = Image.Exif()
    exif[274], exif[315] = 6, "somebody"  # Orientation: turned; Artist
    _image(1).save(folder / "turned.jpg", exif=exif, progressive=True, comment="a comment")
    _image(2).save(folder / "moving.gif", save_all=True, append_images=[_image(3)])
    Image.fromarray(np.arange(24 * 32, dtype=np.uint16).reshape(24, 32)).save(folder / "wide.png")
    _image(4).convert("CMYK").save(folder / "cmyk.jpg")
    return sorted(folder.iterdir())


def write_jpegs(folder: Path) -> list[Path]:
    """Write JPEGs with and without restart markers, of a row and of less, whose chroma is stored in every usual way."""
    for seed, subsampling in enumerate(("4:4:4", "4:2:2", "4:2:0")):
        image = _image(seed).resize((150, 100))
        for blocks in (0, 1, 5, 1000):
            image.save(folder / f"{seed}-{blocks}.jpg", subsampling=subsampling, restart_marker_blocks=blocks)
        image.save(folder / f"{seed}-row.jpg", subsampling=subsampling, restart_marker_rows=1, optimize=True)
        image.save(folder / f"{seed}-progressive.jpg", subsampling=subsampling, progressive=True)
        image.convert("L").save(folder / f"{seed}-grey.jpg", restart_marker_rows=1 + seed)
    return sorted(folder.iterdir())


def write_shards(folder: Path) -> list[Path]:
    """Write three shards with their index, summary and vocabulary."""
    _image(0).save(folder / "post.jpg")
    jpeg = (folder / "post.jpg").read_bytes()
    (folder / "post.jpg").unlink()
    with ShardWriter(folder, VOCABULARY, shard_size=2) as writer:
        for image, tags in POSTS:
            writer.add(Path(image).stem, jpeg, tags)
    return sorted(path for path in folder.iterdir() if path.is_file())


def write_tables(folder: Path) -> list[Path]:
    """Write the same posts as CSV, JSON lines and Parquet."""
    VOCABULARY.write(folder / VOCABULARY_NAME)
    (folder / "lexicon.csv").write_text("word,label\ndog,n1\nhound,n1\ncat,n2\nowl,n3\n")
    for image, _ in POSTS:
        _image(0).save(folder / image)
    images, tags = zip(*POSTS, strict=True)
    pq.write_table(pa.table({"image": images, "tags": tags}), folder / "posts.parquet")
    lines = [json.dumps({"image": image, "tags": tags}) for image, tags in POSTS]
    (folder / "posts.jsonl").write_text("\n".join(lines) + "\n")
    with (folder / "posts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "tags"), *((image, " ".join(tags)) for image, tags in POSTS)])
    return sorted(folder.glob("posts.*"))


def write_curation_config(folder: Path, posts: str) -> Path:
    """Write the config of a curation of one of the tables, without shards."""
    config = {
        "OUTPUT_DIR": f"{folder}/curated",
        "SOURCE": {"PATHS": [f"{folder}/{posts}"], "TAGS": "tags", "MAX_BAD_SHARE": 0.5},
        "LEXICON": {"PATH": f"{folder}/lexicon.csv"},
    }
    (folder / CURATION).write_text(yaml.safe_dump(config))
    return folder / CURATION


def write_coco(folder: Path) -> list[Path]:
    """Write annotations with polygons, a crowd as run lengths and keypoints; detections with all three."""
    pixels = np.zeros((_HEIGHT, _WIDTH), np.uint8, order="F")
    pixels[5:15, 5:25] = 1
    runs = mask.encode(pixels)
    runs["counts"] = runs["counts"].decode()
    points = [8, 8, 2, 12, 8, 1] + [20, 12, 2] * 15
    box = {"bbox": [5, 5, 20, 10], "area": 200.0, "category_id": 1}
    polygon = {"segmentation": [[5, 5, 25, 5, 25, 15, 5, 15]]}
    person, unseen = {"keypoints": points, "num_keypoints": 17}, {"keypoints": [0] * 51, "num_keypoints": 0}
    truth = {
        "info": {"year": 2026},
        "licenses": [],
        "images": [
            {"id": i, "file_name": f"{i}.jpg", "width": _WIDTH, "height": _HEIGHT, "license": 1} for i in (1, 2, 3)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": _KEYPOINTS, "skeleton": [[1, 2], [1, 3]]}],
        "annotations": [
            {"id": 1, "image_id": 1, **box, **polygon, "iscrowd": 0, **person},
            {"id": 2, "image_id": 2, **box, **polygon, "iscrowd": 0, **person},
            {"id": 3, "image_id": 2, **box, "segmentation": runs, "iscrowd": 1, **unseen},
        ],
    }
    found = [
        {"image_id": i, **box, "segmentation": runs, "keypoints": [float(x) for x in points], "score": 0.5 + i / 10}
        for i in (1, 2, 3)
    ]
    (folder / TRUTH).write_text(json.dumps(truth))
    (folder / DETECTIONS).write_text(json.dumps(found))
    return [folder / TRUTH, folder / DETECTIONS]


def _tensors() -> dict[str, torch.Tensor]:
    """Name a few tensors as torchvision does."""
    norm = {f"bn1.{leaf}": torch.ones(4) for leaf in ("weight", "bias", "running_mean", "running_var")}
    trunk = {"conv1.weight": torch.ones(4, 3, 7, 7), **norm, "layer1.0.conv1.weight": torch.ones(4, 4, 1, 1)}
    return {**trunk, "fc.weight": torch.ones(3, 8), "fc.bias": torch.ones(3)}


def write_checkpoints(folder: Path) -> list[Path]:
    """Write the same tensors in the three formats, bare and with the state of a training."""
    training = {"model": _tensors(), "iteration": 7, "optimizer": {"state": {}, "lr": 0.1}, "__author__": "somebody"}
    torch.save(_tensors(), folder / "bare.pth")
    torch.save(training, folder / "training.pth")
    torch.save(training, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    arrays = {name: tensor.numpy() for name, tensor in _tensors().items()}
    (folder / "zoo.pkl").write_bytes(pickle.dumps({"model": arrays, "__author__": "Caffe2"}, protocol=2))
    return sorted(folder.iterdir())


def write_configs(folder: Path) -> list[Path]:
    """Write the config of a classification and its base."""
    (folder / "data/dog").mkdir(parents=True)
    _image(0).save(folder / "data/dog/0.png")
    own = {"dogs": {"KIND": "image_folder", "ROOT": f"{folder}/data"}}
    base = {
        "MODEL": {
            "META_ARCHITECTURE": "ImageClassifier",
            "BACKBONE": {"NAME": "X_14_8x4d"},
            "CLASSIFIER": {"NUM_CLASSES": 1},
            "RESNETS": {"NORM": "BN", "STRIDE_IN_1X1": False, "OUT_FEATURES": ["res5"]},
        },
        "VERSION": 2,
    }
    config = {
        "_BASE_": "base.yaml",
        "DATASETS": {"OWN": own, "TRAIN": ["dogs"], "TEST": ["dogs"]},
        "SOLVER": {"IMS_PER_BATCH": 4, "IMAGES_SEEN": 24, "BASE_LR": 0.01},
        "OUTPUT_DIR": f"{folder}/out",
    }
    (folder / "base.yaml").write_text(yaml.safe_dump(base))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return [folder / "config.yaml"]


def write_curation_settings(folder: Path) -> list[Path]:
    """Write a config of a curation with every section."""
    config = {
        "TITLE": "A curation",
        "OUTPUT_DIR": f"{folder}/out",
        "ENGINE": {"SLICE_MB": 1},
        "SOURCE": {"PATHS": ["posts.csv"], "FORMAT": "csv", "ID": "id", "CAPTION": "text", "MAX_BAD_SHARE": 0.2},
        "LEXICON": {"PATH": f"{folder}/lexicon.csv", "AMBIGUOUS": "drop"},
        "VOCABULARY": {"NAME": "wordnet-nouns", "MIN_POSTS": 10},
        "SAMPLING": {"EPOCH_IMAGES": 100},
        "DUPLICATES": {"EVALUATION": "", "MAX_DISTANCE": 30, "JUDGED": []},
        "SHARDS": {"IMAGES": f"{folder}", "EXCLUDE": {"opted out": "out.txt"}, "PROCESSES": 1, "POSTS_PER_SHARD": 3},
    }
    (folder / CURATION).write_text(yaml.safe_dump(config))
    return [folder / CURATION]


def write_suites(folder: Path) -> list[Path]:
    """Copy a suite that comes with the project."""
    demo = Path(__file__).resolve().parents[2] / "configs/benchmark/demo.yaml"
    (folder / "suite.yaml").write_bytes(demo.read_bytes())
    return [folder / "suite.yaml"]


def write_predictions(folder: Path) -> list[Path]:
    """Write a classifier's answers to four images of two classes, two of them wrong; named as ImageNet names them."""
    names = [f"{name}/ILSVRC2012_val_{i:08}.JPEG" for i, name in enumerate(("cat", "cat", "dog", "dog"), 1)]
    for name in names:
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        _image(0).save(folder / "images" / name)
    labels = pa.array([[0], [0], [1], [1]], pa.list_(pa.int32()))
    answers = pa.array([[0, 1], [1, 0]] * 2, pa.list_(pa.int32()))
    scores = pa.array([[0.75, 0.25]] * 4, pa.list_(pa.float32()))
    columns = {"image_id": names, "gt_classes": labels, "top_classes": answers, "top_scores": scores}
    pq.write_table(pa.table(columns), folder / "predictions.parquet")
    return [folder / "predictions.parquet"]


def write_ratings(folder: Path) -> list[Path]:
    """Write the questions of an export, and what a rater saved."""
    asked = [Disagreement("a.jpg", 0, 1), Disagreement("b.jpg", 1, 0)]
    Questions("0123456789abcdef", 4, 1, asked, ["c.jpg: cut short"]).write(folder)
    votes = [{"image_id": row.image_id, "class": row.prediction, "answer": "yes"} for row in asked]
    rating = {"fingerprint": "0123456789abcdef", "rater": "Ann", "votes": votes}
    (folder / RATINGS).write_text(json.dumps(rating))
    return [folder / RATINGS, folder / FILE_NAME]


def write_manifests(folder: Path) -> list[Path]:
    """Curate a table; the manifests of its stages may be damaged."""
    write_tables(folder)
    pipeline.run(read_curation(write_curation_config(folder, "posts.csv")), say=lambda line: None)
    return sorted((folder / "curated/manifests").iterdir())
