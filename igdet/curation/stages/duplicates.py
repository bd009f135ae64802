"""An optional stage: near-duplicates of evaluation images, or among the posts, are listed to be left out."""

from dataclasses import asdict

from igdet.curation.duplicates.exclusion import excluded_against, excluded_within
from igdet.curation.duplicates.finding import find
from igdet.curation.duplicates.image_sets import open_image_set
from igdet.curation.duplicates.judging import confirmed, read_verdicts
from igdet.curation.duplicates.result import PAIRS_NAME, Request
from igdet.curation.manifest import content_hash
from igdet.curation.settings import Curation, asked_for
from igdet.curation.stages import vocabulary
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
    folder = curation.folder / FOLDER
    request = Request(
        training=str(curation.folder / vocabulary.POSTS),
        training_root=str(shards.root),
        evaluation=wanted.evaluation,
        max_distance=wanted.max_distance,
        processes=shards.count_processes(),
        max_bad_share=shards.max_bad_share,
    )
    found = find(request, folder)
    pairs = confirmed(found.pairs, read_verdicts(wanted.judged)) if wanted.judged else found.pairs
    excluded = excluded_against(pairs) if wanted.evaluation else excluded_within(pairs)
    write_csv(curation.folder / EXCLUDED, ["id"], ([name] for name in excluded))
    posts = len(request.open_training())
    counts = {
        "pairs": len(found.pairs),
        "pairs that count": len(pairs),
        "images that cannot be read": len(found.skipped),
    }
    written = [curation.folder / EXCLUDED, folder / PAIRS_NAME]
    return Result(posts, posts - len(excluded), counts, written, steps=[found.step] if found.step else [])


STAGE = Stage(FOLDER, "looking for near-duplicates", _settings, _run, lambda curation: curation.duplicates is not None)
