"""The last stage: shards that training reads."""

from dataclasses import asdict, replace

from igdet.curation.images import ImageSource, WebLimits
from igdet.curation.manifest import content_hash
from igdet.curation.settings import Curation, asked_for
from igdet.curation.shards import IdList, Tally, make_shards
from igdet.curation.shards.place import place_of
from igdet.curation.stages import duplicates, numbered_posts, vocabulary
from igdet.curation.stages.stage import Result, Stage
from igdet.formats.shards.format import INDEX_NAME, SHARD_PATTERN, SUMMARY_NAME
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.utils.yaml import ConfigError

FOLDER = "shards"


def _settings(curation: Curation) -> dict:
    wanted = asked_for(curation.shards, "SHARDS")
    if not wanted.root.is_dir():
        raise ConfigError(
            f"SHARDS.IMAGES: {wanted.images}: there is no such folder; for URLs alone name any, such as '.'"
        )
    files = [*wanted.exclude.values(), *([wanted.salt_file] if wanted.salt_file else [])]
    place_of(curation.folder / FOLDER, wanted.to).check()
    settings = asdict(replace(wanted, processes=0))  # their number changes nothing
    if not wanted.to:
        del settings["to"]  # what was made before there were stores stays current
    return {"shards": settings, "contents": [content_hash(path) for path in files]}


def _claim(curation: Curation) -> None:
    place_of(curation.folder / FOLDER, asked_for(curation.shards, "SHARDS").to).claim()


def _run(curation: Curation, fingerprint: str) -> Result:
    wanted, folder = asked_for(curation.shards, "SHARDS"), curation.folder
    tally = make_shards(
        numbered_posts.increments(folder),
        folder / vocabulary.VOCABULARY,
        ImageSource(wanted.root, WebLimits(respect_noai=wanted.respect_noai)),
        folder / FOLDER,
        wanted,
        _exclusions(curation),
        wanted.count_processes(),
        curation.carried_from.folder / FOLDER if curation.carried_from else None,
    )
    shards = folder / FOLDER
    written = [shards / name for name in (INDEX_NAME, SUMMARY_NAME, VOCABULARY_NAME)]
    if not wanted.to:
        written += shards.glob(SHARD_PATTERN)
    stored = {address: facts._asdict() for address, facts in tally.stored.items()}
    return Result(tally.posts, tally.kept, dict(tally.left_out), written, _notes(tally), [tally.pace.step()], stored)


def _notes(tally: Tally) -> list[str]:
    if not tally.without_restarts:
        return []
    return [f"{tally.without_restarts:,} images are without restart markers: they cannot be added without a loss"]


def _exclusions(curation: Curation) -> dict[str, IdList]:
    lists = {name: IdList.read(path) for name, path in asked_for(curation.shards, "SHARDS").exclude.items()}
    if curation.duplicates is not None:
        lists["near-duplicate"] = IdList.read(curation.folder / duplicates.EXCLUDED)
    return lists


STAGE = Stage(FOLDER, "writing shards", _settings, _run, lambda curation: curation.shards is not None, _claim)
