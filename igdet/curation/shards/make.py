"""Making all shards of a folder, as work of the engine, from where an earlier run stopped."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.images import ImageSource
from igdet.curation.shards.id_list import IdList
from igdet.curation.shards.labelled_posts import LabelledPosts, ShardingError
from igdet.curation.shards.part import FOLDER, part_path
from igdet.curation.shards.place import Place, earlier_place, place_of
from igdet.curation.shards.preparing import Preparer, ShardSettings
from igdet.curation.shards.shard_maker import MadeShard, ShardMaker, Tally
from igdet.formats.shards.format import INDEX_NAME, SHARD_NAME, index_schema
from igdet.formats.shards.summary import write_summary
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.utils.errors import too_many
from igdet.utils.files import atomic_write, remove_unfinished

LOG_NAME = "bad_images.jsonl"

logger = logging.getLogger(__name__)


def make_shards(
    posts: Sequence[Path],
    vocabulary: Path,
    source: ImageSource,
    output: Path,
    settings: ShardSettings,
    exclusions: Mapping[str, IdList] | None = None,
    processes: int = 1,
    earlier: Path | None = None,
) -> Tally:
    """Make the shards of labelled posts; the same posts, settings and lists give the same bytes.

    Only images, label ids and opaque keys reach a shard. A shard is made of a fixed range of posts, so that a longer
    list of exclusions changes only the shards with posts on it. Every shard appears whole or not at all, and the
    index and its summary appear last. Beside the shards, `records/` holds what a later run needs, and
    bad_images.jsonl with the id and image of each post whose image is bad: it is not meant to be handed on.

    Args:
        posts: folders of Parquet files, see `LabelledPosts`; no shard holds posts of two.
        vocabulary: file whose line numbers are the label ids.
        source: where images come from.
        output: folder of the shards, or, where they go to a store, of all else; shards of an earlier run that are
            still right are kept.
        settings: how shards are made.
        exclusions: posts to leave out, such as opt-outs, by the name under which they are counted.
        processes: number of processes of this machine, >= 1; see `engine.map_in_order`.
        earlier: output folder of shards of an earlier curation, which are taken over where they would be made alike.

    Returns:
        What became of the posts.

    Raises:
        ShardingError: the posts cannot be read, or too many images are bad.
        ConfigError: the salt cannot be read, or images lie where this installation cannot read.
        StoreError: a store cannot be used, or holds the shards of another curation.
        OSError: the disk is full or not writable; run again when it is fixed.
    """
    labels = Vocabulary.read(vocabulary)
    found = LabelledPosts(posts, len(labels))
    place = place_of(output, settings.to).claim()
    _remove_leftovers(place, found.count_tables(settings.posts_per_shard))
    labels.write(output / VOCABULARY_NAME)
    preparer = Preparer(source, settings.cleaning, settings.read_salt(), exclusions or {})
    maker = ShardMaker(place, labels.names, settings, preparer, earlier_place(earlier) if earlier else None)
    tally, made = Tally(), {}
    (output / FOLDER).mkdir(exist_ok=True)
    schema = index_schema(output / VOCABULARY_NAME)
    with (
        (output / FOLDER / LOG_NAME).open("w", encoding="utf-8") as log,
        atomic_write(output / INDEX_NAME) as index_file,
        pq.ParquetWriter(index_file, schema) as index,
    ):
        tasks = enumerate(found.tables(settings.posts_per_shard))
        for done in engine.map_in_order(maker.make, tasks, processes):
            shard = done.result
            tally.add(shard.part, shard.is_new)
            if shard.is_new:
                tally.pace.add(shard.name, len(shard.part), shard.facts.bytes, done)
            _log(shard, log)
            _check_bad(tally, shard, settings.max_bad_share, Path(log.name))
            index.write_table(_index_rows(shard, schema))
            if shard.facts.bytes:
                made[shard.name] = shard.facts
    write_summary(output, settings.name, {name: facts.bytes for name, facts in made.items()})
    tally.stored = place.publish(made)
    return tally


def _remove_leftovers(place: Place, shards: int) -> None:
    """Remove half-written files, and shards that the posts no longer fill; an index that lists these goes first."""
    remove_unfinished(place.folder)
    expected = {SHARD_NAME.format(number) for number in range(shards)}
    for shard in place.shards():
        if shard not in expected:
            place.retract()
            part_path(place.folder, shard).unlink(missing_ok=True)
            place.remove(shard)


def _index_rows(shard: MadeShard, schema: pa.Schema) -> pa.Table:
    kept = shard.kept
    names = pa.array([shard.name] * len(kept), pa.string()).dictionary_encode()
    return kept.append_column("shard", names).select(schema.names).cast(schema)


def _log(shard: MadeShard, log: IO[str]) -> None:
    log.writelines(json.dumps(post) + "\n" for post in shard.bad)
    log.flush()
    state = "made" if shard.is_new else "was there"
    logger.info(f"{shard.name} {state}: {len(shard.kept)} of {len(shard.part)} posts")


def _check_bad(tally: Tally, shard: MadeShard, max_share: float, log: Path) -> None:
    if shard.bad and too_many(tally.bad, tally.posts, max_share):
        last = shard.bad[-1]
        raise ShardingError(
            f"{tally.bad} of {tally.posts} images are bad ({_most_common(tally)}), the last one {last['image']}: "
            f"{last['why']}. {log} names each; fix them or raise max_bad_share ({max_share})"
        )


def _most_common(tally: Tally) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in tally.left_out.most_common(3))
