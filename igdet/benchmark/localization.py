"""The report on naming and placing: gains by IoU and size, errors by kind, keypoints by part, confusions."""

from collections import Counter
from collections.abc import Iterator

from igdet.benchmark.cells import read_json
from igdet.benchmark.collect import Run, Study, inference_file
from igdet.benchmark.tables import gain_entry, summary_entry, title_of
from igdet.formats.localization import DETAILS, ERROR_KINDS, KEYPOINT_KINDS, OLD_IMAGES
from igdet.reporting.significance import summarise
from igdet.reporting.tables import EMPTY, Entry, Table

GAINS = ("AP50", "AP75", "APs", "APm", "APl")
_CONFUSIONS = 8  # shown of an initialisation


def tables(study: Study) -> list[Table]:
    """Those for which there are results."""
    made = (gain_table, kept_table, error_table, keypoint_table, part_table, confusion_table)
    return [table for make in made if (table := make(study))]


def details(run: Run, task: str) -> dict:
    """What a run's evaluation left about a task; empty without."""
    found = (read_json(inference_file(run, DETAILS)) or {}).get(task, {})
    return {"images" if name == OLD_IMAGES else name: content for name, content in found.items()}


def coco_tasks(study: Study) -> Iterator[tuple[str, str, str]]:
    """(target, title, task) of the columns that show a COCO task: "bbox", "segm", "keypoints"."""
    for column in study.columns:
        task = column.metric.rpartition("/")[0].rpartition("/")[2]
        if task in ("bbox", "segm", "keypoints"):
            yield column.target, column.title, task


def gain_table(study: Study) -> Table | None:
    """Gains at IoU (or OKS) 0.50 beside those at 0.75, and by the size of the objects."""
    rows = []
    for target, title, task in coco_tasks(study):
        for other, baseline in study.comparisons:
            gains = [study.gain(target, other, baseline, f"{task}/{metric}") for metric in GAINS]
            if any(gains):
                name = f"{title_of(study, other)} over {title_of(study, baseline)}"
                rows.append([Entry(name), Entry(title), *map(gain_entry, gains)])
    note = (
        "AP50 asks for little more than finding and naming, AP75 for placing too. "
        "APs, APm, APl: objects below 32 x 32, up to 96 x 96, and larger."
    )
    return Table("Gains by IoU and by size", ["Comparison", "Task", *GAINS], rows, note) if rows else None


def kept_table(study: Study) -> Table | None:
    """How much of the AP at 0.50 is left at 0.75."""
    rows = []
    for target, title, task in coco_tasks(study):
        for name in study.suite.initializations:
            loose, strict = (study.values(target, name, f"{task}/{metric}") for metric in ("AP50", "AP75"))
            kept = summarise(100 * strict[seed] / loose[seed] for seed in strict if loose.get(seed))
            if kept:
                both = summarise(loose.values()), summarise(strict.values())
                rows.append([Entry(title), Entry(title_of(study, name)), *map(summary_entry, (*both, kept))])
    note = (
        "Percent. Who finds and names more, and places as before, gains in proportion at both: the last column stays. "
        "Where it falls, what is found is placed worse."
    )
    header = ["", "Initialisation", "AP50", "AP75", "AP75 of AP50"]
    return Table("What is left at a stricter threshold", header, rows, note) if rows else None


def error_table(study: Study) -> Table | None:
    """How many points of AP50 fixing each kind of error alone would gain."""
    note = "Points of AP50, after TIDE (Bolya et al. 2020); large numbers are what costs a model most."
    return _kinds(study, "What fixing each kind of error would gain", "dAP", ERROR_KINDS, note)


def keypoint_table(study: Study) -> Table | None:
    """Shares of the kinds of keypoint errors."""
    note = "Percent of the labelled keypoints of objects that were found (OKS 0.1), after Ronchi and Perona 2017."
    return _kinds(study, "Where keypoints go", "keypoints", KEYPOINT_KINDS, note)


def _kinds(study: Study, title: str, prefix: str, kinds: tuple[str, ...], note: str) -> Table | None:
    rows = []
    for target, of_column, task in coco_tasks(study):
        for name in study.suite.initializations:
            found = [study.summary(target, name, f"{task}/{prefix}-{kind}") for kind in kinds]
            if any(found):
                rows.append([Entry(of_column), Entry(title_of(study, name)), *map(summary_entry, found)])
    return Table(title, ["", "Initialisation", *kinds], rows, note) if rows else None


def part_table(study: Study) -> Table | None:
    """The share of good keypoints of each body part."""
    rows = []
    for target, _, task in coco_tasks(study):
        runs = [run for name in study.suite.initializations for run in study.transfers(target, name)]
        heads = (metric.rpartition("/")[2] for run in runs for metric in run.metrics if f"{task}/good-" in metric)
        for head in dict.fromkeys(heads):
            found = [study.summary(target, name, f"{task}/{head}") for name in study.suite.initializations]
            best = max(summary.mean for summary in found if summary)
            rows.append([Entry(head.removeprefix("good-")), *(summary_entry(summary, best) for summary in found)])
    titles = [title_of(study, name) for name in study.suite.initializations]
    note = "Percent of the part's labelled keypoints that are good, of objects that were found (OKS 0.1)."
    return Table("Good keypoints by part", ["", *titles], rows, note) if rows else None


def confusion_table(study: Study) -> Table | None:
    """Which classes are taken for which others, in mean counts over the seeds."""
    rows = []
    for target, title, task in coco_tasks(study):
        for name in study.suite.initializations:
            runs = study.transfers(target, name)
            counts: Counter[tuple[str, str]] = Counter()
            for run in runs:
                counts.update({(truth, found): n for truth, found, n in details(run, task).get("confusions", [])})
            worst = [
                f"{truth} for {found} ({round(n / len(runs), 1):g})"
                for (truth, found), n in counts.most_common(_CONFUSIONS)
            ]
            if runs and "confusions" in details(runs[0], task):
                rows.append([Entry(title), Entry(title_of(study, name)), Entry(", ".join(worst) or EMPTY, "long")])
    note = "Object for what it is taken for, at IoU 0.5; in brackets the mean number of times over the seeds."
    return Table("Classes taken for others", ["", "Initialisation", "Most frequent"], rows, note) if rows else None
