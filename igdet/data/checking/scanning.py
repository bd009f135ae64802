"""Reading every image of a data set once: what is wrong with it or its label map, and a hash of its bytes."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from igdet.data.detection import size_fault
from igdet.data.images.decoding import open_croppable
from igdet.data.records import Records
from igdet.data.segmentation import check_label_map
from igdet.data.workers import start_worker
from igdet.formats.errors import RecordError
from igdet.utils.messages import printable

_BATCH = 32  # images that a process is given at a time


class Scanned(NamedTuple):
    """An image: its name, 64 bits of a hash of its bytes, and what is wrong with it, or "".

    Among 14 million different images, two have the same 64 bits with a probability of 1.4e7^2 / 2^65 = 5e-6.
    """

    name: str
    digest: int
    why: str


class _Images(Dataset):
    """The images of records, igdet's or in Detectron2's form, as `Scanned`."""

    def __init__(self, records: Sequence[dict], decode: bool, labels: tuple[int, int] | None):
        self._records = records
        self._decode = decode
        self._labels = labels

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Scanned:
        name = self._name(index)
        try:
            data = self._read(index, name)
            self._check(data, index, name)
        except RecordError as error:
            return Scanned(name, 0, error.why)
        return Scanned(name, int.from_bytes(blake2b(data, digest_size=8).digest(), "little"), "")

    def _name(self, index: int) -> str:
        records = self._records
        return records.image_id(index) if isinstance(records, Records) else records[index]["file_name"]

    def _read(self, index: int, name: str) -> bytes:
        if isinstance(self._records, Records):
            return self._records.read(index)
        try:
            return Path(name).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: the path holds a NUL byte
            raise RecordError(name, getattr(error, "strerror", None) or str(error)) from error

    def _check(self, data: bytes, index: int, name: str) -> None:
        image = open_croppable(data, "RGB", name)
        if not isinstance(self._records, Records):
            record, size = self._records[index], (image.width, image.height)
            if why := size_fault(size, (record.get("width", size[0]), record.get("height", size[1]))):
                raise RecordError(name, why)
            if self._labels:
                check_label_map(record, size, *self._labels)
        if self._decode:
            image.check()


def scan(
    records: Sequence[dict], title: str, decode: bool, processes: int, labels: tuple[int, int] | None = None
) -> Iterator[Scanned]:
    """Read all images in order, with a progress bar.

    Args:
        records: igdet's records, or dicts in Detectron2's form.
        title: comes before the bar.
        decode: decode every image, not only its header; what is no plain JPEG is decoded in any case.
        processes: that read, >= 1.
        labels: where the records have label maps, how many classes these have, and the id that does not count.
    """
    images = _Images(records, decode, labels)
    workers = processes if processes > 1 else 0  # 0: this process reads
    loader = DataLoader(images, batch_size=_BATCH, num_workers=workers, collate_fn=list, worker_init_fn=start_worker)
    with tqdm(total=len(images), desc=printable(title), unit=" images", smoothing=0) as bar:
        for batch in loader:
            yield from batch
            bar.update(len(batch))
