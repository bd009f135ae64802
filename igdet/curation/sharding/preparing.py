"""One post on its way into a shard: its key, its clean picture, or why it is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from igdet.curation.pictures import REASONS, CleanSettings, PictureError, PictureSource, clean_picture
from igdet.curation.sharding.id_list import IdList
from igdet.curation.sharding.keys import opaque_key, sha256
from igdet.curation.sharding.part import KEPT


class Prepared(NamedTuple):
    """A post that was looked at.

    Attributes:
        record: its row of the shard's record, as a dict of columns of `igdet.curation.sharding.part.SCHEMA`.
        picture: the clean picture; None when the post is left out.
    """

    record: dict
    picture: bytes | None = None


@dataclass(frozen=True)
class Preparer:
    """Prepares posts.

    Attributes:
        source: where pictures come from.
        settings: how pictures are kept.
        salt: what keys are made with.
        exclusions: lists of posts to leave out, by the name under which these are counted.
    """

    source: PictureSource
    settings: CleanSettings
    salt: bytes = b""
    exclusions: Mapping[str, IdList] = field(default_factory=dict)

    def prepare(self, post: dict) -> Prepared:
        """Read and clean the picture of a post, unless it is excluded.

        Args:
            post: the columns of `igdet.curation.sharding.labelled_posts.SCHEMA`.
        """
        record = {"key": opaque_key(post["id"], self.salt), "reason": KEPT, "hashtags": sorted(set(post["labels"]))}
        picture = None
        try:
            if not self._excluded(post, record):
                data = self.source.read(post["image"] or "")
                record["source_sha256"] = sha256(data)
            if not self._excluded(post, record):
                picture = clean_picture(data, self.settings)
                record["picture_sha256"] = sha256(picture)
        except PictureError as error:
            return Prepared({**record, "reason": error.reason, "why": error.why})
        excluded = self._excluded(post, record)
        return Prepared({**record, "reason": excluded}) if excluded else Prepared(record, picture)

    def is_current(self, post: dict, record: dict) -> bool:
        """Tell whether the lists leave a post out, or do not, just as they did when its record was written."""
        by_list = KEPT if record["reason"] in REASONS else record["reason"]
        return self._excluded(post, record) == by_list

    def _excluded(self, post: dict, record: dict) -> str:
        """Give the name of the first list that names the post, or the picture as far as it is known; KEPT for none."""
        hashes = [record[name] for name in ("source_sha256", "picture_sha256") if record.get(name)]
        for name, listed in self.exclusions.items():
            if listed.has_post(post["id"], record["key"]) or listed.has_picture(*hashes):
                return name
        return KEPT
