"""The files of a label space: its vocabulary, and tables of what was decided and why."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np

from igdet.curation.candidates import Candidate
from igdet.curation.comparison import overlaps
from igdet.curation.greedy_choice import LabelSpaceError
from igdet.curation.label_space import ALL, CHOSEN, LabelSpace
from igdet.curation.label_table import vocabulary_of
from igdet.utils.csv_files import write_csv_export
from igdet.vocabulary import VOCABULARY_NAME

CHOICES_NAME = "choices.csv"  # a line for each label that was considered
TARGETS_NAME = "targets.csv"  # a line for each target class
COMPARISON_NAME = "comparison.csv"  # a line for each label space


def write_label_space(folder: str | PathLike, space: LabelSpace) -> None:
    """Write the vocabulary, the choices, the target classes and the comparison.

    Raises:
        LabelSpaceError: no label was chosen, so that there is no vocabulary to write.
    """
    folder = Path(folder)
    if not space.spaces[CHOSEN]:
        raise LabelSpaceError(
            f"none of {len(space.choices)} candidates for {len(space.matches)} target classes was chosen; "
            "raise the budget, look further from the classes, or check that posts and targets go together"
        )
    vocabulary_of(space.labels.take(space.spaces[CHOSEN])).write(folder / VOCABULARY_NAME)
    for name, rows in {
        CHOICES_NAME: _choice_rows(space),
        TARGETS_NAME: _target_rows(space),
        COMPARISON_NAME: comparison_rows(space),
    }.items():
        rows = list(rows)
        write_csv_export(folder / name, rows[0] if rows else (), (row.values() for row in rows))


def _choice_rows(space: LabelSpace) -> Iterable[dict]:
    """Name the class that a label is most about as its reason; one label may stand for many."""
    about: dict[int, list[Candidate]] = {}
    for candidate in space.candidates:
        about.setdefault(candidate.row, []).append(candidate)
    for row, decision, gain, images in space.choices:
        label = space.labels.slice(row, 1).to_pylist()[0]
        best = max(about[row], key=lambda candidate: candidate.score)
        yield {
            "label": label["label"],
            "name": label["name"],
            "posts": label["posts"],
            "decision": decision,
            "gain": f"{gain:.3g}",
            "new_images": images,
            "relation": best.relation,
            "target": space.matches[best.target].key,
            "steps": best.steps,
            "score": f"{best.score:.3g}",
            "targets": len(about[row]),
        }


def _target_rows(space: LabelSpace) -> Iterable[dict]:
    names, chosen = space.labels["name"].to_pylist(), set(space.spaces[CHOSEN])
    hashtags: dict[int, list[str]] = {}
    for candidate in sorted(space.candidates, key=lambda candidate: -candidate.score):
        if candidate.row in chosen:
            hashtags.setdefault(candidate.target, []).append(names[candidate.row])
    for target, match in enumerate(space.matches):
        yield {
            "target": match.key,
            "matched_by": match.rule,
            "labels": " ".join(match.labels),
            "images": f"{space.measured[CHOSEN].per_class[target]:.1f}",
            "possible_images": f"{space.measured[ALL].per_class[target]:.1f}",
            "hashtags": " ".join(hashtags.get(target, [])),
        }


def comparison_rows(space: LabelSpace) -> Iterable[dict]:
    """Put the label spaces side by side: size, images, coverage, classes without images, overlap with each other."""
    shared = overlaps(space.spaces)
    for name, measured in space.measured.items():
        yield {
            "label_space": name,
            "labels": measured.labels,
            "images": measured.images,
            "coverage": f"{measured.coverage:.4f}",
            "median_images_per_class": f"{np.median(measured.per_class):.1f}",
            "classes_without_images": int((measured.per_class == 0).sum()),
            **{f"overlap with {other}": f"{shared[name, other]:.4f}" for other in space.spaces},
        }
