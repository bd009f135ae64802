"""One post on its way into a shard: its key, its clean image, or why it is left out; how shards are made."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from igdet.curation.images import REASONS, CleanSettings, ImageError, ImageSource, clean_image
from igdet.curation.images.jpeg import has_restarts
from igdet.curation.shards.id_list import IdList, opaque_key
from igdet.curation.shards.part import KEPT
from igdet.formats.shards.naming import SetName
from igdet.utils.hashing import sha256
from igdet.utils.messages import shown
from igdet.utils.stored_folder import SCHEMES
from igdet.utils.yaml import ConfigError


@dataclass(frozen=True)
class ShardSettings:
    """How shards are made.

    Attributes:
        posts_per_shard: labelled posts that a shard is made of, >= 1; those that are left out make it smaller.
        cleaning: how images are kept.
        salt_file: a file with a secret that enters the posts' keys; "" for none. See `opaque_key`.
        max_bad_share: share of the posts, 0..1, whose image may be bad.
        reads_at_a_time: images that each process reads at a time, >= 1; more than 1 pays for URLs.
        name: role and source in the name of the set.
        to: where the shards go: the address of a folder of a store; "" for the output folder.
    """

    posts_per_shard: int = 10_000
    cleaning: CleanSettings = field(default_factory=CleanSettings)
    salt_file: str = ""
    max_bad_share: float = 0.05
    reads_at_a_time: int = 1
    name: SetName = field(default_factory=SetName)
    to: str = ""

    def __post_init__(self) -> None:
        if self.posts_per_shard < 1 or self.reads_at_a_time < 1 or not 0 <= self.max_bad_share <= 1:
            raise ConfigError(
                f"posts_per_shard {self.posts_per_shard} and reads_at_a_time {self.reads_at_a_time} must be at least "
                f"1, max_bad_share {self.max_bad_share} must lie between 0 and 1"
            )
        if self.to and not (self.to.startswith(SCHEMES) and self.to.partition("://")[2].strip("/")):
            raise ConfigError(
                f"SHARDS.TO: {shown(self.to)} is no address of a store that igdet writes to, {' or '.join(SCHEMES[:2])}"
                "; leave it out to have the shards in OUTPUT_DIR"
            )

    def read_salt(self) -> bytes:
        """Read the secret.

        Raises:
            ConfigError: the file is not there, or empty.
        """
        if not self.salt_file:
            return b""
        path = Path(self.salt_file).expanduser()
        salt = path.read_bytes().strip() if path.is_file() else b""
        if not salt:
            raise ConfigError(f"salt_file {path}: expected a file with a secret of any length; leave it out for none")
        return salt


@dataclass(frozen=True, kw_only=True)
class ShardingSettings(ShardSettings):
    """Which shards are made, and from what.

    Attributes:
        images: folder that the images of the posts are relative to.
        exclude: lists of posts to leave out, such as opt-outs, by the name that they are counted under.
        respect_noai: whether images are left out whose server forbids it with X-Robots-Tag: noai or noimageai.
        processes: that read images; 0 for one each CPU.
    """

    images: str
    exclude: dict[str, str] = field(default_factory=dict)
    respect_noai: bool = True
    processes: int = 0

    @property
    def root(self) -> Path:
        """The folder of the images."""
        return Path(self.images).expanduser()

    def count_processes(self) -> int:
        """Return the number of processes."""
        return self.processes or os.cpu_count() or 1


class Prepared(NamedTuple):
    """A post that was looked at.

    Attributes:
        record: its row of the shard's record, as a dict of columns of `igdet.curation.shards.part.SCHEMA`.
        image: the clean image; None when the post is left out.
    """

    record: dict
    image: bytes | None = None


@dataclass(frozen=True)
class Preparer:
    """Prepares posts.

    Attributes:
        source: where images come from.
        settings: how images are kept.
        salt: what keys are made with.
        exclusions: lists of posts to leave out, by the name under which these are counted.
    """

    source: ImageSource
    settings: CleanSettings
    salt: bytes = b""
    exclusions: Mapping[str, IdList] = field(default_factory=dict)

    def prepare(self, post: dict) -> Prepared:
        """Read and clean the image of a post, unless it is excluded.

        Args:
            post: the columns of `igdet.curation.shards.labelled_posts.SCHEMA`.
        """
        record: dict = {"key": opaque_key(post["id"], self.salt), "reason": KEPT, "labels": sorted(set(post["labels"]))}
        image = None
        try:
            if not self._excluded(post, record):
                data = self.source.read(post["image"] or "")
                record["source_sha256"] = sha256(data)
            if not self._excluded(post, record):
                image = clean_image(data, self.settings)
                record["image_sha256"] = sha256(image)
                record["has_restarts"] = has_restarts(image) if self.settings.restart_markers else None
        except ImageError as error:
            return Prepared({**record, "reason": error.reason, "why": error.why})
        excluded = self._excluded(post, record)
        return Prepared({**record, "reason": excluded}) if excluded else Prepared(record, image)

    def is_current(self, post: dict, record: dict) -> bool:
        """Tell whether the lists leave a post out, or do not, just as they did when its record was written."""
        by_list = KEPT if record["reason"] in REASONS else record["reason"]
        return self._excluded(post, record) == by_list

    def _excluded(self, post: dict, record: dict) -> str:
        """Return the name of the first list that names the post, or the image as far as it is known; KEPT for none."""
        hashes = [record[name] for name in ("source_sha256", "image_sha256") if record.get(name)]
        for name, listed in self.exclusions.items():
            if listed.has_post(post["id"], record["key"]) or listed.has_image(*hashes):
                return name
        return KEPT
