"""Data sets named in YAML under DATASETS.OWN, named targets and parts of both: checked and registered."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.utils import comm

from igdet.data.bad_records import BadRecordLog, BadRecordsError
from igdet.data.detection import detection_tasks
from igdet.data.held_out import tuning_part
from igdet.data.kinds import KINDS
from igdet.data.readers.coco import load_records
from igdet.data.readers.shards import StreamedShards, StreamMixture
from igdet.formats.coco.parsed import forget
from igdet.formats.errors import DatasetError
from igdet.formats.targets.table import SPLITS, datasets_folder, fields_of, is_path
from igdet.formats.targets.target import whole_of
from igdet.utils.command_lines import command_line
from igdet.utils.files import expanded
from igdet.utils.messages import shown
from igdet.utils.object_stores import is_remote
from igdet.utils.yaml import NAMES

MADE_BY = ". The head of the config names the command that makes it, where there is one"


def register_own_datasets(cfg: CfgNode, training: bool = True) -> None:
    """Register the sets under DATASETS.OWN and the targets that a command uses; a second call replaces the first's.

    NAME_fit and NAME_choice are the parts of any of them, as `tuning_part` cuts it, where nothing else has that name.
    The fields of others under DATASETS.OWN are checked too, but their files need not be there.

    Args:
        cfg: the config.
        training: whether DATASETS.TRAIN is used besides DATASETS.TEST.

    Raises:
        DatasetError: a kind or field is unknown, a field or file is missing, a name is one of Detectron2's own, a set
            is used for what it is not for, is cut although it cannot be, or the annotations cannot be used.
    """
    for key in ("TRAIN", "TEST"):
        for name in cfg.DATASETS[key]:
            if not isinstance(name, str):
                raise DatasetError(f"DATASETS.{key} names {shown(name)}: expected a data set's name, in quotes")
    probe = cfg.PROBE.IN_TRAINING
    trained = {*cfg.DATASETS.TRAIN, *((probe.TRAIN, probe.TEST) if probe.EVERY else ())}
    used = {*cfg.DATASETS.TEST, *(trained if training else ())}
    parts = sorted(name for name in used if whole_of(name) and not _is_known(name, cfg))
    used |= {whole_of(name) for name in parts}
    for name, settings in cfg.DATASETS.OWN.items():
        fields = checked_fields(name, settings)
        if is_builtin(name):
            raise DatasetError(f"DATASETS.OWN: {name} is the name of a builtin data set; give yours another")
        _check_use(cfg, name, settings["KIND"])
        if name in used:
            _register(name, settings["KIND"], existing_paths(f"DATASETS.OWN.{name}.", fields, MADE_BY), cfg)
    for name in sorted((used & SPLITS.keys()) - cfg.DATASETS.OWN.keys()):
        if not is_builtin(name) or SPLITS[name].fields["KIND"] == "lvis":  # Detectron2 needs the package `lvis` for it
            settings = fields_of(name, datasets_folder())
            _check_use(cfg, name, settings["KIND"])
            _register(name, settings["KIND"], target_paths(name, checked_fields(name, settings)), cfg)
        elif SPLITS[name].fields["KIND"] == "coco":
            _load_by_igdet(name)
    for name in parts:
        if whole_of(name) in DatasetCatalog:
            _register_part(name)


def forget_own_datasets() -> None:
    """Undo every `register_own_datasets`, so that the next config cannot use what only an earlier one describes."""
    for name in DatasetCatalog.list():
        if not is_builtin(name):
            forget(MetadataCatalog.get(name).get("json_file", ""))
            _remove(name)


def is_builtin(name: str) -> bool:
    """Whether Detectron2, or somebody's own Python, registered the data set."""
    return name in DatasetCatalog and not MetadataCatalog.get(name).get("own_kind")


def _is_known(name: str, cfg: CfgNode) -> bool:
    return name in cfg.DATASETS.OWN or name in SPLITS or is_builtin(name)


def _check_use(cfg: CfgNode, name: str, kind: str) -> None:
    for key, use in (("TRAIN", "training"), ("TEST", "evaluation")):
        only_for = KINDS[kind].only_for
        if name in cfg.DATASETS[key] and only_for not in ("", use):
            raise DatasetError(f"DATASETS.{key}: {name} is a {kind}, which is for {only_for} only")


def _register(name: str, kind_name: str, fields: dict, cfg: CfgNode) -> None:
    kind = KINDS[kind_name]
    log = BadRecordLog(cfg.OUTPUT_DIR, name, cfg.DATASETS.MAX_BAD_SHARE, names=comm.is_main_process())
    try:
        metadata, load = kind.prepare(fields, log, detection_tasks(cfg))
    except BadRecordsError:  # names the data set itself
        raise
    except DatasetError as error:
        raise DatasetError(f"{name}: {error}") from error
    _put(name, load, evaluator_type=kind.evaluator_type, own_kind=kind_name, notes=log.notes, **metadata)


def _register_part(name: str) -> None:
    whole = whole_of(name)
    metadata = MetadataCatalog.get(whole)
    kind = KINDS.get(metadata.get("own_kind"))
    if kind is None or kind.evaluator_type != "classification" or kind.only_for:
        raise DatasetError(
            f"{name}: only training sets of classification can be cut in two, which {whole} is not; COCO annotations "
            f"are cut by `{command_line('cut_minival')}`"
        )
    try:
        records = tuning_part(DatasetCatalog.get(whole), name.rpartition("_")[2])
    except DatasetError as error:
        raise DatasetError(f"{name}: {error}") from error
    _put(name, lambda: records, **{key: value for key, value in metadata.as_dict().items() if key != "name"})


def _load_by_igdet(name: str) -> None:
    """Have a builtin data set of COCO loaded from what is parsed once; it stays Detectron2's otherwise."""
    metadata = MetadataCatalog.get(name)
    DatasetCatalog.pop(name)
    DatasetCatalog.register(name, partial(load_records, metadata.json_file, metadata.image_root))


def _put(name: str, load: Callable[[], Sequence[dict] | StreamedShards | StreamMixture], **metadata: object) -> None:
    _remove(name)
    DatasetCatalog.register(name, load)
    MetadataCatalog.get(name).set(**metadata)


def _remove(name: str) -> None:
    DatasetCatalog.pop(name, None)
    MetadataCatalog.pop(name, None)


def existing_paths(where: str, fields: Mapping, hint: str = "") -> dict:
    """Expand the paths among a data set's fields.

    Args:
        where: what comes before a field's name in an error.
        fields: the checked fields.
        hint: how an error ends.

    Raises:
        DatasetError: a path does not exist.
    """
    may_be_remote = KINDS[fields["KIND"]].remote
    return {
        key: _existing_path(f"{where}{key}", value, hint)
        if is_path(key, value) and not (may_be_remote and is_remote(value))
        else value
        for key, value in fields.items()
    }


def target_paths(name: str, fields: Mapping) -> dict:
    """As `existing_paths` for a target's data set."""
    target = name.rpartition("_")[0]
    hint = f". `{command_line('check_dataset')} {target}` says what is expected; DATASETS.OWN can name another place"
    return existing_paths(f"{name}: ", fields, hint)


def _existing_path(key: str, path: str, hint: str) -> str:
    found = expanded(path)
    if not found.exists():
        raise DatasetError(f"{key}: {found} does not exist (relative paths count from {Path.cwd()}){hint}")
    return str(found)


def checked_fields(name: str, settings: Mapping) -> dict:
    """Check the names and types of a data set's fields; fill in what is optional.

    Args:
        name: the data set.
        settings: KIND and fields.

    Raises:
        DatasetError: a kind or field is unknown, missing or of another type.
    """
    if not isinstance(settings, Mapping) or settings.get("KIND") not in list(KINDS):  # a list is in no dict
        raise DatasetError(f"DATASETS.OWN.{name} needs a KIND, one of {', '.join(KINDS)}; it says {shown(settings)}")
    kind = KINDS[settings["KIND"]]
    types: dict[str, type] = {
        **dict.fromkeys(("KIND", *kind.required), str),
        **{key: type(of) for key, of in kind.optional.items()},
    }
    for wrong in sorted(settings.keys() - types.keys()):
        raise DatasetError(
            f"DATASETS.OWN.{name}: {settings['KIND']} has no field {shown(wrong)}; it has {sorted(types)}"
        )
    for missing in sorted(set(kind.required) - set(settings)):
        raise DatasetError(f"DATASETS.OWN.{name}: {settings['KIND']} needs the field {missing}")
    for key, value in settings.items():
        if not isinstance(value, types[key]):
            raise DatasetError(f"DATASETS.OWN.{name}.{key} is {shown(value)}: expected {NAMES[types[key]]}")
    return {**kind.optional, **settings}
