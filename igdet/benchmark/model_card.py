"""A model card, the README.md of a model on a hub, from the results.json of one run or of its repetitions."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from igdet.benchmark.cells import RESULTS
from igdet.benchmark.metrics import finite_metrics, lower_is_better
from igdet.formats.targets.table import SPLITS, target_of
from igdet.formats.targets.target import whole_of
from igdet.reporting.significance import t_interval
from igdet.reporting.tables import Entry, Table
from igdet.utils.errors import UserError
from igdet.utils.files import read_json
from igdet.utils.messages import printable, shown

# Task in results.json -> the hub's; others keep their name.
TASKS = {
    "classification": "image-classification",
    "hashtags": "image-classification",
    "bbox": "object-detection",
    **dict.fromkeys(("segm", "sem_seg", "panoptic_seg"), "image-segmentation"),
    "keypoints": "keypoint-detection",
}
_NEEDED = {"results": dict, "config": dict, "weights": str, "images_seen": int}  # of a results.json
_METRICS = {"top1": "accuracy"}  # metric in results.json -> the hub's; others keep their name
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]*")  # as the hub writes it
_HUB = re.compile(r"hf://([^/@]+/[^/@]+)@.*")
_REPEATED = re.compile(r"seed\d+")  # in paths, by which repetitions differ
# The keys that say most of a recipe; the run's config.yaml has all.
_RECIPE = (
    *("MODEL.META_ARCHITECTURE", "MODEL.BACKBONE.NAME", "MODEL.TIMM.NAME", "MODEL.TORCHVISION.NAME"),
    *("MODEL.BACKBONE.FREEZE_AT", "SOLVER.IMS_PER_BATCH", "SOLVER.MAX_ITER", "SOLVER.OPTIMIZER", "SOLVER.BASE_LR"),
    *("SOLVER.LAYER_DECAY", "SOLVER.MOMENTUM", "SOLVER.WEIGHT_DECAY", "DATALOADER.RESAMPLING"),
    *("INPUT.FORMAT", "MODEL.PIXEL_MEAN", "MODEL.PIXEL_STD"),
)
_SIZES = {
    True: ("INPUT.CLASSIFICATION.TRAIN_CROP", "INPUT.CLASSIFICATION.TEST_SHORT_SIDE", "INPUT.CLASSIFICATION.TEST_CROP"),
    False: ("INPUT.MIN_SIZE_TRAIN", "INPUT.MAX_SIZE_TRAIN", "INPUT.MIN_SIZE_TEST", "INPUT.MAX_SIZE_TEST"),
}


def read_runs(folders: Sequence[Path]) -> list[dict]:
    """Read the records of a finished run and its repetitions.

    Args:
        folders: of the runs, at least one.

    Returns:
        The content of each results.json.

    Raises:
        UserError: one is missing or damaged, or the runs differ in more than the seed.
    """
    records = [_read(folder / RESULTS) for folder in folders]
    for folder, record in zip(folders, records, strict=True):
        if _settings(record) != _settings(records[0]):
            raise UserError(f"{folder} differs from {folders[0]} in more than the seed: give it a card of its own")
    seeds = [record["config"].get("SEED") for record in records]
    if len(set(seeds)) < len(seeds):
        raise UserError(f"the seeds are {shown(seeds)}: give each run once, for equal seeds are no repetition")
    return records


def _read(path: Path) -> dict:
    record = read_json(path, "the record that a run leaves when it is finished")
    wrong = [key for key, kind in _NEEDED.items() if not isinstance(record.get(key), kind)]
    if wrong:
        raise UserError(f"{path}: its {wrong[0]} is {shown(record.get(wrong[0]))}; expected the record of a run")
    return record


def _settings(record: Mapping) -> str:
    config = {key: value for key, value in record["config"].items() if key not in ("SEED", "OUTPUT_DIR")}
    return _REPEATED.sub("seed", json.dumps(config, sort_keys=True))


def model_card(records: Sequence[Mapping], name: str, license_id: str, licences: Mapping[str, str]) -> str:
    """Write a card: what is in the records and what its user says, nothing else.

    Args:
        records: as `read_runs` returns them.
        name: of the model.
        license_id: of the weights, as the hub writes it, such as "cc-by-nc-4.0".
        licences: licence of published weights by their full name.

    Returns:
        Markdown with the hub's metadata in front, as YAML.

    Raises:
        UserError: the licence is not written as the hub's are.
    """
    if not _LICENSE.fullmatch(license_id):
        raise UserError(f"the licence is {shown(license_id)}: expected the hub's short name, such as cc-by-nc-4.0")
    lineage = list(_lineage(records[0]))
    metadata = yaml.safe_dump(_metadata(records, lineage, name, license_id), sort_keys=False, allow_unicode=True)
    sections = {
        "Data": _bullets(_data(lineage, licences)),
        "Recipe": _recipe(records[0]),
        "Results": _results(records),
        "Limits": _bullets(_limits(records)),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"---\n{metadata}---\n\n# {printable(name)}\n\n{_summary(records[0])}\n\n{body}\n"


def _lineage(record: Mapping) -> Iterator[Mapping]:
    """The run, the one whose weights it began from, and so on, as far as their records are there."""
    read: set[Path] = set()
    while True:
        yield record
        path = Path(record["weights"]).with_name(RESULTS) if record["weights"] else None
        if path is None or path in read or not path.is_file():
            return
        read.add(path)
        record = _read(path)


def _metadata(records: Sequence[Mapping], lineage: Sequence[Mapping], name: str, license_id: str) -> dict:
    values = _values(records)
    tasks = list(dict.fromkeys(_task(metric) for metric in values))
    base = _HUB.fullmatch(lineage[-1]["weights"])
    return {
        "license": license_id,
        **({"base_model": base[1]} if base else {}),
        "tags": ["igdet", "detectron2", *tasks],
        "datasets": list(dict.fromkeys(name for record in lineage for name in _sets(record, "TRAIN"))),
        "metrics": list(dict.fromkeys(_metric(metric)["type"] for metric in values)),
        "model-index": [{"name": name, "results": _entries(values)}],
    }


def _values(records: Sequence[Mapping]) -> dict[str, list[float]]:
    """Metric -> its value in each run; without those of single classes and kinds of errors ("top1-kitchen")."""
    found = [finite_metrics(record) for record in records]
    whole = [metric for metric in found[0] if "-" not in metric.rpartition("/")[2] and metric.count("/") == 2]
    return {metric: [metrics[metric] for metrics in found] for metric in whole if all(metric in m for m in found)}


def _entries(values: Mapping[str, Sequence[float]]) -> list[dict]:
    """The hub's model-index: an entry a data set and task, with the means."""
    entries: dict[tuple[str, str], dict] = {}
    for metric, numbers in values.items():
        dataset = metric.split("/")[0]
        empty = {"task": {"type": _task(metric)}, "dataset": {"type": dataset, "name": dataset}, "metrics": []}
        entry = entries.setdefault((dataset, _task(metric)), empty)
        entry["metrics"].append({**_metric(metric), "value": round(t_interval(numbers).mean, 4)})
    return list(entries.values())


def _task(metric: str) -> str:
    task = metric.split("/")[1]
    return TASKS.get(task, task)


def _metric(metric: str) -> dict[str, str]:
    _, task, name = metric.split("/")
    return {"type": _METRICS.get(name, name), "name": f"{task}/{name}"}


def _summary(record: Mapping) -> str:
    version = record.get("versions", {}).get("igdet", "")
    return printable(
        f"{_network(record)}, trained on {_named(record, 'TRAIN')} with igdet {version}.".replace(" .", ".")
    )


def _network(record: Mapping) -> str:
    """The backbone's name; of another library's that which it has there."""
    backbone = str(_value(record, "MODEL.BACKBONE.NAME"))
    library = backbone.removesuffix("_FPN")
    own = _value(record, f"MODEL.{library.upper()}.NAME")
    return f"{library}'s {own}{backbone.removeprefix(library).replace('_', ' + ')}" if own else backbone


def _data(lineage: Sequence[Mapping], licences: Mapping[str, str]) -> Iterator[str]:
    """What the weights have seen, the last training first, and where the first one began."""
    for number, record in enumerate(lineage):
        what = "Before that, trained" if number else "Trained"
        yield f"{what} on {_named(record, 'TRAIN')}: {record.get('images_seen', 0):,} images seen, repeats counted."
    weights = lineage[-1]["weights"]
    if not weights:
        yield "Began from random numbers."
    elif weights in licences:
        yield f"Began from `{weights}`, whose licence is {licences[weights]}."
    elif "://" in weights:
        yield f"Began from `{weights}`, which has a licence of its own."
    else:
        yield f"Began from a file `{Path(weights).name}`, of which no record is there."


def _recipe(record: Mapping) -> str:
    is_classifier = _value(record, "MODEL.META_ARCHITECTURE") == "ImageClassifier"
    keys = [key for key in (*_RECIPE, *_SIZES[is_classifier]) if _value(record, key) not in (None, "")]
    return Table("", ["key", "value"], [[Entry(key), Entry(str(_value(record, key)))] for key in keys]).markdown()


def _results(records: Sequence[Mapping]) -> str:
    rows = []
    for metric, numbers in _values(records).items():
        mean, _, low, high, _ = t_interval(numbers)
        interval = "" if math.isnan(low) else f"{low:.4g} to {high:.4g}"
        rows.append([Entry(metric + " ↓" * lower_is_better(metric)), Entry(f"{mean:.4g}"), Entry(interval)])
    what = f"Means of {len(records)} trainings" if len(records) > 1 else "One training"
    note = f"{what}; in percent but for losses and counts. ↓: lower is better."
    return Table("", ["metric", "value", "95% interval"], rows, note).markdown()


def _limits(records: Sequence[Mapping]) -> Iterator[str]:
    """What the records themselves say against the figures."""
    record, count = records[0], len(records)
    yield f"Measured on {_named(record, 'TEST')} only; nothing is known of other images."
    if count == 1:
        yield "One training: how much the figures vary with the seed is unknown."
    else:
        yield f"The intervals are of {count} seeds (Student's t), on the same test images."
    posts = record.get("posts_per_hashtag") or []
    if posts:
        yield f"The labels are what people typed; the rarest of {len(posts):,} hashtags has {min(posts):,} posts."
    for change in record.get("changes") or []:
        yield f"After {change['iteration']:,} iterations {change['key']} was changed to {shown(change['now'])}."
    if record.get("lost_foreground") is not None:
        yield f"From iteration {record['lost_foreground']:,} on it took everything for background."


def _named(record: Mapping, part: str) -> str:
    """The data sets of a part by name, those that igdet knows by title too."""
    return " and ".join(map(_titled, _sets(record, part))) or "data without a name"


def _titled(name: str) -> str:
    whole = whole_of(name) or name
    return f"{name} ({target_of(whole).title})" if whole in SPLITS else name


def _sets(record: Mapping, part: str) -> list[str]:
    return [str(name) for name in _value(record, f"DATASETS.{part}") or []]


def _value(record: Mapping, key: str) -> Any:
    """A key's value in a record's config; None where there is none."""
    value: Any = record["config"]
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _bullets(lines: Iterator[str]) -> str:
    return "\n".join(f"- {printable(line)}" for line in lines)
