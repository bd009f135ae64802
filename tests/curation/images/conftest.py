"""Images with secrets in every place where files can carry them."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

SECRETS = (b"Anna Example", b"52.5200 N 13.4050 E", b"at the zoo with Anna")
OWNER, PLACE, CAPTION = SECRETS
GPS = 0x8825
ARTIST = 0x013B
ORIENTATION = 0x0112


def secret_exif(orientation: int) -> Image.Exif:
    """Return EXIF with an orientation, an owner and a place."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[ARTIST] = OWNER.decode()
    exif[GPS] = {0x1B: PLACE, 0x1D: "2017:01:02"}  # how the place was found, which is free text; the date
    return exif


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """Return a smooth image, uint8 (48, 64, 3), whose four corners differ."""
    y, x = np.mgrid[0:48, 0:64]
    return np.stack([4 * x, 5 * y, 255 - 2 * (x + y)], axis=2).astype(np.uint8)


@pytest.fixture(scope="session")
def secret_jpeg(pixels):
    """Make a JPEG with an orientation, and secrets in EXIF, XMP, IPTC, the comment, and behind the image's end."""

    def make(orientation: int = 1, **options) -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(
            file, "JPEG", exif=secret_exif(orientation), comment=CAPTION, xmp=b"<x>" + OWNER + b"</x>", **options
        )
        iptc = b"Photoshop 3.0\0" + CAPTION
        data = file.getvalue()
        return data[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc + data[2:] + b"video of " + OWNER

    return make


@pytest.fixture(scope="session")
def secret_png(pixels) -> bytes:
    """Return a PNG with secrets in EXIF and text."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", CAPTION.decode())
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", exif=secret_exif(1), pnginfo=text)
    return file.getvalue()
