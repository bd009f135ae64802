"""Runs of the small classification config within the test's process."""

import argparse

import pytest


@pytest.fixture
def command(colour_config):
    """A command line of that config, as parsed."""

    def parsed(*opts: str, resume: bool = False, eval_only: bool = False) -> argparse.Namespace:
        return argparse.Namespace(config_file=str(colour_config), opts=list(opts), resume=resume, eval_only=eval_only)

    return parsed
