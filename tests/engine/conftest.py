"""Runs of small configs within the test's process."""

import argparse

import pytest
from squares import draw_squares


@pytest.fixture
def command(colour_config):
    """A command line of that config, as parsed."""

    def parsed(*opts: str, resume: bool = False, eval_only: bool = False) -> argparse.Namespace:
        return argparse.Namespace(config_file=str(colour_config), opts=list(opts), resume=resume, eval_only=eval_only)

    return parsed


@pytest.fixture
def squares(tmp_path):
    """Four images of a white square on black, with COCO annotations."""
    return draw_squares(tmp_path)
