"""Every set that torchvision reads: its own layout, small, against what torchvision's class gives."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from igdet.data.images.decoding import open_croppable
from igdet.data.readers.torchvision_sets import ARRAYS, CLASSES, read_torchvision_set
from igdet.formats.errors import DatasetError
from igdet.utils import versions

savemat = pytest.importorskip("scipy.io").savemat


@pytest.fixture
def no_hashes(monkeypatch):
    """torchvision compares the hashes of some files with the true ones, which small files cannot have."""
    for module in ("flowers102", "cifar", "svhn", "stl10", "imagenet"):
        monkeypatch.setattr(
            f"torchvision.datasets.{module}.check_integrity", lambda path, md5=None: Path(path).is_file()
        )


class Layout:
    """Writes the files of a set; images are told apart by their noise."""

    def __init__(self, root: Path):
        self.root = root
        self.generator = np.random.default_rng(0)

    def image(self, *names: str) -> None:
        for name in names:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(self.noise(6, 8)).save(path)

    def text(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def matrix(self, name: str, **content) -> None:
        buffer = io.BytesIO()
        savemat(buffer, content)
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())

    def noise(self, *shape: int) -> np.ndarray:
        return self.generator.integers(0, 256, (*shape, 3), dtype=np.uint8)


def dtd(out):
    out.image("dtd/dtd/images/dotted/b.jpg", "dtd/dtd/images/banded/a.jpg", "dtd/dtd/images/banded/c.jpg")
    out.text("dtd/dtd/labels/train1.txt", "dotted/b.jpg\nbanded/a.jpg\nbanded/c.jpg\n")


def flowers(out):
    out.image(*(f"flowers-102/jpg/image_{i:05d}.jpg" for i in (1, 2, 3)))
    out.matrix("flowers-102/imagelabels.mat", labels=np.array([[77, 5, 5]]))
    out.matrix("flowers-102/setid.mat", trnid=np.array([[2, 1]]), valid=np.array([[3]]), tstid=np.array([[3]]))


def pets(out):
    out.image("oxford-iiit-pet/images/Abyssinian_1.jpg", "oxford-iiit-pet/images/great_pyrenees_2.jpg")
    out.text("oxford-iiit-pet/annotations/trainval.txt", "Abyssinian_1 1 1 1\ngreat_pyrenees_2 2 2 1\n")


def aircraft(out):
    data = "fgvc-aircraft-2013b/data"
    out.image(f"{data}/images/0001.jpg", f"{data}/images/0002.jpg")
    out.text(f"{data}/variants.txt", "707-320\nAN-12\n")
    out.text(f"{data}/images_variant_trainval.txt", "0002 707-320\n0001 AN-12\n")


def cars(out):
    out.image("stanford_cars/cars_train/1.jpg", "stanford_cars/cars_train/2.jpg")
    rows = np.array([("1.jpg", 2), ("2.jpg", 1)], dtype=[("fname", object), ("class", "u1")])
    out.matrix("stanford_cars/devkit/cars_train_annos.mat", annotations=rows)
    out.matrix("stanford_cars/devkit/cars_meta.mat", class_names=np.array(["A", "B"], dtype=object))


def food(out):
    out.image("food-101/images/pie/1.jpg", "food-101/images/ramen/2.jpg")
    out.text("food-101/meta/train.json", json.dumps({"ramen": ["ramen/2"], "pie": ["pie/1"]}))


def eurosat(out):
    out.image(*(f"eurosat/2750/{name}/{name}_{i}.jpg" for name in ("Forest", "River") for i in range(4)))


def sun(out):
    out.text("SUN397/ClassName.txt", "/a/abbey\n/c/church/indoor\n")
    out.image("SUN397/c/church/indoor/sun_b.jpg", "SUN397/a/abbey/sun_c.jpg", "SUN397/a/abbey/sun_a.jpg")


def cifar(folder, files, meta, key, names):
    def write(out):
        for file in files:
            rows = out.generator.integers(0, 256, (2, 3072), dtype=np.uint8)
            path = out.root / folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pickle.dumps({"data": rows, key: [1, 0]}))
        (out.root / folder / meta).write_bytes(pickle.dumps({names: ["cat", "dog"]}))

    return write


def svhn(out):
    out.matrix("train_32x32.mat", X=out.noise(32, 32, 2).transpose(0, 1, 3, 2), y=np.array([[10], [3]]))


def stl(out):
    folder = out.root / "stl10_binary"
    folder.mkdir(parents=True)
    for name in ("train_X.bin", "test_X.bin", "unlabeled_X.bin"):
        out.noise(2, 96, 96).tofile(folder / name)
    for name in ("train_y.bin", "test_y.bin"):
        np.array([10, 1], dtype=np.uint8).tofile(folder / name)


def gtsrb(out):
    out.image("gtsrb/GTSRB/Training/00000/a.ppm", "gtsrb/GTSRB/Training/00001/b.ppm")


def inaturalist(out):
    names = ("Animalia_A_B_C_D_E_f", "Plantae_A_B_C_D_E_g")
    out.image(*(f"2021_train/{i:05d}_{name}/{i}.jpg" for i, name in enumerate(names)))


def imagenette(out):
    out.image("imagenette2/train/n01440764/a.jpeg", "imagenette2/train/n02102040/b.jpeg")


def sst(out):
    out.image("rendered-sst2/train/negative/1.png", "rendered-sst2/train/positive/2.png")


def country(out):
    out.image("country211/train/AD/1.jpg", "country211/train/ZW/2.jpg")


def imagenet(out):
    torch.save(({"n01440764": ("tench",), "n02012849": ("crane",)}, []), out.root / "meta.bin")
    out.image("val/n01440764/a.JPEG", "val/n02012849/b.JPEG")


BATCHES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
LAYOUTS = {
    "CIFAR10": (cifar("cifar-10-batches-py", BATCHES, "batches.meta", "labels", "label_names"), {"train": True}),
    "CIFAR100": (
        cifar("cifar-100-python", ["train", "test"], "meta", "fine_labels", "fine_label_names"),
        {"train": False},
    ),
    "Country211": (country, {"split": "train"}),
    "DTD": (dtd, {"split": "train"}),
    "EuroSAT": (eurosat, {}),
    "FGVCAircraft": (aircraft, {"split": "trainval"}),
    "Flowers102": (flowers, {"split": "train"}),
    "Food101": (food, {"split": "train"}),
    "GTSRB": (gtsrb, {"split": "train"}),
    "INaturalist": (inaturalist, {"version": "2021_train"}),
    "ImageNet": (imagenet, {"split": "val"}),
    "Imagenette": (imagenette, {"split": "train"}),
    "OxfordIIITPet": (pets, {"split": "trainval"}),
    "RenderedSST2": (sst, {"split": "train"}),
    "StanfordCars": (cars, {"split": "train"}),
    "STL10": (stl, {"split": "train"}),
    "SUN397": (sun, {}),
    "SVHN": (svhn, {"split": "train"}),
}


def test_every_class_has_a_layout():
    assert sorted(LAYOUTS) == CLASSES


@pytest.mark.parametrize("kind", CLASSES)
def test_images_and_labels_are_torchvisions(kind, tmp_path, no_hashes):
    if f"CLASS {kind}" in versions.NEEDS and (reason := versions.too_old(f"CLASS {kind}")):
        pytest.skip(reason)
    write, arguments = LAYOUTS[kind]
    write(Layout(tmp_path))
    theirs = getattr(datasets, kind)(str(tmp_path), **arguments)
    names, records = read_torchvision_set(str(tmp_path), kind, arguments)
    expected = sorted((np.asarray(image.convert("RGB")).tobytes(), label) for image, label in theirs)
    ours = []
    for i in range(len(records)):
        image = open_croppable(records.read(i), "RGB", records.image_id(i))
        [label] = records.labels(i)
        ours.append((image.crop(0, 0, image.height, image.width).tobytes(), int(label)))
    assert len(ours) >= 2
    assert sorted(ours) == expected
    assert len(set(names)) == len(names) > max(label for _, label in ours)


def test_a_class_that_needs_a_newer_torchvision_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "version", {"torchvision": "0.21.0+cpu"}.__getitem__)
    flowers(Layout(tmp_path))
    with pytest.raises(DatasetError, match=r"CLASS Flowers102 needs torchvision 0.22 or later, this is 0.21.0\+cpu: "):
        read_torchvision_set(str(tmp_path), "Flowers102", {"split": "train"})


def test_class_names_are_torchvisions_or_wnids(tmp_path, no_hashes):
    out = Layout(tmp_path)
    dtd(out)
    imagenet(out)
    inaturalist(out)
    assert read_torchvision_set(str(tmp_path), "DTD", {})[0] == ["banded", "dotted"]
    assert read_torchvision_set(str(tmp_path), "ImageNet", {"split": "val"})[0] == ["n01440764", "n02012849"]
    assert read_torchvision_set(str(tmp_path), "INaturalist", {})[0][1] == "00001_Plantae_A_B_C_D_E_g"


def test_a_part_is_held_out(tmp_path):
    eurosat(Layout(tmp_path))
    parts = [read_torchvision_set(str(tmp_path), "EuroSAT", {}, 1, split)[1] for split in ("train", "val")]
    names = [{part.image_id(i) for i in range(len(part))} for part in parts]
    assert [len(part) for part in names] == [6, 2]
    assert not names[0] & names[1]
    assert sorted(parts[1].label_ids) == [0, 1]


def test_a_part_of_images_in_memory(tmp_path, no_hashes):
    LAYOUTS["CIFAR10"][0](Layout(tmp_path))
    whole, val = (read_torchvision_set(str(tmp_path), "CIFAR10", {}, *part)[1] for part in ((0, "all"), (2, "val")))
    assert (len(whole), len(val)) == (10, 4)
    assert {val.read(i) for i in range(4)} <= {whole.read(i) for i in range(10)}


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("DTP", {}, r"CLASS is 'DTP': expected one of .*; did you mean 'DTD'\?"),
        ("DTD", {"split": "training"}, "DTD cannot be opened .*Unknown value 'training'"),
        ("DTD", {"part": 1}, "unexpected keyword argument 'part'"),
        ("SVHN", {"split": "train"}, "not found or corrupted.*check_dataset.py NAME --download"),
    ],
)
def test_what_cannot_be_opened_is_explained(tmp_path, kind, arguments, message):
    dtd(Layout(tmp_path))
    with pytest.raises(DatasetError, match=message):
        read_torchvision_set(str(tmp_path), kind, arguments)


def test_arrays_are_a_part_of_the_classes():
    assert set(ARRAYS) < set(CLASSES)
