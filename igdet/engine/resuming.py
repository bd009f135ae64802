"""Resuming a run with other settings: each is used from then on, or refused by name before anything is written."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from detectron2.config import CfgNode

from igdet.checkpoint.hub import commit_of, fetch_from_hub, is_on_hub, parse
from igdet.checkpoint.writing import iterations_done
from igdet.engine.results import CHANGES, CONFIG, RESULTS, read_record
from igdet.formats.errors import WeightsError
from igdet.formats.targets.target import whole_of
from igdet.utils.files import atomic_write, read_json_lines
from igdet.utils.mappings import flat
from igdet.utils.messages import shown
from igdet.utils.yaml import ConfigError, read_yaml

logger = logging.getLogger(__name__)

PLACE = object()  # how and where the run is computed: no result changes
AHEAD = object()  # used from the first iteration after the checkpoint on
_DRAWS = "the run's place in its draws is that of the old value"

# Beginning of a key, the longest counts -> PLACE, AHEAD, or why it stays what it was as long as the run goes on.
RULES: dict[str, object] = {
    "": "the checkpoint was trained with the old value",
    "CUDNN_BENCHMARK": PLACE,
    "DATALOADER": _DRAWS,
    "DATALOADER.NUM_WORKERS": PLACE,
    "DATASETS": _DRAWS,
    "DATASETS.MAX_BAD_SHARE": AHEAD,
    "DATASETS.TEST": AHEAD,
    "GLOBAL": PLACE,
    "INPUT": AHEAD,
    "INPUT.FORMAT": "the weights expect the old order of channels",
    "MODEL": "the checkpoint is of the old model",
    "MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS": PLACE,
    "MODEL.CHANNELS_LAST": PLACE,
    "MODEL.COMPILE": PLACE,
    "MODEL.DEVICE": PLACE,
    "MODEL.WEIGHTS": "a resumed run continues from its checkpoint and does not read them",
    "OUTPUT_DIR": PLACE,
    "PROBE": PLACE,
    "SEED": _DRAWS,
    "SOLVER": AHEAD,
    "SOLVER.CHECKPOINTS_KEPT": PLACE,
    "SOLVER.CHECKPOINT_PERIOD": PLACE,
    "SOLVER.EMA_HALF_LIFE": "an average of weights neither begins nor ends within a run",
    "SOLVER.FSDP": PLACE,
    "SOLVER.IMS_PER_BATCH": "iterations, images seen and draws are counted in batches of the old size",
    "SOLVER.OPTIMIZER": "what the checkpoint keeps of earlier gradients is the old optimizer's",
    "SOLVER.REFERENCE_WORLD_SIZE": "it rescales the batch, in which the run is counted",
    "TEST": AHEAD,
    "VERSION": PLACE,
    "VIS_PERIOD": PLACE,
}
_OWN = "DATASETS.OWN."
STREAMS = ("hashtag_stream", "hashtag_mixture")  # kinds that are read from end to end
_LAST_KEY = "VIS_PERIOD"  # of a dumped config, in alphabetical order: a file without it was cut short by a kill


class Change(NamedTuple):
    """A key whose value is not what it was, after so many iterations; None: the key is not there."""

    iteration: int
    key: str
    was: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.key} {shown(self.was)} -> {shown(self.now)}"


def check_resumption(cfg: CfgNode) -> list[Change]:
    """Compare a config with that of the run which it resumes; nothing is written.

    Args:
        cfg: the resolved config, as this machine runs it; OUTPUT_DIR is the run's folder.

    Returns:
        What has changed; none where there is no checkpoint to resume from, or no config to compare with.

    Raises:
        ConfigError: naming the changed key that cannot be used from here on, or would not be: the run is past it.
    """
    folder = Path(cfg.OUTPUT_DIR)
    if iterations_done(folder, cfg.SOLVER.MAX_ITER) is None:
        return []
    was, now = _settings_of(folder), _comparable(yaml.safe_load(cfg.dump()))
    done = iterations_done(folder, was.get("SOLVER.MAX_ITER", cfg.SOLVER.MAX_ITER)) or 0
    changes = [Change(done, key, was.get(key), now.get(key)) for key in _changed_keys(was, now)]
    for change in changes:
        if reason := _reason_to_refuse(change, cfg):
            raise ConfigError(
                f"--resume: {change} cannot be honoured: {reason}. Put the old value back, or start a new run in "
                "another OUTPUT_DIR with MODEL.WEIGHTS set to the checkpoint"
            )
    return changes


def pin_weights(cfg: CfgNode, resume: bool) -> None:
    """Put the commit in the place of a branch or tag of weights on a hub, in place: records then say what was read.

    A resumed run keeps the commit that it began from, and is told where the branch or tag has moved since.

    Args:
        cfg: the resolved config; OUTPUT_DIR is the run's folder.
        resume: whether the run in there goes on.

    Raises:
        WeightsError: the weights cannot be had.
    """
    named = cfg.MODEL.WEIGHTS
    if not is_on_hub(named):
        return
    is_begun = resume and iterations_done(Path(cfg.OUTPUT_DIR), cfg.SOLVER.MAX_ITER) is not None
    began = _settings_of(Path(cfg.OUTPUT_DIR)).get("MODEL.WEIGHTS", "") if is_begun else ""
    if not (is_on_hub(began) and parse(began).is_version_of(parse(named))):
        cfg.MODEL.WEIGHTS = str(fetch_from_hub(named)[0])
    elif not parse(named).is_pinned:
        _tell_if_moved(named, began)
        cfg.MODEL.WEIGHTS = began
    elif parse(named).revision == parse(began).revision:  # of another one `check_resumption` says why it is refused
        cfg.MODEL.WEIGHTS = began


def _tell_if_moved(named: str, began: str) -> None:
    try:
        commit = commit_of(named)
    except WeightsError as error:
        logger.warning(f"Not checked whether these weights have moved since the run began: {error}")
        return
    if commit != parse(began).revision:
        logger.warning(
            f"{named} is commit {commit} now; this run began from {began} and goes on from its checkpoint. To train "
            "from the new weights, start a run in another OUTPUT_DIR"
        )


def is_finished(cfg: CfgNode) -> bool:
    """Whether the run in OUTPUT_DIR has trained on as many images as a config asks for, and has its record."""
    record = read_record(Path(cfg.OUTPUT_DIR, RESULTS))
    return record is not None and record["images_seen"] >= cfg.SOLVER.MAX_ITER * cfg.SOLVER.IMS_PER_BATCH


def note_changes(folder: Path, changes: list[Change]) -> None:
    """List what has changed in the log, and for good in the run's folder: results.json tells it with the results.

    Args:
        folder: the run's.
        changes: what `check_resumption` returned.
    """
    if not changes:
        return
    logger.warning("Resumed with other settings, used from here on:\n" + "\n".join(f"  {change}" for change in changes))
    lines = [*read_json_lines(folder / CHANGES), *(change._asdict() for change in changes)]
    with atomic_write(folder / CHANGES, "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def _settings_of(folder: Path) -> dict[str, Any]:
    """Key -> value of the config that a run was last trained with; empty where that is not known."""
    try:
        settings = _comparable(read_yaml(folder / CONFIG))
    except ConfigError:
        settings = {}
    if _LAST_KEY in settings:
        return settings
    logger.warning(f"{folder / CONFIG} is missing or cut short: what has changed since the checkpoint is not known")
    return {}


def _comparable(config: Mapping) -> dict[str, Any]:
    # One process has SyncBN where several on CPUs have Detectron2's naive one, which computes the same.
    return {key: "SyncBN" if value == "naiveSyncBN" else value for key, value in flat(config)}


def _changed_keys(was: Mapping, now: Mapping) -> list[str]:
    """The keys that differ; one that only one version of igdet or Detectron2 has says nothing about the run."""
    common = was.keys() & now.keys() | {key for key in was.keys() ^ now.keys() if key.startswith(_OWN) and was}
    return sorted(key for key in common if was.get(key) != now.get(key))


def _reason_to_refuse(change: Change, cfg: CfgNode) -> str:
    """Why a change cannot be honoured; "" where it can."""
    rule = _rule(change, cfg)
    if rule is PLACE:
        return ""
    if is_finished(cfg):
        return "the run is finished, and nothing would be trained with the new value; ask for more images as well"
    if change.key == "SOLVER.MAX_ITER" and change.now <= change.iteration:
        return f"the run has done {change.iteration:,} iterations"
    return "" if rule is AHEAD else rule


def _rule(change: Change, cfg: CfgNode) -> Any:
    """PLACE, AHEAD, or why the old value stays."""
    key, values = change.key, (change.was, change.now)
    trained_on = {name for train in cfg.DATASETS.TRAIN for name in (train, whole_of(train))}
    is_test_set = key.startswith(_OWN) and key.removeprefix(_OWN).split(".")[0] not in trained_on
    if key.endswith("_TEST") or is_test_set or (key == "SOLVER.EMA_HALF_LIFE" and all(values)):
        return AHEAD
    if key == "DATALOADER.NUM_WORKERS" and max(values) > 1 and _is_streamed(cfg) and not cfg.DATALOADER.STREAM_WORKERS:
        return "each process of a stream's loader reads shards of its own, as DATALOADER.STREAM_WORKERS is 0"
    return RULES[max((start for start in RULES if f"{key}.".startswith(f"{start}." if start else "")), key=len)]


def _is_streamed(cfg: CfgNode) -> bool:
    return any(cfg.DATASETS.OWN.get(name, {}).get("KIND") in STREAMS for name in cfg.DATASETS.TRAIN)
