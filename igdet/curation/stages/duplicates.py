"""An optional stage: near-duplicates of evaluation images, or among the posts, are listed to be left out."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.duplicates.exclusion import excluded_against, excluded_within
from igdet.curation.duplicates.hashed_posts import (
    ORIENTATIONS,
    PostHasher,
    cut,
    find_pairs,
    read_skipped,
    write_hashes,
)
from igdet.curation.duplicates.image_sets import open_image_set
from igdet.curation.duplicates.judging import confirmed, read_verdicts
from igdet.curation.duplicates.perceptual import MAX_SIDE, hash_images
from igdet.curation.duplicates.result import PAIRS_NAME, Found, Request, write_found
from igdet.curation.duplicates.scanning import Progress, Scan, Skipped, count_bad, too_many_bad
from igdet.curation.manifest import content_hash, read_manifest
from igdet.curation.settings import Curation, asked_for
from igdet.curation.slices import Parts, make_parts, parquet_files, part_folders, planned
from igdet.curation.stages import numbered_posts, vocabulary
from igdet.curation.stages.stage import Result, Stage
from igdet.reporting.tables import write_csv
from igdet.utils.errors import too_many
from igdet.utils.hashing import fingerprint
from igdet.utils.yaml import ConfigError

FOLDER = "duplicates"
EXCLUDED = "duplicates/excluded.csv"  # ids of posts to leave out
HASHES = "duplicates/hashes"  # parts, of the posts' images


def _settings(curation: Curation) -> dict:
    wanted = asked_for(curation.duplicates, "DUPLICATES")
    if curation.shards is None:
        raise ConfigError("DUPLICATES compares images, which SHARDS.IMAGES says where to find; SHARDS is missing")
    images = fingerprint(*open_image_set(wanted.evaluation).ids.to_pylist()) if wanted.evaluation else ""
    verdicts = [content_hash(path) for path in wanted.judged]
    return {"duplicates": asdict(wanted), "images": images, "verdicts": verdicts, "hashing": _hashing(curation)}


def _hashing(curation: Curation) -> dict:
    """Return what the hashes of the posts' images depend on, besides the posts."""
    orientations = 1 if asked_for(curation.duplicates, "DUPLICATES").evaluation else ORIENTATIONS
    return {"root": str(asked_for(curation.shards, "SHARDS").root), "orientations": orientations}


def _run(curation: Curation, _fingerprint: str) -> Result:
    wanted, shards = asked_for(curation.duplicates, "DUPLICATES"), asked_for(curation.shards, "SHARDS")
    folder, posts = curation.folder / FOLDER, curation.folder / numbered_posts.FOLDER
    hashed, skipped = _hash_posts(curation)
    queries = [_hash_evaluation(curation)] if wanted.evaluation else []
    skipped += read_skipped(queries)
    found = Found(find_pairs(hashed.files, queries, wanted.max_distance), skipped)
    write_found(
        folder, Request(str(posts), wanted.evaluation, str(shards.root), max_distance=wanted.max_distance), found
    )
    pairs = confirmed(found.pairs, read_verdicts(wanted.judged)) if wanted.judged else found.pairs
    excluded = excluded_against(pairs) if wanted.evaluation else excluded_within(pairs, _increments(curation, pairs))
    write_csv(curation.folder / EXCLUDED, ["id"], ([name] for name in excluded))
    rows = engine.count_rows(hashed.files)
    counts = {"pairs": len(found.pairs), "pairs that count": len(pairs), "images that cannot be read": len(skipped)}
    written = [curation.folder / EXCLUDED, folder / PAIRS_NAME, *hashed.files]
    return Result(rows, rows - len(excluded), counts, written, steps=[hashed.step])


def _increments(curation: Curation, pairs: pa.Table) -> dict[str, int]:
    """Return the number of the increment of each post of the pairs: of near-duplicates the earliest stays."""
    names = pa.chunked_array([*pairs["query"].chunks, *pairs["match"].chunks], pa.string()).combine_chunks()
    found: dict[str, int] = {}
    for number, increment in enumerate(numbered_posts.increments(curation.folder)):
        for file in parquet_files([increment]):
            ids = pq.read_table(file, columns=["id"], partitioning=None)["id"]
            found |= dict.fromkeys(ids.filter(pc.is_in(ids, names)).to_pylist(), number)
    return found


def _hash_posts(curation: Curation) -> tuple[Parts, list[Skipped]]:
    """Hash the images of the posts, but for those of an earlier curation that has hashed them alike.

    Returns:
        The hashes, and the images that have none.

    Raises:
        DuplicatesError: too many images are bad.
    """
    shards, hashing = asked_for(curation.shards, "SHARDS"), _hashing(curation)
    hasher = PostHasher(shards.root, hashing["orientations"], shards.max_bad_share)
    increments, carried = numbered_posts.increments(curation.folder), _carried(curation)
    before, parts = (planned(carried), part_folders(carried)) if carried else ([], [])
    items = cut(parquet_files(increments[-1:] if carried else increments))
    posts = read_manifest(curation.folder, vocabulary.FOLDER)
    of = fingerprint(posts and posts.fingerprint, hashing)
    name, processes = "images read and hashed", shards.count_processes()
    hashed = make_parts(curation.folder / HASHES, of, [*before, *items], hasher, name, parts, processes)
    skipped = {part: read_skipped(parquet_files([part])) for part in hashed.folders}
    _refuse_bad({part: skipped[part] for part in hashed.folders[len(before) :]}, shards.max_bad_share)
    return hashed, list(chain.from_iterable(skipped.values()))


def _refuse_bad(skipped: Mapping[Path, Sequence[Skipped]], max_bad_share: float) -> None:
    """Stop where too many images of parts are bad; those with some go, to be tried again."""
    bad, rows = sum(map(count_bad, skipped.values())), engine.count_rows(parquet_files([*skipped]))
    if not too_many(bad, rows, max_bad_share):
        return
    last = [one for of in skipped.values() for one in of if count_bad([one])][-1]
    for part, of in skipped.items():
        if count_bad(of):
            shutil.rmtree(part)
    raise too_many_bad(bad, rows, last, max_bad_share)


def _carried(curation: Curation) -> Path | None:
    """Return where the earlier curation has the hashes of the posts that are carried, in as many orientations."""
    if curation.carried_from is None:
        return None
    manifest = curation.carried_from.manifest(FOLDER)
    if manifest is None or manifest.settings["hashing"]["orientations"] != _hashing(curation)["orientations"]:
        return None
    return curation.carried_from.folder / HASHES


def _hash_evaluation(curation: Curation) -> Path:
    """Hash the evaluation images in all orientations; return the file."""
    wanted, shards = asked_for(curation.duplicates, "DUPLICATES"), asked_for(curation.shards, "SHARDS")
    scan = Scan(MAX_SIDE, shards.count_processes(), shards.max_bad_share)
    path = curation.folder / FOLDER / "evaluation.parquet"
    write_hashes(hash_images(open_image_set(wanted.evaluation), scan, Progress()), path)
    return path


STAGE = Stage(FOLDER, "looking for near-duplicates", _settings, _run, lambda curation: curation.duplicates is not None)
