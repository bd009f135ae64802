"""Reading what an evaluation of a classifier writes; kept free of torch, which writing it needs."""

from os import PathLike

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.utils.errors import UserError

_COLUMNS = ["image_id", "gt_classes", "top_classes"]


def read_predictions(path: str | PathLike) -> pa.Table:
    """Read the columns image_id, gt_classes and top_classes (best first) of predictions.parquet.

    Raises:
        UserError: they cannot be read.
    """
    try:
        return pq.read_table(path, columns=_COLUMNS)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UserError(f"{path}: expected the predictions of a classification: {error}") from error
