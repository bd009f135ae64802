"""The analysis of some models' detections as tables."""

from collections.abc import Mapping, Sequence

from igdet.evaluation.localisation import errors, keypoints
from igdet.utils.table import EMPTY, Entry, Table


def error_table(found: Mapping[str, Mapping[str, float]], task: str) -> Table:
    """Errors by kind, a row a model.

    Args:
        found: model -> metrics, from `analyse`.
        task: theirs.
    """
    kinds, entry, note = (
        (keypoints.KINDS, _share, "Percent of the labelled keypoints of objects that were found (OKS 0.1).")
        if task == "keypoints"
        else (errors.KINDS, _errors, "Errors, and the points of AP50 that mending them would gain.")
    )
    rows = [[Entry(model), *(Entry(entry(metrics, kind)) for kind in kinds)] for model, metrics in found.items()]
    return Table("Errors by kind", ["detections", *kinds], rows, f"{note} docs/LOCALISATION.md defines them.")


def _share(metrics: Mapping[str, float], kind: str) -> str:
    share = metrics.get(f"keypoints-{kind}")  # there is none where nothing was found
    return EMPTY if share is None else f"{share:.1f}"


def _errors(metrics: Mapping[str, float], kind: str) -> str:
    return f"{metrics[f'errors-{kind}']:,.0f} ({metrics[f'dAP-{kind}']:+.1f})"


def confusion_table(model: str, confusions: Sequence[tuple[str, str, int]], most: int = 10) -> Table:
    """Classes taken for others, the most frequent first.

    Args:
        model: whose.
        confusions: from `analyse`.
        most: how many to show.
    """
    rows = [[Entry(truth), Entry(taken), Entry(f"{times:,}")] for truth, taken, times in confusions[:most]]
    return Table(f"Classes taken for others: {model}", ["object", "taken for", "times"], rows)
