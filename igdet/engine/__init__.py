"""Training and evaluation runs: set-up, schedule, trainer, records."""

from igdet.utils.lazy import lazy_names

__all__, __getattr__ = lazy_names(
    __name__,
    {
        "run": ("evaluate", "train"),
        "schedule": ("resolve_schedule",),
        "setup": ("check_merged", "merged_config", "setup_config"),
        "trainer": ("Trainer",),
    },
)
