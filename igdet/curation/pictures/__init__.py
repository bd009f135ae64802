"""Pictures of posts: reading them from wherever they are, and removing what says more than the picture shows."""

from igdet.curation.pictures.cleaning import CleanSettings, clean_picture
from igdet.curation.pictures.errors import BAD_REASONS, REASONS, PictureError
from igdet.curation.pictures.source import PictureSource
from igdet.curation.pictures.web import WebLimits

__all__ = ["BAD_REASONS", "REASONS", "CleanSettings", "PictureError", "PictureSource", "WebLimits", "clean_picture"]
