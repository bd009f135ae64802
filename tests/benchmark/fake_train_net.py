"""Stands in for tools/train_net.py: same command line, same files, no training; FAKE in the config says how it ends."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

import yaml

POINTS = 5


def main() -> int:
    """Leave what a training leaves."""
    args = parse()
    opts = dict(zip(args.opts[::2], args.opts[1::2], strict=True))
    fake = yaml.safe_load(Path(args.config_file).read_text(encoding="utf-8"))["FAKE"]
    folder = Path(opts["OUTPUT_DIR"])
    print(f"resume={args.resume} threads={os.environ['OMP_NUM_THREADS']} gpus={os.environ.get('CUDA_VISIBLE_DEVICES')}")
    if (code := ENDINGS[fake.get("ENDING", "well")](folder, args.resume)) is not None:
        return code
    assert not opts["MODEL.WEIGHTS"].startswith("runs") or Path(opts["MODEL.WEIGHTS"]).is_file()
    value = (
        fake["TOP1"] + int(opts["SEED"]) + (5 if opts["MODEL.WEIGHTS"] else 0) - float(opts.get("SOLVER.BASE_LR", 0))
    )
    (folder / "model_final.pth").touch()
    with (folder / "metrics.json").open("a") as file:
        for step in range(1, POINTS + 1):
            line = {
                "iteration": step,
                "images_seen": 8 * step,
                "loss_cls": 2 / step,
                "classification/top1": value * step / POINTS,
            }
            print(json.dumps(line), file=file)
    (folder / "results.json").write_text(json.dumps(record(value, fake.get("CONFIG", {}))))
    return 0


def parse() -> argparse.Namespace:
    """Detectron2's command line, as far as the benchmark uses it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config-file")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--num-gpus", default="1")
    parser.add_argument("--dist-url")
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    return parser.parse_args()


def record(value: float, config: dict) -> dict:
    """The content of results.json."""
    boxes = {"AP": value / 2, "AP50": value, "AP75": value / 3}
    boxes |= {f"AP@{0.5 + 0.05 * step:.2f}": value - 4 * step for step in range(10)}
    return {
        "results": {"fake_val": {"classification": {"top1": value, "top5": None}, "bbox": boxes}},
        "images_seen": 8 * POINTS,
        "peak_memory_mb": 512,
        "device": "cpu",
        "host": {"cpu": "fake", "cores": 2},
        "versions": {"igdet": "0"},
        "config": {"DATASETS": {"TRAIN": ["fake_train"], "TEST": ["fake_val"], "OWN": {}}} | config,
    }


def fail(folder: Path, resumed: bool) -> int:
    """Break with a message."""
    print("RuntimeError: the fake broke")
    return 3


def diverge(folder: Path, resumed: bool) -> int:
    """Break as a training does whose loss is not finite any more."""
    (folder / "diverged.json").write_text(json.dumps({"why": "loss_cls is nan"}))
    return 2


def diverge_once(folder: Path, resumed: bool) -> int:
    """Diverge, and break at the start of any later attempt."""
    if (folder / "last_checkpoint").exists():
        return fail(folder, resumed)
    (folder / "last_checkpoint").touch()
    return diverge(folder, resumed)


def diverge_fast(folder: Path, resumed: bool) -> int | None:
    """Diverge at learning rates above 1."""
    return diverge(folder, resumed) if float(folder.name.partition("BASE_LR=")[2].partition(",")[0] or 0) > 1 else None


def fail_once(folder: Path, resumed: bool) -> int | None:
    """Break after a checkpoint, and do well when resumed."""
    (folder / "last_checkpoint").touch()
    return None if resumed else 3


def hang_once(folder: Path, resumed: bool) -> None:
    """Run for ever after a checkpoint, having told the pipe "ready" who it is, and do well when resumed."""
    if not resumed:
        (folder / "last_checkpoint").touch()
        Path("ready").write_text(str(os.getpid()))
        signal.pause()


def end_without_results(folder: Path, resumed: bool) -> int:
    """Exit as if all was well."""
    return 0


def well(folder: Path, resumed: bool) -> None:
    """Go on."""


ENDINGS = {
    "well": well,
    "fail": fail,
    "fail_once": fail_once,
    "hang_once": hang_once,
    "silent": end_without_results,
    "diverge": diverge,
    "diverge_once": diverge_once,
    "diverge_fast": diverge_fast,
}

if __name__ == "__main__":
    sys.exit(main())
