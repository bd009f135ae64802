"""Twelve raw posts with images, few enough to be counted by hand, and the config that curates them."""

import io
import json
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

USER, CAPTION, OWNER = "anna.example", "our day at the lake", "Camera of Anna"
ARTIST = 0x013B  # an EXIF tag
LEXICON = "word,label\ndog,n1\nhound,n1\ncat,n2\nowl,n3\nbrownbear,n4\ncrane,n5\ncrane,n6\n"


def _line(name: str, image: str | None, caption: str) -> str:
    post = {"id": f"{USER}/{name}", "image": image and f"{USER}/{image}", "text": f"{CAPTION} {caption}", "user": USER}
    return json.dumps(post)


FILES = {
    "a.jsonl": [
        _line("0", "0.jpg", "#Dog, #hound and #dog!"),
        _line("1", "1.jpg", "#ＣＡＴ #c_a_t #instagood"),
        _line("2", "2.jpg", "no hashtag"),
        '{"id": "cut off',
    ],
    "b.jsonl": [
        _line("3", "3.jpg", "#Brown_Bear #dogs2018 #zzz"),
        _line("4", "4.jpg", "#cat #crane #cut…"),
        _line("0", "4.jpg", "#owl"),  # the id of another
        _line("5", None, "#dog"),
    ],
    "c.jsonl": [
        _line("6", "6.jpg", "#owl#dog"),  # its image is an evaluation image
        _line("7", "../../config.yaml", "#dog"),
        _line("8", "8.jpg", "#dog"),  # its image is broken
        _line("9", "9.jpg", "#cat"),  # has opted out
    ],
}
IMAGES = (0, 1, 2, 3, 4, 6, 9)


def write_raw_posts(folder: Path) -> Path:
    """Write posts, images, lists and a lexicon into a folder; return the config, whose output goes to its out/."""
    for name in ("posts", "evaluation", f"images/{USER}"):
        (folder / name).mkdir(parents=True)
    for name, lines in FILES.items():
        (folder / "posts" / name).write_text("".join(f"{line}\n" for line in lines))
    for seed in IMAGES:
        (folder / f"images/{USER}/{seed}.jpg").write_bytes(_jpeg(seed, 90))
    (folder / f"images/{USER}/8.jpg").write_bytes(b"no picture")
    (folder / "evaluation/copy.jpg").write_bytes(_jpeg(6, 80))
    (folder / "lexicon.csv").write_text(LEXICON)
    (folder / "opted_out.txt").write_text(f"{USER}/9\n")
    (folder / "config.yaml").write_text(yaml.safe_dump(_config(folder)))
    return folder / "config.yaml"


def _config(folder: Path) -> dict:
    source = {"PATHS": [f"{folder}/posts"], "ID": "id", "CAPTION": "text", "MAX_BAD_SHARE": 0.2}
    shards = {"IMAGES": f"{folder}/images", "EXCLUDE": {"opted out": f"{folder}/opted_out.txt"}}
    return {
        "OUTPUT_DIR": f"{folder}/out",
        "ENGINE": {"SLICE_MB": 0.0001},  # a slice for each file
        "SOURCE": source,
        "LEXICON": {"PATH": f"{folder}/lexicon.csv", "AMBIGUOUS": "drop"},
        "DUPLICATES": {"EVALUATION": f"{folder}/evaluation"},
        "SHARDS": {**shards, "PROCESSES": 1, "POSTS_PER_SHARD": 3},
    }


def _jpeg(seed: int, quality: int) -> bytes:
    """Return an image of coarse noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    exif = Image.Exif()
    exif[ARTIST] = OWNER
    file = io.BytesIO()
    Image.fromarray(pixels).resize((64, 64)).save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue()
