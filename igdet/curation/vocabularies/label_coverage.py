"""Which share of a target's classes a pretraining had a label for, by the names of both."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.labels.label_table import SCHEMA
from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.target_classes import TargetClass, hashtag_form, match_targets, rows_of_matches

SYNONYMS = ("wnid", "name")  # rules of a match that find the class itself; a last word names something wider


class Coverage(NamedTuple):
    """The classes of a target by whether a pretraining had a label for them.

    Attributes:
        covered: classes with a label.
        unknown: classes whose name neither the lexicon nor a label has: whether they have a label is not known.
        classes: all.
    """

    covered: int
    unknown: int
    classes: int


def label_coverage(classes: Sequence[TargetClass], labels: Sequence[TargetClass], lexicon: Lexicon) -> Coverage | None:
    """Count the target's classes that are a label, or a synonym of one.

    A name with several meanings counts for each of them, as a hashtag does: #mouse covers the animal and the device.
    A label that is known by its wnid has that meaning alone.

    Args:
        classes: of the target.
        labels: of the pretraining, whose names may be hashtags.
        lexicon: the synonyms.

    Returns:
        The counts; None where nothing is known: no label has a name (numbers are none), or no class a known one.
    """
    named = [label for label in labels if _has_name(label)]
    table = label_table(named, lexicon)
    matches = match_targets(filter(_has_name, classes), table, lexicon)
    known = [match for match in matches if match.rule in SYNONYMS]
    if not named or not known:
        return None
    covered = sum(bool(rows) for rows in rows_of_matches(table, known, lexicon))
    return Coverage(covered, len(classes) - len(known), len(classes))


def _has_name(target: TargetClass) -> bool:
    return bool(target.wnid) or any(not name.isdecimal() for name in target.names)


def label_table(labels: Sequence[TargetClass], lexicon: Lexicon) -> pa.Table:
    """Return labels as curation has them, a row each; what the first name means is looked up where no wnid says it."""
    canonicaliser = Canonicaliser(lexicon)
    rows = []
    for label in labels:
        forms = [] if label.wnid else [form for name in label.names if (form := hashtag_form(name))]
        key = label.wnid or (canonicaliser.canonical(forms[0]).label if forms else label.key)
        rows.append({"label": key, "name": label.key, "posts": 0, "tags": forms})
    return pa.Table.from_pylist(rows, SCHEMA)
