"""A list of the classes with the most pictures: how ImageNet-5k and -9k are chosen from the 22k.

The paper's own lists were never released. ImageNet-1k's classes come first, so that the larger sets contain it as far
as the folder does: the Fall 2011 release lacks one of them, n04399382.
"""

from collections.abc import Collection, Sequence

from tqdm import tqdm

from igdet.data.errors import DatasetError
from igdet.data.image_folder import class_folders
from igdet.utils.image_files import list_images


def largest_classes(root: str, count: int, first: Sequence[str] = ()) -> list[str]:
    """Choose class folders: those of `first` that are there, then those with the most pictures, ties by name.

    Args:
        root: the folder of class folders.
        count: how many classes are wanted.
        first: classes that are wanted in any case.

    Returns:
        their names, sorted.

    Raises:
        DatasetError: there are fewer class folders with pictures than wanted, or more wanted in any case.
    """
    folders = class_folders(root)
    _require_enough(folders, count, root)  # before the pictures are counted, which may take long
    sizes = {name: len(list_images(root, name).images) for name in tqdm(folders, unit=" classes")}
    present = {name for name, size in sizes.items() if size}
    chosen = present.intersection(first)
    _require_enough(present, count, root, len(chosen))
    others = sorted(present - chosen, key=lambda name: (-sizes[name], name))
    return sorted([*chosen, *others[: count - len(chosen)]])


def _require_enough(present: Collection[str], count: int, root: str, in_any_case: int = 0) -> None:
    smallest = max(1, in_any_case)
    if not smallest <= count <= len(present):
        those = "; those of --first are wanted in any case: --first '' drops them" if in_any_case else ""
        raise DatasetError(
            f"{count} classes are wanted of the {len(present)} in {root}, {in_any_case} of them in any case: expected "
            f"{smallest} to {len(present)}; folders without pictures do not count{those}"
        )
