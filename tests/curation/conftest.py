"""A small lexicon of animals, with a table of labels and posts that use it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.labels.label_table import SCHEMA
from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.candidates import Reach
from igdet.curation.vocabularies.greedy_choice import Goal
from igdet.curation.vocabularies.label_space import match_label_space

# word, label, which sense of the word it is
SENSES = [
    ("animal", "n00000001", 1),
    ("dog", "n00000002", 1),
    ("hound", "n00000002", 1),
    ("puppy", "n00000003", 1),
    ("cat", "n00000004", 1),
    ("crane", "n00000005", 1),  # the bird
    ("crane", "n00000006", 2),  # the machine
    ("derrick", "n00000006", 1),
    ("machine", "n00000007", 1),
    ("goldfish", "n00000008", 1),
]
HYPERNYMS = {
    "n00000002": ["n00000001"],
    "n00000003": ["n00000002"],
    "n00000004": ["n00000001"],
    "n00000005": ["n00000001"],
    "n00000008": ["n00000001"],
    "n00000006": ["n00000007"],
}
# label, name, posts, hashtags; the most frequent first
LABELS = [
    ("n00000002", "dog", 6, ["dog", "dogs", "hound"]),
    ("love", "love", 5, ["love"]),
    ("n00000005", "crane", 4, ["crane"]),
    ("n00000004", "cat", 3, ["cat", "cats"]),
    ("n00000003", "puppy", 2, ["puppy"]),
    ("instagood", "instagood", 2, ["instagood"]),
    ("n00000001", "animal", 1, ["animal"]),
]
DOG, LOVE, CRANE, CAT, PUPPY, INSTAGOOD, ANIMAL = range(7)
POSTS = [[DOG, LOVE]] * 5 + [[DOG, PUPPY], [PUPPY], [CRANE], [CAT], [CAT, INSTAGOOD], [ANIMAL, INSTAGOOD]]
TARGETS = "n00000002\nn00000006\nwalrus\n#instagood\n"
GOAL = Goal(wanted=10)


@pytest.fixture
def animals() -> Lexicon:
    """The lexicon."""
    words, labels, ranks = zip(*SENSES, strict=True)
    senses = pa.table({"word": words, "label": labels, "rank": ranks, "name": [False] * len(SENSES)})
    return Lexicon(senses, pa.table({"label": list(HYPERNYMS), "hypernyms": list(HYPERNYMS.values())}))


@pytest.fixture
def animal_labels() -> pa.Table:
    """The table of labels: dog, love, crane, cat, puppy, instagood, animal are rows 0 to 6."""
    return pa.table([list(column) for column in zip(*LABELS, strict=True)], schema=SCHEMA)


@pytest.fixture
def match_animals(animals, animal_labels, tmp_path):
    """Run `match_label_space` on posts of animals; without neighbours, which would need many more posts."""

    def run(posts=POSTS, targets=TARGETS, goal=GOAL):
        pq.write_table(animal_labels, tmp_path / "labels.parquet")
        pq.write_table(pa.table({"labels": pa.array(posts, pa.list_(pa.int32()))}), tmp_path / "posts.parquet")
        (tmp_path / "targets.txt").write_text(targets)
        (tmp_path / "other.txt").write_text("hound\nkitten cat\n")
        return match_label_space(
            tmp_path / "labels.parquet",
            tmp_path / "posts.parquet",
            tmp_path / "targets.txt",
            animals,
            goal,
            Reach(neighbours=0),
            others=[str(tmp_path / "other.txt")],
        )

    return run
