"""An optional stage: near-duplicates of evaluation images, or among the posts, are listed to be left out."""

from dataclasses import asdict

from igdet.curation.duplicates.exclusion import excluded_against, excluded_within
from igdet.curation.duplicates.finding import find
from igdet.curation.duplicates.image_sets import open_image_set
from igdet.curation.duplicates.judging import confirmed, read_verdicts
from igdet.curation.duplicates.result import PAIRS_NAME, Request, write_csv
from igdet.curation.manifest import content_hash
from igdet.curation.settings import Curation
from igdet.curation.stages import vocabulary
from igdet.curation.stages.stage import Result, Stage
from igdet.utils.hashing import fingerprint
from igdet.utils.yaml import ConfigError

FOLDER = "duplicates"
EXCLUDED = "duplicates/excluded.csv"  # ids of posts to leave out


def _settings(curation: Curation) -> dict:
    wanted = curation.duplicates
    if curation.shards is None:
        raise ConfigError("DUPLICATES compares images, which SHARDS.IMAGES says where to find; SHARDS is missing")
    images = fingerprint(*open_image_set(wanted.evaluation).ids.to_pylist()) if wanted.evaluation else ""
    verdicts = [content_hash(path) for path in wanted.judged]
    return {"duplicates": asdict(wanted), "images": images, "verdicts": verdicts}


def _run(curation: Curation, _fingerprint: str) -> Result:
    wanted, folder = curation.duplicates, curation.folder / FOLDER
    request = Request(
        training=str(curation.folder / vocabulary.POSTS),
        training_root=str(curation.shards.root),
        evaluation=wanted.evaluation,
        max_distance=wanted.max_distance,
        processes=curation.shards.count_processes(),
        max_bad_share=curation.shards.max_bad_share,
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
    return Result(posts, posts - len(excluded), counts, [curation.folder / EXCLUDED, folder / PAIRS_NAME])


STAGE = Stage(FOLDER, "looking for near-duplicates", _settings, _run, lambda curation: curation.duplicates is not None)
