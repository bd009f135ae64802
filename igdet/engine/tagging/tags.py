"""The hashtags of images as a Parquet table: the most probable ones of each, of all or of a list of one's own."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.engine.tagging.classifier import Scores
from igdet.evaluation.platt import PlattScaling
from igdet.formats.vocabulary import Vocabulary, VocabularyError
from igdet.utils.files import atomic_write
from igdet.utils.messages import did_you_mean, shown

SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("hashtags", pa.list_(pa.string())),  # the most probable first
        ("probabilities", pa.list_(pa.float32())),  # 0..1, aligned; each is one of its own: they do not add up to 1
    ]
)
ROWS = 8192  # of a row group


def chosen_labels(path: str, vocabulary: Vocabulary) -> tuple[list[int], list[str]]:
    """Find the labels of a list of one's own.

    Args:
        path: a vocabulary file, of which the first hashtag of each line counts; "" for all labels.
        vocabulary: that of the classifier.

    Returns:
        Label ids, in the order of the file, and what is said of each hashtag that is none.

    Raises:
        VocabularyError: the file cannot be used, or has no hashtag of the vocabulary.
    """
    names = Vocabulary.read(path).names if path else vocabulary.names
    found = {name: vocabulary.id_of(name) for name in names}
    unknown = [f"{shown(name)}{did_you_mean(name, vocabulary.names)}" for name in names if found[name] < 0]
    if len(unknown) == len(names):
        raise VocabularyError(
            f"{path}: none of its hashtags is one of the classifier's {len(vocabulary):,}: {unknown[0]}"
        )
    return list(dict.fromkeys(label for label in found.values() if label >= 0)), unknown


def tags_of(
    scores: Iterable[Scores], labels: Sequence[int], names: Sequence[str], top: int, scaling: PlattScaling
) -> Iterator[pa.Table]:
    """Yield the table of each batch; bad images are left out.

    Args:
        scores: of batches.
        labels: ids of the labels that may be answers.
        names: of all labels, by id.
        top: most hashtags an image, >= 1.
        scaling: makes probabilities.

    Yields:
        Tables of `SCHEMA`.
    """
    of_label = np.array([names[label] for label in labels], object)
    for batch in scores:
        odds = batch.log_odds[~batch.is_bad][:, labels]
        best = np.argsort(-odds, axis=1, kind="stable")[:, :top]
        probabilities = scaling.probabilities(np.take_along_axis(odds, best, axis=1))
        images = [image for image, is_bad in zip(batch.image_ids, batch.is_bad, strict=True) if not is_bad]
        yield pa.table([images, of_label[best].tolist(), probabilities.tolist()], SCHEMA)


def write_tags(path: Path, tables: Iterable[pa.Table]) -> pa.Table:
    """Write tables, as they come, into one file that is there when all are.

    Returns:
        The first row group, for a look.
    """
    first = None
    with atomic_write(path) as file, pq.ParquetWriter(file, SCHEMA) as writer:
        for group in _grouped(tables):
            writer.write_table(group)
            first = group if first is None else first
    return SCHEMA.empty_table() if first is None else first


def _grouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
