"""Every random draw comes from a generator seeded by (campaign, step, purpose)."""

import hashlib

import numpy as np


def seed_for(campaign: int, step: int, purpose: str) -> int:
    """Return a 63-bit seed that depends on nothing but its arguments."""
    content = f"{campaign}/{step}/{purpose}".encode()
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1


def generator_for(campaign: int, step: int, purpose: str) -> np.random.Generator:
    """Return numpy's generator for this campaign, step and purpose."""
    return np.random.default_rng(seed_for(campaign, step, purpose))
