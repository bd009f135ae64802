"""A small classification config on the easiest data, and a way to run commands on it within the test's process."""

import argparse

import pytest

CONFIG = """
_BASE_: {repository}/configs/Base-Classification.yaml
MODEL:
  DEVICE: cpu
  BACKBONE: {{NAME: X_14_8x4d}}
  CLASSIFIER: {{NUM_CLASSES: 3}}
INPUT:
  CLASSIFICATION: {{TRAIN_CROP: 32, TEST_SHORT_SIDE: 32, TEST_CROP: 32}}
DATASETS:
  OWN:
    colours_train: {{KIND: image_folder, ROOT: {data}/train}}
    colours_val: {{KIND: image_folder, ROOT: {data}/val}}
  TRAIN: [colours_train]
  TEST: [colours_val]
DATALOADER: {{NUM_WORKERS: 0}}
SOLVER: {{IMS_PER_BATCH: 4, IMAGES_SEEN: 24, BASE_LR: 0.01, CHECKPOINT_PERIOD: 3}}
SEED: 7
OUTPUT_DIR: {output}
"""


@pytest.fixture
def command(repository, colour_folders, tmp_path):
    """A command line, as parsed, of a run of six iterations of four pictures in tmp_path/run."""
    config_file = tmp_path / "colours.yaml"
    config_file.write_text(CONFIG.format(repository=repository, data=colour_folders, output=tmp_path / "run"))

    def parsed(*opts: str, resume: bool = False, eval_only: bool = False) -> argparse.Namespace:
        return argparse.Namespace(config_file=str(config_file), opts=list(opts), resume=resume, eval_only=eval_only)

    return parsed
