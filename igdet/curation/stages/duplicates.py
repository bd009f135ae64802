"""An optional stage: near-duplicates of evaluation images, or among the posts, are listed to be left out."""

from dataclasses import asdict, replace
from pathlib import Path

from igdet.curation import engine
from igdet.curation.duplicates.exclusion import excluded_against, excluded_within
from igdet.curation.duplicates.finding import find
from igdet.curation.duplicates.image_sets import open_image_set
from igdet.curation.duplicates.judging import confirmed, read_verdicts
from igdet.curation.duplicates.result import PAIRS_NAME, SCHEMA, Found, Request, write_found
from igdet.curation.manifest import content_hash
from igdet.curation.settings import Curation, asked_for
from igdet.curation.slices import parquet_files
from igdet.curation.stages import numbered_posts
from igdet.curation.stages.stage import Result, Stage
from igdet.reporting.tables import write_csv
from igdet.utils.hashing import fingerprint
from igdet.utils.yaml import ConfigError

FOLDER = "duplicates"
EXCLUDED = "duplicates/excluded.csv"  # ids of posts to leave out


def _settings(curation: Curation) -> dict:
    wanted = asked_for(curation.duplicates, "DUPLICATES")
    if curation.shards is None:
        raise ConfigError("DUPLICATES compares images, which SHARDS.IMAGES says where to find; SHARDS is missing")
    images = fingerprint(*open_image_set(wanted.evaluation).ids.to_pylist()) if wanted.evaluation else ""
    verdicts = [content_hash(path) for path in wanted.judged]
    return {"duplicates": asdict(wanted), "images": images, "verdicts": verdicts}


def _run(curation: Curation, _fingerprint: str) -> Result:
    wanted, shards = asked_for(curation.duplicates, "DUPLICATES"), asked_for(curation.shards, "SHARDS")
    folder, increments = curation.folder / FOLDER, numbered_posts.increments(curation.folder)
    request = Request(
        training=str(curation.folder / numbered_posts.FOLDER),
        training_root=str(shards.root),
        evaluation=wanted.evaluation,
        max_distance=wanted.max_distance,
        processes=shards.count_processes(),
        max_bad_share=shards.max_bad_share,
    )
    if earlier := _carried(curation):
        found = _find_among(increments[-1], request, folder).with_earlier(earlier)
        write_found(folder, request, found)
    else:
        found = find(request, folder)
    pairs = confirmed(found.pairs, read_verdicts(wanted.judged)) if wanted.judged else found.pairs
    excluded = excluded_against(pairs) if wanted.evaluation else excluded_within(pairs)
    write_csv(curation.folder / EXCLUDED, ["id"], ([name] for name in excluded))
    posts = engine.count_rows(parquet_files(increments))
    counts = {
        "pairs": len(found.pairs),
        "pairs that count": len(pairs),
        "images that cannot be read": len(found.skipped),
    }
    written = [curation.folder / EXCLUDED, folder / PAIRS_NAME]
    return Result(posts, posts - len(excluded), counts, written, steps=[found.step] if found.step else [])


def _carried(curation: Curation) -> Path | None:
    """Return where the earlier curation has looked for the same evaluation images among the posts that are carried."""
    manifest = curation.carried_from.manifest(FOLDER) if curation.carried_from else None
    if curation.carried_from is None or manifest is None:
        return None
    own, theirs = _settings(curation), manifest.settings
    searches = [({**of["duplicates"], "judged": None}, of["images"]) for of in (own, theirs)]
    is_same = own["duplicates"]["evaluation"] and searches[0] == searches[1]
    return curation.carried_from.folder / FOLDER if is_same else None


def _find_among(posts: Path, request: Request, folder: Path) -> Found:
    """Search some of the posts, of which there may be none."""
    if not engine.count_rows(parquet_files([posts])):
        return Found(SCHEMA.empty_table(), [])
    return find(replace(request, training=str(posts)), folder)


STAGE = Stage(FOLDER, "looking for near-duplicates", _settings, _run, lambda curation: curation.duplicates is not None)
