"""Names that people read for class folders such as n01443537."""

from igdet.data.errors import DatasetError
from igdet.data.text_lines import read_lines
from igdet.utils.imagenet_lists import lemmas

LEMMAS = "timm:lemmas"  # ImageNet's synsets, as timm ships them


def read_readable_names(path: str, classes: list[str]) -> list[str]:
    """Name each class.

    Args:
        path: a file of lines "folder, tab, name"; `timm:lemmas` for the words of ImageNet's synsets; "" for the
            folders' own names.
        classes: the class folders, by class id.

    Raises:
        DatasetError: a class has no line.
    """
    if not path:
        return classes
    names = lemmas() if path == LEMMAS else _read(path)
    missing = [folder for folder in classes if not names.get(folder)]
    if missing:
        raise DatasetError(f"{path} has no line 'folder, tab, name' for {len(missing)} classes: {missing[:5]}")
    return [names[folder] for folder in classes]


def _read(path: str) -> dict[str, str]:
    return {folder.strip(): name.strip() for folder, _, name in (line.partition("\t") for line in read_lines(path))}
