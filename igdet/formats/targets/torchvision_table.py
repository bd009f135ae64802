"""The targets that torchvision's classes read: arguments and counts of their parts."""

from igdet.formats.targets.target import OFFICIAL_TEST, OFFICIAL_VAL, Split, TargetTask

SplitFields = tuple[dict, int]  # fields of the kind, images


def _args(images: int, **arguments: object) -> SplitFields:
    """A part that the class's own arguments choose."""
    return {"ARGS": arguments}, images


def _held_out(images: int, split: str, count: int) -> SplitFields:
    """A part of a set that comes in one piece."""
    return {"HELD_OUT": count, "SPLIT": split}, images


def _target(
    title: str, kind: str, root: str, classes: int, held_out: str, passes: int, note: str = "", **parts: SplitFields
) -> TargetTask:
    """A target whose finetuning takes so many passes over the training images: more over fewer (our choice)."""
    fields = {"KIND": "torchvision", "CLASS": kind, "ROOT": root}
    splits = {split: Split({**fields, **own}, images) for split, (own, images) in parts.items()}
    _, trained_on = parts["train"]
    return TargetTask(title, classes, splits, held_out, f"torchvision {kind}{note}", images_seen=passes * trained_on)


TORCHVISION_TARGETS = {
    "inaturalist2021": _target(
        "iNaturalist 2021",
        "INaturalist",
        "inaturalist",
        10_000,
        OFFICIAL_VAL,
        passes=5,
        train=_args(2_686_843, version="2021_train"),
        val=_args(100_000, version="2021_valid"),
    ),
    "flowers102": _target(
        "Oxford Flowers 102",
        "Flowers102",
        "flowers102",
        102,
        OFFICIAL_TEST,
        passes=100,
        train=_args(1_020, split="train"),
        val=_args(1_020, split="val"),
        test=_args(6_149, split="test"),
    ),
    "pets": _target(
        "Oxford-IIIT Pets",
        "OxfordIIITPet",
        "pets",
        37,
        OFFICIAL_TEST,
        passes=50,
        train=_args(3_680, split="trainval"),
        test=_args(3_669, split="test"),
    ),
    "dtd": _target(
        "Describable Textures",
        "DTD",
        "dtd",
        47,
        f"{OFFICIAL_TEST} of the first of ten partitions",
        passes=100,
        train=_args(1_880, split="train"),
        val=_args(1_880, split="val"),
        test=_args(1_880, split="test"),
    ),
    "aircraft": _target(
        "FGVC Aircraft",
        "FGVCAircraft",
        "aircraft",
        100,
        OFFICIAL_TEST,
        passes=100,
        train=_args(6_667, split="trainval"),
        test=_args(3_333, split="test"),
    ),
    "cars": _target(
        "Stanford Cars",
        "StanfordCars",
        "cars",
        196,
        OFFICIAL_TEST,
        passes=100,
        note=", which cannot fetch it",
        train=_args(8_144, split="train"),
        test=_args(8_041, split="test"),
    ),
    "food101": _target(
        "Food-101",
        "Food101",
        "food101",
        101,
        OFFICIAL_TEST,
        passes=20,
        train=_args(75_750, split="train"),
        test=_args(25_250, split="test"),
    ),
    "eurosat": _target(
        "EuroSAT",
        "EuroSAT",
        "eurosat",
        10,
        "500 images of every class",
        passes=20,
        train=_held_out(22_000, "train", count=500),  # of 27,000
        val=_held_out(5_000, "val", count=500),
    ),
    "sun397": _target(
        "SUN397",
        "SUN397",
        "sun397",
        397,
        "50 images of every class",
        passes=20,
        train=_held_out(88_904, "train", count=50),  # of 108,754; every class has 100 or more
        val=_held_out(19_850, "val", count=50),
    ),
    "cifar10": _target(
        "CIFAR-10",
        "CIFAR10",
        "cifar10",
        10,
        OFFICIAL_TEST,
        passes=20,
        train=_args(50_000, train=True),
        test=_args(10_000, train=False),
    ),
    "cifar100": _target(
        "CIFAR-100",
        "CIFAR100",
        "cifar100",
        100,
        OFFICIAL_TEST,
        passes=20,
        train=_args(50_000, train=True),
        test=_args(10_000, train=False),
    ),
    "svhn": _target(
        "SVHN",
        "SVHN",
        "svhn",
        10,
        OFFICIAL_TEST,
        passes=20,
        train=_args(73_257, split="train"),
        test=_args(26_032, split="test"),
    ),
}
