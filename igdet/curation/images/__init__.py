"""Pictures of posts: reading them from wherever they are, and removing what says more than the picture shows."""

from igdet.curation.images.cleaning import CleanSettings, clean_picture
from igdet.curation.images.limits import BAD_REASONS, REASONS, PictureError
from igdet.curation.images.source import PictureSource
from igdet.curation.images.web import WebLimits

__all__ = ["BAD_REASONS", "REASONS", "CleanSettings", "PictureError", "PictureSource", "WebLimits", "clean_picture"]
