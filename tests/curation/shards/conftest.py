"""Twelve labelled posts, with images, as the stage before the shards leaves them."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from igdet.curation.images import ImageSource
from igdet.curation.shards import ShardSettings, make_shards
from igdet.curation.shards.labelled_posts import SCHEMA
from igdet.formats.vocabulary import Vocabulary

VOCABULARY = Vocabulary([("bear", "brownbear"), ("owl",), ("river", "stream")])
POSTS = [(f"user{i}/photo{i}", f"{i:02d}.jpg", [i % 3, 2] if i % 3 < 2 else [2]) for i in range(12)]
SETTINGS = ShardSettings(posts_per_shard=5)


def image(seed: int) -> bytes:
    """Return a JPEG of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def write_posts(folder, posts, name="part-0.parquet"):
    """Write posts as a Parquet file."""
    folder.mkdir(exist_ok=True)
    columns = [list(column) for column in zip(*posts, strict=True)] or [[], [], []]
    pq.write_table(pa.table(columns, schema=SCHEMA), folder / name)


def content(folder) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def workplace(tmp_path):
    """A folder with images/, posts/ and vocabulary.txt."""
    (tmp_path / "images").mkdir()
    for i in range(len(POSTS)):
        (tmp_path / "images" / f"{i:02d}.jpg").write_bytes(image(i))
    write_posts(tmp_path / "posts", POSTS)
    VOCABULARY.write(tmp_path / "vocabulary.txt")
    return tmp_path


@pytest.fixture
def make(workplace):
    """Make shards of the workplace's posts in a folder of it; give what became of the posts."""

    def run(output="shards", settings=SETTINGS, exclusions=None, processes=1):
        source = ImageSource(workplace / "images")
        folder, vocabulary = workplace / "posts", workplace / "vocabulary.txt"
        return make_shards([folder], vocabulary, source, workplace / output, settings, exclusions, processes)

    return run
