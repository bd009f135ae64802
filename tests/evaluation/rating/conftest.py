"""A small set of disagreements, and a browser."""

import pyarrow as pa
import pytest

from igdet.evaluation.rating.questions import find_disagreements

NAMES = ["ant", "bee", '<cat> & "co"']
LABELS = {"a.png": 0, "b.png": 1, "c.png": 2, "d.png": 0}
PREDICTIONS = pa.table(
    {
        "image_id": list(LABELS),
        "gt_classes": [[label] for label in LABELS.values()],
        "top_classes": [[0, 1], [2, 1], [0, 2], [1, 0]],  # a is right
    }
)


@pytest.fixture
def questions():
    return find_disagreements(PREDICTIONS, LABELS, NAMES, None, 0)
