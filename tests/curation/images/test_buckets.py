"""Objects in buckets, with a file system in memory in their place."""

import io

import pytest

from igdet.curation.images import source
from igdet.curation.images.limits import ImageError
from igdet.utils.yaml import ConfigError


class Memory:
    """A store with one object, and one that may not be read."""

    def open_input_stream(self, path):
        if path == "bucket/locked.jpg":
            raise PermissionError("access denied")
        if path != "bucket/a/b.jpg":
            raise FileNotFoundError(path)
        return io.BytesIO(b"picture")


@pytest.fixture
def stores(monkeypatch):
    asked = []

    class FileSystem:
        @staticmethod
        def from_uri(uri):
            asked.append(uri)
            return Memory(), ""

    monkeypatch.setattr("pyarrow.fs.FileSystem", FileSystem)
    source._file_system.cache_clear()
    yield asked
    source._file_system.cache_clear()


def test_objects_are_read_over_one_connection(stores):
    assert source.read_object("s3://bucket/a/b.jpg", 7) == source.read_object("s3://bucket/a/b.jpg", 8) == b"picture"
    assert stores == ["s3://bucket"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("gs://bucket/none.jpg", "missing"),
        ("gs://bucket/locked.jpg", "unreadable"),
        ("gs://bucket/a/b.jpg", "too_large"),
    ],
)
def test_reasons(stores, url, reason):
    with pytest.raises(ImageError) as error:
        source.read_object(url, 6)
    assert error.value.reason == reason


def test_a_pyarrow_without_the_store_is_named(monkeypatch):
    source._file_system.cache_clear()

    class FileSystem:
        @staticmethod
        def from_uri(uri):
            raise NotImplementedError("built without S3")

    monkeypatch.setattr("pyarrow.fs.FileSystem", FileSystem)
    with pytest.raises(ConfigError, match=r"s3:// addresses need a pyarrow.*built without S3.*copy the images"):
        source.read_object("s3://bucket/a/b.jpg", 7)
