"""tools/train_net.py, watched: each batch that a training takes is noted, and the process kills itself where asked to.

python watched_run.py NOTES.jsonl '{"signal": "SIGKILL", "at_batch": 5}' TRAIN_NET.py ARGUMENTS...
python watched_run.py NOTES.jsonl '{"signal": "SIGKILL", "while_saving": "model_0000003"}' TRAIN_NET.py ARGUMENTS...
"""

import hashlib
import json
import os
import runpy
import signal
import sys
from pathlib import Path

from igdet.checkpoint import checkpointer, writing
from igdet.engine.batches import TrainBatches


def labels_of(sample: dict) -> list:
    """Classes of an image or of its objects, with their boxes as it is shown."""
    if "gt_classes" in sample:
        return sample["gt_classes"].tolist()
    return [sample["instances"].gt_classes.tolist(), sample["instances"].gt_boxes.tensor.tolist()]


def noting(notes: Path, kill: dict):
    """Detectron2's loop draws each batch at the start of its step."""
    batches_of = TrainBatches.__iter__

    def batches(self):
        for iteration, batch in enumerate(batches_of(self), self.start_iter):
            pixels = hashlib.sha256(b"".join(sample["image"].numpy().tobytes() for sample in batch)).hexdigest()
            labels = [labels_of(sample) for sample in batch]
            note = [iteration, [sample["image_id"] for sample in batch], labels, pixels]
            with notes.open("a") as file:
                file.write(json.dumps(note) + "\n")
            if kill.get("at_batch") == iteration:
                os.kill(os.getpid(), signal.Signals[kill["signal"]])
            yield batch

    return batches


def killing(kill: dict):
    """Write half of a checkpoint, then die."""

    def write_checkpoint(content, path):
        if kill.get("while_saving") == Path(path).stem:
            with writing.atomic_write(path) as file:
                file.write(b"half")
                file.flush()
                os.kill(os.getpid(), signal.Signals[kill["signal"]])
        return writing.write_checkpoint(content, path)

    return write_checkpoint


if __name__ == "__main__":
    notes, kill, *command = sys.argv[1:]
    rank = os.environ.get("RANK", "")
    TrainBatches.__iter__ = noting(Path(f"{notes}{rank}"), json.loads(kill))
    checkpointer.write_checkpoint = killing(json.loads(kill))
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")
