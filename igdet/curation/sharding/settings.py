"""How shards are made."""

from dataclasses import dataclass, field
from pathlib import Path

from igdet.curation.pictures import CleanSettings
from igdet.utils.strict_yaml import ConfigError


@dataclass(frozen=True)
class ShardSettings:
    """How shards are made.

    Attributes:
        posts_per_shard: labelled posts that a shard is made of, >= 1; those that are left out make it smaller.
        pictures: how pictures are kept.
        salt_file: a file with a secret that enters the posts' keys; "" for none. See `opaque_key`.
        max_bad_share: share of the posts, 0..1, whose picture may be bad.
        reads_at_a_time: pictures that each process reads at a time, >= 1; more than 1 pays for URLs.
    """

    posts_per_shard: int = 10_000
    pictures: CleanSettings = field(default_factory=CleanSettings)
    salt_file: str = ""
    max_bad_share: float = 0.05
    reads_at_a_time: int = 1

    def __post_init__(self):
        if self.posts_per_shard < 1 or self.reads_at_a_time < 1 or not 0 <= self.max_bad_share <= 1:
            raise ConfigError(
                f"posts_per_shard {self.posts_per_shard} and reads_at_a_time {self.reads_at_a_time} must be at least "
                f"1, max_bad_share {self.max_bad_share} must lie between 0 and 1"
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
