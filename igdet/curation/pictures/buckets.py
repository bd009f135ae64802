"""Pictures in object stores: s3:// and gs:// addresses."""

from functools import cache
from urllib.parse import urlsplit

from igdet.curation.pictures.errors import PictureError
from igdet.curation.pictures.limits import read_limited
from igdet.utils.strict_yaml import ConfigError


def read_object(url: str, max_bytes: int) -> bytes:
    """Read an object with the credentials that the cloud's own tools use.

    Args:
        url: "s3://bucket/path" or "gs://bucket/path".
        max_bytes: how many bytes the object may have.

    Raises:
        PictureError: there is no such object, or it cannot be read.
        ConfigError: the installed pyarrow has no support for this store.
    """
    address = urlsplit(url)
    try:
        with _file_system(address.scheme, address.netloc).open_input_stream(url.partition("://")[2]) as file:
            return read_limited(file, max_bytes)
    except FileNotFoundError as error:
        raise PictureError("missing", f"no object {url}") from error
    except OSError as error:
        raise PictureError("unreadable", f"{url}: {error}") from error


@cache
def _file_system(scheme: str, bucket: str):
    """Connect to a bucket; imported late because not every pyarrow can."""
    try:
        from pyarrow.fs import FileSystem

        return FileSystem.from_uri(f"{scheme}://{bucket}")[0]
    except (ImportError, NotImplementedError) as error:
        raise ConfigError(
            f"{scheme}:// addresses need a pyarrow with support for them, which this one lacks: {error}; "
            "install the pyarrow wheel, or copy the pictures to a folder"
        ) from error
