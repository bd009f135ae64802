"""Reading predictions."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.utils.errors import UserError
from igdet.utils.predictions_file import read_predictions

PREDICTIONS = pa.table({"image_id": ["a", "b"], "gt_classes": [[1], [2]], "top_classes": [[1, 9], [9, 2]]})


def test_predictions_are_read_from_what_an_evaluation_writes(tmp_path):
    pq.write_table(PREDICTIONS.append_column("top_scores", [[[1.0]] * 2]), tmp_path / "predictions.parquet")
    assert read_predictions(tmp_path / "predictions.parquet") == PREDICTIONS
    with pytest.raises(UserError, match=r"none\.parquet: expected the predictions"):
        read_predictions(tmp_path / "none.parquet")
