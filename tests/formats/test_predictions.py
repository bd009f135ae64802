"""Reading predictions."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.formats.predictions import read_predictions
from igdet.utils.errors import UserError

CLASSES = pa.list_(pa.int32())
PREDICTIONS = pa.table(
    {"image_id": ["a", "b"], "gt_classes": [[1], [2]], "top_classes": [[1, 9], [9, 2]]},
    pa.schema({"image_id": pa.string(), "gt_classes": CLASSES, "top_classes": CLASSES}),
)


def test_predictions_are_read_from_what_an_evaluation_writes(tmp_path):
    pq.write_table(PREDICTIONS.append_column("top_scores", [[[1.0]] * 2]), tmp_path / "predictions.parquet")
    assert read_predictions(tmp_path / "predictions.parquet") == PREDICTIONS
    with pytest.raises(UserError, match=r"none\.parquet: there is no such file; expected predictions"):
        read_predictions(tmp_path / "none.parquet")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(UserError, match=r"text\.parquet: expected the predictions of a classification: "):
        read_predictions(tmp_path / "text.parquet")


@pytest.mark.parametrize("column", ["gt_classes", "top_classes"])
@pytest.mark.parametrize("value", [None, []])
def test_a_image_without_a_label_or_an_answer_is_refused(tmp_path, column, value):
    rows = PREDICTIONS.to_pydict()
    rows[column][1] = value
    pq.write_table(pa.table(rows), tmp_path / "p.parquet")
    with pytest.raises(UserError, match="1 of 2 images have no label or no answer"):
        read_predictions(tmp_path / "p.parquet")
