"""Every draw within is seeded; outside, the generators go on as if nothing had been drawn."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of torch, numpy and Python, and put them back afterwards."""
    numpy, python = np.random.get_state(), random.getstate()  # noqa: NPY002 - strategies use it
    with torch.random.fork_rng():
        seed_torch(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - as above
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(numpy)  # noqa: NPY002 - as above
            random.setstate(python)


def seed_torch(seed: int) -> None:
    """Do as `torch.manual_seed`, which notes a stack for each kind of GPU that is missing."""
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)  # 50 times as fast, and done after every epoch
