"""COCO's run-length masks: whether they are of a picture."""


def is_run_length(mask: object, width: int, height: int) -> bool:
    """Whether this is COCO's run-length mask of a picture: counts as text, which is not read, or as whole numbers."""
    if not isinstance(mask, dict) or mask.get("size") != [height, width]:
        return False
    counts = mask.get("counts")
    if isinstance(counts, list):
        return all(isinstance(count, int) and count >= 0 for count in counts) and sum(counts) == width * height
    return isinstance(counts, str | bytes) and bool(counts)


def pixels_of_text(counts: str | bytes) -> int:
    """How many pixels COCO's run lengths as text make up; -1 where it is no such text.

    A character holds five bits of a number, lowest first, and whether more follow; the highest bit of all is the
    sign. From the fourth on, a number is the difference from the run length two before.
    """
    runs: list[int] = []
    number = bits = 0
    for code in counts.encode() if isinstance(counts, str) else counts:
        number |= (code - 48 & 31) << bits
        bits += 5
        if not code - 48 & 32:
            number -= (code - 48 & 16) << bits - 4  # 2^bits where the sign is set
            runs.append(number + runs[-2] if len(runs) > 2 else number)
            number = bits = 0
    return -1 if bits or min(runs, default=-1) < 0 else sum(runs)
