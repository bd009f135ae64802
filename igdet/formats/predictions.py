"""Reading what an evaluation of a classifier writes; kept free of torch, which writing it needs."""

from os import PathLike

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.utils.errors import UserError, no_such_file

_TYPES = {"image_id": pa.string(), "gt_classes": pa.list_(pa.int32()), "top_classes": pa.list_(pa.int32())}


def read_predictions(path: str | PathLike) -> pa.Table:
    """Read the columns image_id, gt_classes and top_classes (best first) of predictions.parquet.

    Raises:
        UserError: they cannot be read, are of other types, or an image has no name, no label or no answer.
    """
    try:
        table = pq.read_table(path, columns=list(_TYPES)).cast(pa.schema(_TYPES))
        sizes = [pc.fill_null(pc.list_value_length(table[column]), 0) for column in ("gt_classes", "top_classes")]
    except FileNotFoundError as error:
        raise UserError(no_such_file(path, "predictions.parquet of an evaluation of a classification")) from error
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UserError(f"{path}: expected the predictions of a classification: {error}") from error
    classes = [pc.list_flatten(table[column]) for column in ("gt_classes", "top_classes")]
    if nulls := sum(column.null_count for column in (table["image_id"], *classes)):
        raise UserError(f"{path}: {nulls:,} names or classes are null; expected texts and whole numbers")
    empty = pc.sum(pc.equal(pc.min_element_wise(*sizes), 0)).as_py()
    if empty:
        raise UserError(f"{path}: {empty:,} of {len(table):,} images have no label or no answer; expected one or more")
    return table
