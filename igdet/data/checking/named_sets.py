"""From what a user names, a target, a config or a folder, to the data sets that are to be checked."""

from dataclasses import dataclass
from pathlib import Path

from detectron2.config import CfgNode, get_cfg
from detectron2.data import DatasetCatalog, MetadataCatalog

from igdet.config import add_igdet_config, merge_config_file
from igdet.data.detection import detection_tasks
from igdet.data.own_datasets import checked_fields, is_builtin
from igdet.formats.coco.faults import TASKS
from igdet.formats.errors import DatasetError
from igdet.formats.targets import SPLITS, TARGETS, TargetTask, fields_of, target_of
from igdet.utils.messages import did_you_mean, shown


@dataclass(frozen=True)
class NamedSet:
    """A data set to check.

    Attributes:
        name: as in DATASETS.TRAIN or TEST.
        fields: KIND and its fields.
        target: the target whose part it is; None for somebody's own.
        images: how many there should be; None where nobody knows.
        tasks: what a detector is trained for, where that says which annotations it can use.
    """

    name: str
    fields: dict
    target: TargetTask | None = None
    images: int | None = None
    tasks: tuple[str, ...] = TASKS

    @property
    def place(self) -> str:
        """Where it lies."""
        return self.fields.get("ROOT") or ", ".join(self.fields["ROOTS"])


def sets_of(what: str, folder: str) -> list[NamedSet]:
    """Return the data sets that somebody means.

    Args:
        what: a target, one of its data sets, a config, or a folder of class folders or of such `train` and `val`.
        folder: the folder of all data sets, where targets are looked for.

    Raises:
        DatasetError: there is no such thing.
    """
    if what in TARGETS:
        return [_of_target(f"{what}_{split}", folder) for split in TARGETS[what].splits]
    if what in SPLITS:
        return [_of_target(what, folder)]
    if what.endswith((".yaml", ".yml")):
        return _of_config(what, folder)
    if Path(what).is_dir():
        return _of_folder(Path(what))
    known = [*TARGETS, *SPLITS]
    raise DatasetError(
        f"{shown(what)} is no target, config (.yaml) or folder{did_you_mean(what, known)}; "
        f"targets: {', '.join(TARGETS)}"
    )


def _of_target(name: str, folder: str) -> NamedSet:
    return NamedSet(name, checked_fields(name, fields_of(name, folder)), target_of(name), SPLITS[name].images)


def _of_folder(folder: Path) -> list[NamedSet]:
    parts = [folder / part for part in ("train", "val", "test") if (folder / part).is_dir()]
    return [
        NamedSet(part.name, checked_fields(part.name, {"KIND": "image_folder", "ROOT": str(part)}))
        for part in parts or [folder]
    ]


def _of_config(path: str, folder: str) -> list[NamedSet]:
    cfg = get_cfg()
    add_igdet_config(cfg)
    merge_config_file(cfg, path)
    names = dict.fromkeys((*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST))
    return [_of_name(name, cfg, folder) for name in names]


def _of_name(name: str, cfg: CfgNode, folder: str) -> NamedSet:
    if name in cfg.DATASETS.OWN:
        return NamedSet(name, checked_fields(name, cfg.DATASETS.OWN[name]), tasks=detection_tasks(cfg))
    if name in SPLITS:
        return _of_target(name, folder)
    metadata = MetadataCatalog.get(name) if is_builtin(name) else None
    if metadata is None or metadata.get("evaluator_type") != "coco":
        raise DatasetError(f"{name} cannot be checked{did_you_mean(name, [*SPLITS, *DatasetCatalog.list()])}")
    fields = {"KIND": "coco", "ROOT": metadata.image_root, "ANNOTATIONS": metadata.json_file}
    return NamedSet(name, checked_fields(name, fields))
