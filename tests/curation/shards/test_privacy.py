"""Nothing but images, labels and opaque keys reaches a shard: the bytes of every file are searched."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from igdet.curation.images import CleanSettings
from igdet.curation.shards import ShardSettings

USER, PLACE, CAPTION, EXIF_OWNER = "anna.example", "N 52.5200 E 13.4050", "our day at the zoo", "Camera of Anna"
ORIENTATION, ARTIST, GPS, GPS_METHOD = 0x0112, 0x013B, 0x8825, 0x1B


def private_jpeg(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION], exif[ARTIST], exif[GPS] = orientation, EXIF_OWNER, {GPS_METHOD: PLACE.encode()}
    pixels = np.random.default_rng(orientation).integers(0, 256, (16, 24, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", exif=exif, comment=CAPTION.encode())
    return file.getvalue()


@pytest.fixture
def private_posts(workplace):
    """Replace the posts by some whose id, image, other columns and images' metadata tell about their author."""
    folder = workplace / "images" / USER
    folder.mkdir()
    images = [f"{USER}/{orientation}.jpg" for orientation in (1, 6)]
    for image, orientation in zip(images, (1, 6), strict=True):
        (workplace / "images" / image).write_bytes(private_jpeg(orientation))
    posts = {
        "id": [f"https://photos.example/{USER}/{i}" for i in range(2)],
        "image": images,
        "labels": pa.array([[0], [1, 2]], pa.list_(pa.int32())),
        "caption": [CAPTION] * 2,
        "user": [USER] * 2,
        "location": [PLACE] * 2,
    }
    pq.write_table(pa.table(posts), workplace / "posts" / "part-0.parquet")
    return workplace


@pytest.mark.parametrize("max_side", [0, 12])
def test_no_file_tells_about_people(private_posts, make, max_side):
    secrets = [secret.encode() for secret in (USER, PLACE, CAPTION, EXIF_OWNER, "photos.example", "Exif\0")]
    given = [path.read_bytes() for path in private_posts.rglob("*") if path.is_file()]
    assert all(any(secret in data for data in given) for secret in secrets)
    assert make(settings=ShardSettings(cleaning=CleanSettings(max_side))).kept == 2
    made = [path for path in (private_posts / "shards").rglob("*") if path.is_file()]
    assert {path.suffix for path in made} == {".tar", ".parquet", ".txt", ".json", ".jsonl"}
    for path in made:
        data = path.read_bytes() + b"".join(_decompressed(path))
        assert [secret for secret in secrets if secret in data] == []


def _decompressed(path):
    """Yield the strings of a Parquet file, whose pages are compressed, and of its metadata."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield str(table.to_pydict()).encode()
        yield str(table.schema.metadata).encode()
