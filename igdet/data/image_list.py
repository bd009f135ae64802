"""Classification data as a text file with a line "path id" for each picture, such as Places365's own lists."""

from pathlib import PurePath

import numpy as np

from igdet.data.errors import DatasetError
from igdet.data.records import FileRecords, files_of_one_label
from igdet.data.text_lines import read_lines


def read_image_list(root: str, path: str, num_classes: int) -> FileRecords:
    """Read a list of pictures.

    Args:
        root: the folder that paths are relative to, also those that begin with a slash, as Places365's do.
        path: the list: "PATH ID" a line, ids from 0.
        num_classes: every id is below.

    Raises:
        DatasetError: naming the line that is wrong, or the list is empty or no text.
    """
    lines = enumerate(read_lines(path), start=1)
    rows = [_row(path, number, line, num_classes) for number, line in lines if line.strip()]
    if not rows:
        raise DatasetError(f"{path} lists no picture; expected a line 'path id' for each")
    paths, class_ids = zip(*rows, strict=True)
    return files_of_one_label(root, paths, np.array(class_ids))


def _row(path: str, number: int, line: str, num_classes: int) -> tuple[str, int]:
    picture, _, class_id = line.strip().rpartition(" ")
    picture = picture.strip().lstrip("/")
    if not picture or not class_id.isdecimal():
        raise DatasetError(f"{path}: line {number} is {line!r}; expected 'path id'")
    if int(class_id) >= num_classes:
        raise DatasetError(
            f"{path}: line {number}, {picture}, has the class {class_id}, but the list of classes has {num_classes}, "
            "numbered from 0: are list and classes of the same release?"
        )
    if ".." in PurePath(picture).parts:
        raise DatasetError(f"{path}: line {number} leads out of ROOT: {picture!r}")
    return picture, int(class_id)
