"""Reading a shard back, as any reader of WebDataset would."""

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from igdet.curation.sharding.errors import ShardingError
from igdet.curation.sharding.keys import sha256


def check_shard(shard: Path, kept: pa.Table, names: Sequence[str]) -> None:
    """Compare a shard on the disk with its record.

    Args:
        shard: the tar.
        kept: the rows of its record whose posts are in the shard.
        names: the canonical name of each label, by label id.

    Raises:
        ShardingError: the shard holds something else.
    """
    with tarfile.open(shard, "r:") as tar:
        members = list(tar)
        expected = [f"{key}.{suffix}" for key in kept["key"].to_pylist() for suffix in ("jpg", "json")]
        if [member.name for member in members] != expected:
            raise ShardingError(f"{shard} does not hold the {len(kept)} posts written to it; {_ADVICE}")
        for row, picture, labels in zip(kept.to_pylist(), members[::2], members[1::2], strict=True):
            data = tar.extractfile(picture).read()
            found = (picture.offset_data, len(data), sha256(data), json.load(tar.extractfile(labels))["hashtags"])
            hashtags = [names[label] for label in row["hashtags"]]
            if found != (row["offset"], row["size"], row["picture_sha256"], hashtags):
                raise ShardingError(f"{shard}: post {row['key']} came back changed; {_ADVICE}")


_ADVICE = "check the disk and run again"
