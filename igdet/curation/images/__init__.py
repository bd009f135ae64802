"""Images of posts: reading them from wherever they are, and removing what says more than the image shows."""

from igdet.curation.images.cleaning import CleanSettings, clean_image
from igdet.curation.images.limits import BAD_REASONS, REASONS, ImageError
from igdet.curation.images.source import ImageSource
from igdet.curation.images.web import WebLimits

__all__ = ["BAD_REASONS", "REASONS", "CleanSettings", "ImageError", "ImageSource", "WebLimits", "clean_image"]
