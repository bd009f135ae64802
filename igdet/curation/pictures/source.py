"""Where pictures come from, by what the `image` of a post looks like."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from igdet.curation.pictures.buckets import read_object
from igdet.curation.pictures.errors import PictureError
from igdet.curation.pictures.local import read_file
from igdet.curation.pictures.tars import SEPARATOR, is_file, read_member
from igdet.curation.pictures.web import WebLimits, read_url


@dataclass(frozen=True)
class PictureSource:
    """Reads the picture files of posts.

    | `image` | what is read |
    |---|---|
    | `a/b.jpg` | a file under the root, also one whose name holds `::` |
    | `a/00001.tar::key` | a member of a WebDataset or img2dataset tar under the root |
    | `http://...`, `https://...` | what a web server gives |
    | `s3://...`, `gs://...` | an object in a bucket |

    Attributes:
        root: the folder that paths are relative to and that they may not leave.
        web: what web servers may do.
        max_bytes: how many bytes a picture file may have.
    """

    root: Path
    web: WebLimits = field(default_factory=WebLimits)
    max_bytes: int = 64 * 2**20

    def read(self, image: str) -> bytes:
        """Read a picture file.

        Args:
            image: one of the forms above.

        Raises:
            PictureError: it cannot be read, or must not be.
            ConfigError: no picture with such an address can be read here.
        """
        scheme, separator, _ = image.partition("://")
        if not separator:
            read = read_member if SEPARATOR in image and not is_file(self.root, image) else read_file
            return read(self.root, image, self.max_bytes)
        if scheme.lower() not in _READERS:
            raise PictureError("unknown_scheme", f"{scheme}:// is none of {', '.join(_READERS)}")
        return _READERS[scheme.lower()](self, image)


_READERS: dict[str, Callable[[PictureSource, str], bytes]] = {
    **dict.fromkeys(("http", "https"), lambda source, url: read_url(url, source.web, source.max_bytes)),
    **dict.fromkeys(("s3", "gs"), lambda source, url: read_object(url, source.max_bytes)),
}
