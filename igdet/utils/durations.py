"""Durations as people read them."""


def clock(seconds: float) -> str:
    """Seconds as 0:42, 12:05 or 3:12:05."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
