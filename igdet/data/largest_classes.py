"""A list of the classes with the most pictures: how ImageNet-5k and -9k are chosen from the 22k.

The paper's own lists were never released. ImageNet-1k's classes come first, so that the larger sets contain it as far
as the folder does: the Fall 2011 release lacks one of them, n04399382.
"""

from collections.abc import Sequence

from tqdm import tqdm

from igdet.data.errors import DatasetError
from igdet.data.image_folder import class_folders, list_pictures


def largest_classes(root: str, count: int, first: Sequence[str] = ()) -> list[str]:
    """Choose class folders: those of `first` that are there, then those with the most pictures, ties by name.

    Args:
        root: the folder of class folders.
        count: how many classes are wanted.
        first: classes that are wanted in any case.

    Returns:
        their names, sorted.

    Raises:
        DatasetError: there are fewer class folders than wanted, or more wanted in any case.
    """
    present = class_folders(root)
    chosen = sorted(set(first) & set(present))
    if not len(chosen) <= count <= len(present):
        raise DatasetError(
            f"{count} classes are wanted of the {len(present)} in {root}, {len(chosen)} of them in any case: expected "
            f"{max(1, len(chosen))} to {len(present)}"
        )
    others = sorted(set(present) - set(chosen))
    sizes = {name: len(list_pictures(root, name)) for name in tqdm(others, unit=" classes")}
    return sorted([*chosen, *sorted(others, key=lambda name: (-sizes[name], name))[: count - len(chosen)]])
