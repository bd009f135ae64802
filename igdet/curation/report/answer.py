"""The top of the page: what the curation has come to, in sentences and in numbers."""

import numpy as np
import pyarrow.compute as pc

from igdet.curation.report.entries import percent
from igdet.curation.report.outcome import Outcome
from igdet.curation.stages import labels, posts, shards, vocabulary
from igdet.utils.durations import clock


def answer(outcome: Outcome) -> list[str]:
    """Say what came in and what came out, as far as it is known."""
    return [sentence(outcome) for stage, sentence in _SENTENCES.items() if stage in outcome.manifests]


def facts(outcome: Outcome) -> list[tuple[str, str]]:
    """Give (number, what it counts) of what is finished."""
    known = [(f"{count(outcome):,}", what) for stage, what, count in _FACTS if stage in outcome.manifests]
    return [*known, (clock(sum(manifest.seconds for manifest in outcome.manifests.values())), "run time")]


def _posts(outcome: Outcome) -> str:
    return f"{_number_of_posts(outcome):,} posts with {_number_of_tags(outcome):,} hashtags came in."


def _labels(outcome: Outcome) -> str:
    return f"These are {len(outcome.tags):,} different hashtags, which count as {len(outcome.labels):,} labels."


def _vocabulary(outcome: Outcome) -> str:
    manifest = outcome.manifests[vocabulary.FOLDER]
    recipe = manifest.setting("vocabulary", "name")
    return (
        f"The vocabulary “{recipe}” has {len(outcome.kept):,} of these labels. It covers {_coverage(outcome)} of the "
        f"hashtags, and {percent(manifest.rows_out, manifest.rows_in)} of the posts carry at least one of its labels."
    )


def _shards(outcome: Outcome) -> str:
    return f"{outcome.manifests[shards.FOLDER].rows_out:,} posts are in shards."


def _coverage(outcome: Outcome) -> str:
    """The share of the hashtags, each once a post, that count as a label of the vocabulary."""
    tags = outcome.tags
    covered = tags.filter(pc.is_in(tags["label"], outcome.kept["label"]))
    return percent(*(pc.sum(table["posts"]).as_py() or 0 for table in (covered, tags)))


def _number_of_posts(outcome: Outcome) -> int:
    return outcome.manifests[posts.FOLDER].rows_out


def _number_of_tags(outcome: Outcome) -> int:
    return int(np.arange(len(outcome.tags_per_post)) @ outcome.tags_per_post)


# Stage -> what it lets one say.
_SENTENCES = {posts.FOLDER: _posts, labels.FOLDER: _labels, vocabulary.FOLDER: _vocabulary, shards.FOLDER: _shards}
# Stage, what is counted once it has finished, how.
_FACTS = (
    (posts.FOLDER, "posts", _number_of_posts),
    (posts.FOLDER, "hashtags", _number_of_tags),
    (labels.FOLDER, "different hashtags", lambda outcome: len(outcome.tags)),
    (labels.FOLDER, "labels", lambda outcome: len(outcome.labels)),
    (vocabulary.FOLDER, "labels in the vocabulary", lambda outcome: len(outcome.kept)),
    (vocabulary.FOLDER, "posts with a label", lambda outcome: outcome.manifests[vocabulary.FOLDER].rows_out),
    (shards.FOLDER, "posts in shards", lambda outcome: outcome.manifests[shards.FOLDER].rows_out),
)
