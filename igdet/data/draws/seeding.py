"""The generators that all code of a process shares, seeded for a while."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(rng: np.random.Generator) -> Iterator[None]:
    """Seed Python's, NumPy's and PyTorch's CPU generator, and put them back where they were.

    Args:
        rng: gives the seeds.
    """
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    python, numpy, pytorch = (int(seed) for seed in rng.integers(2**32, size=3))
    random.seed(python)
    np.random.seed(numpy)
    torch.random.default_generator.manual_seed(pytorch)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
