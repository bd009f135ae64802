"""Where images come from, by what the `image` of a post looks like: files, the web, object stores."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from igdet.curation.images.files import SEPARATOR, is_file, read_file, read_member
from igdet.curation.images.limits import ImageError, read_limited
from igdet.curation.images.web import WebLimits, read_url
from igdet.utils.yaml import ConfigError


def read_object(url: str, max_bytes: int) -> bytes:
    """Read an object with the credentials that the cloud's own tools use.

    Args:
        url: "s3://bucket/path" or "gs://bucket/path".
        max_bytes: how many bytes the object may have.

    Raises:
        ImageError: there is no such object, or it cannot be read.
        ConfigError: the installed pyarrow has no support for this store.
    """
    address = urlsplit(url)
    try:
        with _file_system(address.scheme, address.netloc).open_input_stream(url.partition("://")[2]) as file:
            return read_limited(file, max_bytes)
    except FileNotFoundError as error:
        raise ImageError("missing", f"no object {url}") from error
    except OSError as error:
        raise ImageError("unreadable", f"{url}: {error}") from error


@cache
def _file_system(scheme: str, bucket: str) -> Any:
    """Connect to a bucket; imported late because not every pyarrow can."""
    try:
        from pyarrow.fs import FileSystem

        return FileSystem.from_uri(f"{scheme}://{bucket}")[0]
    except (ImportError, NotImplementedError) as error:
        raise ConfigError(
            f"{scheme}:// addresses need a pyarrow with support for them, which this one lacks: {error}; "
            "install the pyarrow wheel, or copy the images to a folder"
        ) from error


@dataclass(frozen=True)
class ImageSource:
    """Reads the image files of posts.

    | `image` | what is read |
    |---|---|
    | `a/b.jpg` | a file under the root, also one whose name holds `::` |
    | `a/00001.tar::key` | a member of a WebDataset or img2dataset tar under the root |
    | `http://...`, `https://...` | what a web server gives |
    | `s3://...`, `gs://...` | an object in a bucket |

    Attributes:
        root: the folder that paths are relative to and that they may not leave.
        web: what web servers may do.
        max_bytes: how many bytes an image file may have.
    """

    root: Path
    web: WebLimits = field(default_factory=WebLimits)
    max_bytes: int = 64 * 2**20

    def read(self, image: str) -> bytes:
        """Read an image file.

        Args:
            image: one of the forms above.

        Raises:
            ImageError: it cannot be read, or must not be.
            ConfigError: no image with such an address can be read here.
        """
        scheme, separator, _ = image.partition("://")
        if not separator:
            read = read_member if SEPARATOR in image and not is_file(self.root, image) else read_file
            return read(self.root, image, self.max_bytes)
        if scheme.lower() not in _READERS:
            raise ImageError("unknown_scheme", f"{scheme}:// is none of {', '.join(_READERS)}")
        return _READERS[scheme.lower()](self, image)


_READERS: dict[str, Callable[[ImageSource, str], bytes]] = {
    **dict.fromkeys(("http", "https"), lambda source, url: read_url(url, source.web, source.max_bytes)),
    **dict.fromkeys(("s3", "gs"), lambda source, url: read_object(url, source.max_bytes)),
}
