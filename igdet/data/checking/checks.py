"""What is checked of data sets: files, counts, classes, images, and what two parts have in common."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np

from igdet.data.bad_records import BadRecordLog
from igdet.data.checking.named_sets import NamedSet
from igdet.data.checking.scanning import scan
from igdet.data.kinds import KINDS
from igdet.data.own_datasets import MADE_BY, existing_paths
from igdet.data.readers.image_folder import folder_names
from igdet.data.records import FileRecords, Records
from igdet.formats.class_lists import read_class_list
from igdet.formats.errors import DatasetError
from igdet.formats.images import describe, may_be_images
from igdet.formats.targets.table import is_path
from igdet.utils.errors import UserError
from igdet.utils.files import expanded, read_json_lines
from igdet.utils.messages import first_of, shown

_NAMED = 5  # of what a finding is about


@dataclass(frozen=True)
class Options:
    """How images are read: only headers or all of them, and by how many processes."""

    decode: bool = False
    processes: int = 1


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and how to fix it."""

    name: str
    what: str
    fix: str


@dataclass
class Checked:
    """What was found of a data set.

    Shapes: N images.
    """

    named: NamedSet
    classes: list[str] = field(default_factory=list)
    num_classes: int = 0  # those that occur
    records: Sequence[dict] = ()
    labels: tuple[int, int] | None = None  # of label maps: how many classes, and the id that does not count
    digests: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))  # (N,), 0 of a bad image
    findings: list[Finding] = field(default_factory=list)

    @property
    def root(self) -> str:
        """The folder of the images; "" where they are no files."""
        is_files = isinstance(self.records, FileRecords | list)
        return getattr(self.records, "root", self.named.place) if is_files else ""

    @property
    def passed_over(self) -> Counter[str]:
        """The number of files beside the images that were taken for none, by suffix."""
        return self.records.passed_over if isinstance(self.records, Records) else Counter()

    def find(self, what: str, fix: str) -> None:
        """Note something that is wrong."""
        self.findings.append(Finding(self.named.name, what, fix))


def check(sets: Sequence[NamedSet], options: Options) -> list[Checked]:
    """Check data sets and what they have in common; what is wrong goes into their findings."""
    checked = [_check_set(named, options) for named in sets]
    opened = [one for one in checked if one.classes]
    for first, second in combinations(opened, 2):
        _compare_classes(first, second)
        if not any(KINDS[one.named.fields["KIND"]].only_for == "evaluation" for one in (first, second)):
            _compare_images(first, second)
    return checked


def _check_set(named: NamedSet, options: Options) -> Checked:
    checked = Checked(named)
    with TemporaryDirectory() as folder:
        log = BadRecordLog(folder, named.name, max_share=1.0)
        try:
            _open(checked, log)
        except UserError as error:
            checked.find(str(error), _put_there(named) or _again(named))
            _check_folders(checked)
            return checked
        _check_annotations(checked, read_json_lines(log.path), log.notes)
        _check_counts(checked)
        _check_folders(checked)
        _check_passed_over(checked)
        _check_images(checked, options)
        _check_repeated(checked)
    return checked


def _open(checked: Checked, log: BadRecordLog) -> None:
    named = checked.named
    kind = KINDS[named.fields["KIND"]]
    if kind.only_for == "training":  # a stream has no records of its own
        raise DatasetError(f"a {named.fields['KIND']} has no list of posts: check its folder as hashtag_shards")
    metadata, load = kind.prepare(existing_paths("", named.fields), log, named.tasks)
    checked.classes = [*metadata.get("thing_classes", ()), *metadata.get("stuff_classes", ())]
    if "ignore_label" in metadata:
        checked.labels = len(metadata["stuff_classes"]), metadata["ignore_label"]
    checked.num_classes = len(metadata.get("answers", checked.classes))
    checked.records = cast(Sequence[dict], load())  # of a stream nothing is checked


def _check_annotations(checked: Checked, bad: list[dict], notes: list[str]) -> None:
    for note in notes:
        checked.find(note, "training and evaluation go on with that; correct the json where it is not what you mean")
    if bad:
        named = [f"{row['name']}: {row['why']}" for row in bad]
        checked.find(
            f"{len(bad):,} annotations cannot be used: {first_of(named, _NAMED)}",
            "training leaves them out; fix them in the json to keep them",
        )


def _check_counts(checked: Checked) -> None:
    named, again = checked.named, _again(checked.named)
    if named.images not in (None, len(checked.records)):
        checked.find(f"{len(checked.records):,} images are listed, expected {named.images:,}", again)
    if named.target and named.target.classes != checked.num_classes:
        checked.find(f"{checked.num_classes:,} classes, expected {named.target.classes:,}", again)


def _check_folders(checked: Checked) -> None:
    """Compare class folders with a list of what they should be called."""
    named, root = checked.named, checked.named.place
    if not (named.target and named.target.folders and Path(root).is_dir()):
        return
    try:
        expected = read_class_list(named.target.folders)
    except UserError as error:
        checked.find(f"the names of its class folders cannot be checked: {error}", "or go on without this check")
        return
    present = folder_names(root)
    strange, missing = sorted(set(present) - set(expected)), sorted(set(expected) - set(present))
    if strange:
        checked.find(
            f"{len(strange):,} folders are no class of it: {first_of(strange, _NAMED)}", f"move them out of {root}"
        )
    if missing and len(expected) == named.target.classes:
        checked.find(f"{len(missing):,} classes have no folder: {first_of(missing, _NAMED)}", _again(named))


def _check_passed_over(checked: Checked) -> None:
    """Name files that somebody may take for images, although they cannot be read."""
    strange = may_be_images(checked.passed_over)
    if strange:
        checked.find(
            f"{strange.total():,} files are passed over, which are no images that can be read: {describe(strange)}",
            f"convert them to JPEG or PNG, or move what is no image out of {checked.root}",
        )


def _check_images(checked: Checked, options: Options) -> None:
    scanned = scan(checked.records, checked.named.name, options.decode, options.processes, checked.labels)
    bad, digests = [], np.zeros(len(checked.records), dtype=np.uint64)
    for position, image in enumerate(scanned):
        digests[position] = image.digest
        if image.why:
            bad.append(f"{image.name}: {image.why}")
    checked.digests = digests
    if bad:
        checked.find(
            f"{len(bad):,} of {len(digests):,} images are missing or broken: {first_of(bad, _NAMED)}",
            f"{_again(checked.named)}; training replaces them up to a share of DATASETS.MAX_BAD_SHARE",
        )


def _check_repeated(checked: Checked) -> None:
    """Look for images that a list names twice, perhaps with two classes."""
    digests, counts = np.unique(checked.digests, return_counts=True)
    alike = np.isin(checked.digests, digests[(counts > 1) & (digests > 0)])  # 0 is a bad image
    names = Counter(_name(checked.records, index) for index in np.flatnonzero(alike).tolist())
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        checked.find(
            f"{len(twice):,} images are listed twice: {first_of(twice, _NAMED)}",
            "take all but one of their lines out",
        )


def _compare_classes(first: Checked, second: Checked) -> None:
    pairs = enumerate(zip_longest(first.classes, second.classes))
    differing = [(i, a, b) for i, (a, b) in pairs if a != b]
    if differing:
        position, a, b = differing[0]
        second.find(
            f"its classes are not those of {first.named.name}: {len(differing):,} differ, the first is class "
            f"{position}: {shown(b)}, there {shown(a)}",
            "complete the folders, or give both the same CLASSES",
        )


def _compare_images(first: Checked, second: Checked) -> None:
    common, in_first, in_second = np.intersect1d(first.digests, second.digests, return_indices=True)
    pairs = [
        f"{_name(second.records, j)} = {_name(first.records, i)}"
        for digest, i, j in zip(common, in_first, in_second, strict=True)
        if digest  # 0 is a bad image
    ]
    if pairs:
        second.find(
            f"{len(pairs):,} images are also in {first.named.name}, byte for byte: {first_of(pairs, _NAMED)}",
            f"take them out of {first.named.name}, or report a lower bound (docs/EVALUATION.md)",
        )


def _name(records: Sequence[dict], index: int) -> str:
    record = records[int(index)]
    return str(record["image_id" if isinstance(records, Records) else "file_name"])


def _again(named: NamedSet) -> str:
    if named.target is None:
        return f"fix what lies in {named.place}"
    fetch = "let torchvision fetch it with --download, or " if named.fields["KIND"] == "torchvision" else ""
    return f"{fetch}put the files of {named.target.title} there ({named.target.source}), or unpack them again"


def _put_there(named: NamedSet) -> str:
    """How to fix somebody's own set of which a path is missing; "" for targets, and where all paths exist."""
    missing = [key for key, value in named.fields.items() if is_path(key, value) and not expanded(value).exists()]
    if named.target or not missing:
        return ""
    return f"put {named.fields[missing[0]]} there, or name another path as {missing[0]} of {named.name}{MADE_BY}"
