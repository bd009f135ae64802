"""Classification data as a text file with a line "path id" for each picture, such as Places365's own lists."""

from pathlib import Path, PurePath

import numpy as np

from igdet.data.errors import DatasetError
from igdet.data.records import FileRecords, files_of_one_label
from igdet.data.text_lines import read_lines
from igdet.utils.shown import shown


def read_image_list(root: str, path: str, num_classes: int) -> FileRecords:
    """Read a list of pictures.

    Args:
        root: the folder that paths are relative to, also those that begin with a slash, as Places365's do; unless they
            are absolute and lie below it.
        path: the list: "PATH ID" a line, ids from 0.
        num_classes: every id is below.

    Raises:
        DatasetError: naming the line that is wrong, or the list is empty or no text.
    """
    lines = enumerate(read_lines(path), start=1)
    place = Path(root).absolute()
    rows = [_row(place, path, number, line, num_classes) for number, line in lines if line.strip()]
    if not rows:
        raise DatasetError(f"{path} lists no picture; expected a line 'path id' for each")
    paths, class_ids = zip(*rows, strict=True)
    return files_of_one_label(root, paths, np.array(class_ids))


def _row(root: Path, path: str, number: int, line: str, num_classes: int) -> tuple[str, int]:
    picture, _, class_id = line.strip().rpartition(" ")
    picture = _relative(root, picture.strip())
    if not picture or not class_id.isdecimal():
        raise DatasetError(f"{path}: line {number} is {shown(line)}; expected 'path id'")
    if int(class_id) >= num_classes:
        raise DatasetError(
            f"{path}: line {number}, {picture}, has the class {class_id}, but the list of classes has {num_classes}, "
            "numbered from 0: are list and classes of the same release?"
        )
    if ".." in PurePath(picture).parts:
        raise DatasetError(f"{path}: line {number} leads out of ROOT: {shown(picture)}")
    return picture, int(class_id)


def _relative(root: Path, picture: str) -> str:
    is_below = picture.startswith("/") and PurePath(picture).is_relative_to(root)
    return str(PurePath(picture).relative_to(root)) if is_below else picture.lstrip("/")
