"""The table of targets as the documents show it."""

from collections.abc import Iterable, Sequence

from igdet.formats.targets.table import TARGETS
from igdet.formats.targets.target import TargetTask


def full_table() -> str:
    """Every target with its data sets, counts, files and held-out part, as a Markdown table."""
    rows = (
        (
            f"`{name}`",
            target.title,
            f"{target.classes:,}",
            ", ".join(_data_set(name, split, part.images) for split, part in target.splits.items()),
            ", ".join(dict.fromkeys(f"`{part.fields['ROOT']}`" for part in target.splits.values())),
            f"`{_kind(target)}`",
            target.held_out,
            f"{target.images_seen:,}" if target.images_seen else "",
            target.source,
        )
        for name, target in TARGETS.items()
    )
    head = (
        "target",
        "",
        "classes",
        "data sets (images)",
        "below `$DETECTRON2_DATASETS`",
        "kind",
        "held out",
        "finetuning, images seen",
        "source",
    )
    return _table(head, rows)


def _data_set(target: str, split: str, images: int | None) -> str:
    return f"`{target}_{split}`" + (f" ({images:,})" if images else "")


def _kind(target: TargetTask) -> str:
    return next(iter(target.splits.values())).fields["KIND"]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
